import { expect, test } from "vitest";
import type { Clock } from "../clock.ts";
import { Deadlines } from "./deadlines.ts";

function rig() {
  let now = 1_000;
  let timers: { dueAt: number; task: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    after(milliseconds, task) {
      const timer = { dueAt: now + milliseconds, task };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    soon: () => {},
  };
  const missed: string[] = [];
  const deadlines = new Deadlines<string>(clock, 100, (item) => missed.push(item));
  const runDue = (): void => {
    const due = timers.filter(({ dueAt }) => dueAt <= now);
    timers = timers.filter(({ dueAt }) => dueAt > now);
    for (const { task } of due) task();
  };
  return {
    deadlines,
    missed,
    timerCount: () => timers.length,
    pass(milliseconds: number) {
      now += milliseconds;
      runDue();
    },
    /** The clock is set back; the timer that was due runs all the same. */
    setBack(milliseconds: number) {
      now -= milliseconds;
      for (const { task } of timers.splice(0)) task();
    },
  };
}

test("each misses its own deadline, by one timer", () => {
  const { deadlines, missed, pass, timerCount } = rig();
  deadlines.start("a");
  pass(40);
  deadlines.start("b");
  deadlines.start("c");
  expect(timerCount()).toBe(1);
  pass(59);
  expect(missed).toEqual([]);
  pass(1);
  expect(missed).toEqual(["a"]);
  expect(timerCount()).toBe(1);
  pass(40);
  expect(missed).toEqual(["a", "b", "c"]);
  expect(timerCount()).toBe(0);
});

test("who is stopped in time misses nothing, who comes later is still looked after", () => {
  const { deadlines, missed, pass } = rig();
  deadlines.start("a");
  deadlines.stop("a");
  pass(100);
  expect(missed).toEqual([]);
  deadlines.start("b");
  pass(100);
  expect(missed).toEqual(["b"]);
});

test("a clock that was set back makes nobody wait longer than the time given", () => {
  const { deadlines, missed, setBack } = rig();
  deadlines.start("a");
  setBack(500);
  expect(missed).toEqual(["a"]);
});

test("one that starts while another misses has its whole time", () => {
  const { missed, ...rest } = rig();
  const { deadlines, pass } = rest;
  deadlines.start("a");
  pass(100);
  deadlines.start("b");
  pass(99);
  expect(missed).toEqual(["a"]);
  pass(1);
  expect(missed).toEqual(["a", "b"]);
});

test("closed, it leaves no timer", () => {
  const { deadlines, missed, pass, timerCount } = rig();
  deadlines.start("a");
  deadlines.close();
  expect(timerCount()).toBe(0);
  pass(100);
  expect(missed).toEqual([]);
});
