import { expect, test } from "vitest";
import { createRepeatGate } from "./repeat-gate.ts";

function setUp(keysMax = 10) {
  const time = { now: 1_000 };
  const told: [string, number][] = [];
  const gate = createRepeatGate<string>((value, held) => told.push([value, held]), {
    keyOf: (value) => value.charAt(0),
    clock: { now: () => time.now },
    milliseconds: 100,
    keysMax,
  });
  return { time, told, gate };
}

test("what repeats is told once, then with the number of those held back", () => {
  const { time, told, gate } = setUp();
  for (let count = 0; count < 5; count++) gate(`a${count}`);
  gate("b");
  time.now += 100;
  gate("a5");
  gate("a6");
  expect(told).toEqual([
    ["a0", 0],
    ["b", 0],
    ["a5", 4],
  ]);
});

test("a clock that was set back holds nothing up", () => {
  const { time, told, gate } = setUp();
  gate("a");
  time.now -= 10_000;
  gate("a");
  expect(told).toHaveLength(2);
});

test("keys are bounded: old ones go, and beyond the bound everything is told", () => {
  const { time, told, gate } = setUp(2);
  for (const value of ["a", "b", "c", "c"]) gate(value);
  expect(told).toHaveLength(4);
  time.now += 100;
  for (const value of ["c", "c"]) gate(value);
  expect(told).toHaveLength(5);
});
