import { expect, test } from "vitest";
import { createEventSwitches, eventSwitchNames, isEventSwitchName } from "./event-switches.ts";

function memoryRecords() {
  const kept = new Map<string, unknown>();
  return {
    kept,
    find: async (family: string, name: string) => structuredClone(kept.get(`${family}/${name}`)),
    put: async (family: string, name: string, value: object) => void kept.set(`${family}/${name}`, structuredClone(value)),
  };
}

let now = 1_000;
const clock = { now: () => now };

test("10.3: everything is off until it is switched on, and what is not named stays", async () => {
  const records = memoryRecords();
  const switches = createEventSwitches({ records, clock });
  await switches.start();
  expect(eventSwitchNames.filter((name) => switches.isOn(name))).toEqual([]);
  expect(switches.state().createdAt).toBeUndefined();
  await Promise.all([switches.update({ THING: true }), switches.update({ JOB: true })]);
  now = 2_000;
  await switches.update({ THING: false });
  expect(eventSwitchNames.filter((name) => switches.isOn(name))).toEqual(["JOB"]);
  expect(switches.state()).toMatchObject({ createdAt: 1_000, modifiedAt: 2_000 });
  const later = createEventSwitches({ records, clock });
  expect(later.isOn("JOB")).toBe(false);
  await later.start();
  expect(later.state()).toEqual(switches.state());
});

test("a change that cannot be stored does not hold, and does not keep the next from being made", async () => {
  const records = memoryRecords();
  let isBroken = true;
  const put = async (family: string, name: string, value: object) => {
    if (isBroken) throw new Error("disk full");
    await records.put(family, name, value);
  };
  const switches = createEventSwitches({ records: { find: records.find, put }, clock });
  await expect(switches.update({ THING: true })).rejects.toThrow("disk full");
  expect(switches.isOn("THING")).toBe(false);
  isBroken = false;
  await switches.update({ JOB: true });
  expect([switches.isOn("THING"), switches.isOn("JOB")]).toEqual([false, true]);
});

test("a record that is none, and a name that is none", async () => {
  const switches = createEventSwitches({
    records: { find: async () => ({ isOn: { THING: "yes", CERTIFICATE: true } }), put: async () => {} },
    clock,
  });
  await switches.start();
  expect([switches.isOn("THING"), switches.isOn("CERTIFICATE")]).toEqual([false, true]);
  expect([isEventSwitchName("THING_TYPE"), isEventSwitchName("thing"), isEventSwitchName("constructor")]).toEqual([true, false, false]);
});
