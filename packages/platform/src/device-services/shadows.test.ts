import { expect, test } from "vitest";
import { createFakeClock } from "../fake-clock.ts";
import type { DeviceNames } from "./device-services.ts";
import { defaultDeviceServicesLimits } from "./limits.ts";
import type { ShadowDocument } from "./shadow-document.ts";
import { createShadows } from "./shadows.ts";

const device = { productKey: "pk", deviceName: "dn" };
const startSeconds = 1_469_564_492;

function open(more: { isOnline?: boolean } = {}) {
  const documents = new Map<string, ShadowDocument>();
  const told: ShadowDocument[] = [];
  const clock = createFakeClock(startSeconds * 1000);
  const keyOf = ({ productKey, deviceName }: DeviceNames) => `${productKey}/${deviceName}`;
  const shadows = createShadows({
    store: {
      load: async (each) => documents.get(keyOf(each)),
      save: async (each, document) => void documents.set(keyOf(each), document),
    },
    registry: { getDevice: async () => Promise.reject(new Error("not asked")) },
    downlink: { isOnline: () => more.isOnline === true, tellShadow: (_device, document) => void told.push(document) },
    clock,
    limits: defaultDeviceServicesLimits,
  });
  const update = (reported: Record<string, unknown>, version: number, clearsDesired = false) =>
    shadows.report(device, { kind: "update", reported, clearsDesired, version });
  return { shadows, documents, told, clock, update };
}

const stored = (documents: Map<string, ShadowDocument>) => documents.get("pk/dn");

test("8.1 objects are merged, arrays replaced, each value has its own time in seconds", async () => {
  const { update, documents, clock } = open();
  await update({ color: "red", room: { floor: 1, door: 2 }, list: [1, 2] }, 1);
  await clock.pass(2_000);
  expect(await update({ room: { floor: 3 }, list: [9] }, 2)).toEqual({ kind: "done", version: 2 });
  const at = { timestamp: startSeconds };
  const later = { timestamp: startSeconds + 2 };
  expect(stored(documents)).toMatchObject({
    reported: { color: "red", room: { floor: 3, door: 2 }, list: [9] },
    reportedTimes: { color: at, room: { floor: later, door: at }, list: later },
    version: 2,
    modifiedAt: startSeconds + 2,
  });
});

test("8.1 the version must grow; -1 sets 0; 13 digits stay exact", async () => {
  const { update, documents } = open();
  expect(await update({ a: 1 }, 1_700_000_000_123)).toEqual({ kind: "done", version: 1_700_000_000_123 });
  expect(await update({ a: 2 }, 1_700_000_000_123)).toEqual({ kind: "refused", reason: "version_conflict", version: 1_700_000_000_123 });
  expect(stored(documents)?.reported).toEqual({ a: 1 });
  expect(await update({ a: 3 }, -1)).toEqual({ kind: "done", version: 0 });
  expect(await update({ a: 4 }, 1)).toEqual({ kind: "done", version: 1 });
});

test("8.1 a cleared desired part keeps the time of the clearing; a new wish replaces it, also one called timestamp", async () => {
  const { shadows, update, documents } = open();
  await update({ a: 1 }, 1);
  await shadows.report(device, { kind: "update", clearsDesired: true, version: 2 });
  expect(stored(documents)).toMatchObject({ desired: {}, desiredTimes: { timestamp: startSeconds }, reported: { a: 1 } });
});

test("8.1 attributes are deleted one by one, inside objects, or all", async () => {
  const { shadows, update, documents } = open();
  await update({ a: 1, b: { c: 1, d: 2 }, e: { f: 1 } }, 1);
  await shadows.report(device, { kind: "delete", reported: { a: null, b: { c: null }, e: { f: null }, none: null }, version: 2 });
  expect(stored(documents)).toMatchObject({ reported: { b: { d: 2 } }, reportedTimes: { b: { d: { timestamp: startSeconds } } } });
  expect(Object.keys(stored(documents)?.reported ?? {})).toEqual(["b"]);
  await shadows.report(device, { kind: "delete", reported: "all", version: 3 });
  expect(stored(documents)?.reported).toEqual({});
});

test("8.1 more than 128 attributes, 16 KB or 5 levels are refused and change nothing", async () => {
  const { update, documents } = open();
  await update({ a: 1 }, 1);
  const many = Object.fromEntries(Array.from({ length: 128 }, (_, index) => [`n${index}`, index]));
  expect(await update(many, 2)).toMatchObject({ kind: "refused", reason: "too_many_attributes" });
  expect(await update({ text: "x".repeat(16 * 1024) }, 2)).toMatchObject({ kind: "refused", reason: "too_large" });
  expect(await update({ a: { b: { c: { d: { e: { f: 1 } } } } } }, 2)).toMatchObject({ kind: "refused", reason: "too_deep" });
  expect(await update({ a: { b: { c: { d: { e: 1 } } } } }, 2)).toMatchObject({ kind: "done" });
  expect(stored(documents)?.version).toBe(2);
});

test("a message that is nothing but nesting is refused", async () => {
  const { update, shadows } = open();
  const deep = JSON.parse(`${'{"a":'.repeat(40_000)}1${"}".repeat(40_000)}`);
  expect(await update(deep, 1)).toEqual({ kind: "refused", reason: "too_deep" });
  await update({ a: { a: 1 } }, 1);
  expect(await shadows.report(device, { kind: "delete", reported: deep, version: 2 })).toEqual({ kind: "done", version: 2 });
});

test("names of the language itself are names like others", async () => {
  const { update, documents } = open();
  await update(JSON.parse('{"__proto__":{"polluted":1},"constructor":2}'), 1);
  await update(JSON.parse('{"__proto__":{"more":2},"toString":{"a":1}}'), 2);
  expect(JSON.stringify(stored(documents)?.reported)).toBe('{"__proto__":{"polluted":1,"more":2},"constructor":2,"toString":{"a":1}}');
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test("20 requests in a second, then no more until the next", async () => {
  const { shadows, update, clock } = open();
  for (let version = 1; version <= 20; version++) expect(await update({ a: version }, version)).toMatchObject({ kind: "done" });
  expect(await update({ a: 21 }, 21)).toEqual({ kind: "refused", reason: "throttled" });
  expect(await shadows.ask(device)).toBe("throttled");
  await clock.pass(1_000);
  expect(await update({ a: 21 }, 21)).toMatchObject({ kind: "done" });
});

test("requests that come together are worked off one after the other: none is lost", async () => {
  const { update, documents } = open();
  await Promise.all(Array.from({ length: 10 }, (_, index) => update({ [`n${index}`]: index }, index + 1)));
  expect(Object.keys(stored(documents)?.reported ?? {})).toHaveLength(10);
});
