import { expect, test } from "vitest";
import { defaultReconnectPolicy, reconnectDelay } from "./reconnect-delay.ts";

test("the ceiling doubles up to the maximum and half of it is drawn", () => {
  const lowest = [0, 1, 2, 10, 500].map((attempt) => reconnectDelay(defaultReconnectPolicy, attempt, { random: () => 0 }));
  const highest = [0, 1, 2, 10, 500].map((attempt) => reconnectDelay(defaultReconnectPolicy, attempt, { random: () => 0.999_999 }));
  expect(lowest).toEqual([500, 1_000, 2_000, 30_000, 30_000]);
  expect(highest).toEqual([1_000, 2_000, 4_000, 60_000, 60_000]);
});
