import { expect, test } from "vitest";
import { createMemoryJournal } from "../journal/memory-journal.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { Turn } from "./turn.ts";

test("the time stands still while something waits for the end of the turn, and only then", () => {
  const clock = new FakeClock();
  const turn = new Turn(clock, createMemoryJournal(), (error) => expect(error).toBeUndefined());
  const start = clock.now();
  clock.advance(5);
  expect(turn.now).toBe(start + 5);
  turn.markDirty({ flush: () => {} });
  clock.advance(5);
  expect(turn.now).toBe(start + 5);
  clock.endTurn();
  expect(turn.now).toBe(start + 10);
});
