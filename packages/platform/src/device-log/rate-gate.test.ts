import { expect, test } from "vitest";
import { createFakeClock } from "../fake-clock.ts";
import { defaultDeviceLogLimits } from "./limits.ts";
import { createRateGate } from "./rate-gate.ts";

const message = { kind: "publish", code: "message.received", isSuccess: true, productKey: "pk" } as const;

/** One message a second for all devices together; the burst is used up. */
function closedGate() {
  const clock = createFakeClock(1_000_000);
  const gate = createRateGate(clock, { ...defaultDeviceLogLimits, messageRate: { entriesPerSecondMax: 1, burstEntriesMax: 1 } });
  expect(gate.take({ ...message, deviceName: "first" })).toBe(true);
  return { clock, gate };
}

test("what all devices together are too much for is refused, counted, and let in again when its time has come", () => {
  const { clock, gate } = closedGate();
  for (let index = 0; index < 20; index++) expect(gate.wants("publish", "pk", `device-${index}`)).toBe(false);
  const rows = gate.drain();
  expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(20);
  clock.set(1_000_999);
  expect(gate.wants("publish", "pk", "late")).toBe(false);
  clock.set(1_001_000);
  expect(gate.wants("publish", "pk", "late")).toBe(true);
  expect(gate.take({ ...message, deviceName: "late" })).toBe(true);
});

test("a flood is refused before anyone asks whose message it is, and each is counted", async () => {
  const { clock, gate } = closedGate();
  expect(gate.refusesMessages()).toBe(false);
  expect(gate.wants("publish", "pk", "device")).toBe(false);
  expect([gate.refusesMessages(), gate.refusesMessages()]).toEqual([true, true]);
  expect(gate.drain().reduce((sum, { count }) => sum + count, 0)).toBe(3);
  // Set back by an hour: nobody is refused for an hour.
  clock.set(1_000_000 - 3_600_000);
  // The clock is looked at once in a turn.
  expect(gate.refusesMessages()).toBe(true);
  await Promise.resolve();
  expect(gate.refusesMessages()).toBe(false);
});

test("connects and refusals are not held back with the messages", () => {
  const { gate } = closedGate();
  expect(gate.wants("publish", "pk", "device")).toBe(false);
  expect(gate.wants("connect", "pk", "device")).toBe(true);
});
