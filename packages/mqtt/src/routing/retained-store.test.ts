import { expect, test } from "vitest";
import { createMemoryJournal } from "../journal/memory-journal.ts";
import { RetainedStore } from "./retained-store.ts";

const limits = { retainedMessagesMax: 3, retainedBytesMax: 3 * 600 + 100 };
const retained = (topic: string, text: string) => ({ topic, payload: Buffer.from(text), qos: 0 as const, receivedAt: 0 });
const topicsOf = (store: RetainedStore, filter: string) =>
  store
    .match(filter, 0)
    .map((message) => message.topic)
    .sort();

test("[MQTT-3.3.1-5] keeps the latest message of a topic and finds it by filter", () => {
  const store = new RetainedStore(limits, createMemoryJournal());
  store.store(retained("a/b", "old"));
  store.store(retained("a/b", "new"));
  store.store(retained("a", "x"));
  store.store(retained("$SYS/x", "x"));
  expect(topicsOf(store, "a/#")).toEqual(["a", "a/b"]);
  expect(topicsOf(store, "#")).toEqual(["a", "a/b"]);
  expect(topicsOf(store, "+/+")).toEqual(["a/b"]);
  expect(topicsOf(store, "$SYS/+")).toEqual(["$SYS/x"]);
  expect(Buffer.from(store.match("a/b", 0)[0]?.payload ?? []).toString()).toBe("new");
});

test("a full store refuses a new topic, keeps what it has, and has room again after a removal", () => {
  const store = new RetainedStore(limits, createMemoryJournal());
  for (const topic of ["a", "b", "c"]) expect(store.store(retained(topic, "x"))).toBe(true);
  expect(store.store(retained("d", "x"))).toBe(false);
  expect(store.store(retained("a", "x".repeat(100)))).toBe(false);
  expect(topicsOf(store, "#")).toEqual(["a", "b", "c"]);
  expect(store.remove("a")).toBe(true);
  expect(store.store(retained("d", "x"))).toBe(true);
  // Topic and payload of one byte each, and what a message weighs beside them.
  expect([store.count, store.bytes]).toEqual([3, 3 * 602]);
});

test("[MQTT-3.3.2-5] an expired message is gone", () => {
  const store = new RetainedStore(limits, createMemoryJournal());
  store.store({ ...retained("a", "x"), properties: { messageExpiryIntervalSeconds: 5 } });
  expect(store.match("a", 4_999)).toHaveLength(1);
  expect(store.match("a", 5_000)).toHaveLength(0);
  expect(store.count).toBe(0);
});

test("[MQTT-3.3.2-5] what has expired gives its place back without being asked for, a few at a time", () => {
  const store = new RetainedStore(limits, createMemoryJournal());
  const properties = { messageExpiryIntervalSeconds: 1 };
  store.store({ ...retained("a", "x"), properties });
  store.store({ ...retained("b", "x"), properties });
  store.store({ ...retained("c", "x"), properties });
  // Replaced by one that stays.
  store.store(retained("a", "y"));
  store.removeExpired(999, 10);
  expect([store.count, store.store(retained("d", "x"))]).toEqual([3, false]);
  store.removeExpired(1_000, 1);
  expect(store.count).toBe(2);
  store.removeExpired(1_000, 10);
  expect([topicsOf(store, "#"), store.store(retained("d", "x"))]).toEqual([["a"], true]);
});
