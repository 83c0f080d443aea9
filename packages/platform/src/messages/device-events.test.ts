import type { Message, Tap } from "@thingstead/mqtt";
import { expect, test } from "vitest";
import { createDeviceEvents, type DeviceEvent, type DeviceEventKind } from "./device-events.ts";

const event = {
  kind: "data" as const,
  productKey: "pk",
  deviceName: "d",
  topic: "/pk/d/thing/event/property/post",
  qos: 1 as const,
  time: 5,
};

function openBench(options: { hasRule?: boolean; wants?: DeviceEventKind[] } = {}) {
  const offered: Message[] = [];
  const heard: (DeviceEvent & { text: string })[] = [];
  const safe = Promise.withResolvers<void>();
  const rules = {
    tapsFor: (): readonly Tap[] => (options.hasRule === true ? [() => undefined] : []),
    offer: (message: Message) => {
      offered.push(message);
      return message.qos > 0 ? safe.promise : undefined;
    },
  };
  const events = createDeviceEvents({
    rules,
    topicOwner: (topic) => (topic.startsWith("/pk/d/") ? { productKey: "pk", deviceName: "d" } : undefined),
  });
  if (options.wants !== undefined) {
    const wanted = options.wants;
    events.addSink({
      wants: (kind, productKey) => productKey === "pk" && wanted.includes(kind),
      accept: (each) => {
        heard.push({ ...each, text: Buffer.from(each.payload).toString() });
        return undefined;
      },
    });
  }
  return { events, offered, heard, safe };
}

test("nobody listens: no body is written", () => {
  const { events } = openBench({ wants: ["status"] });
  const body = () => {
    throw new Error("written for nobody");
  };
  expect(events.tell({ ...event, body })).toBeUndefined();
  expect(events.hasListeners("data", "pk", event.topic)).toBe(false);
  expect(events.hasListeners("status", "pk", "/as/mqtt/status/pk/d")).toBe(true);
  expect(events.hasListeners("status", "other", "/as/mqtt/status/other/d")).toBe(false);
});

test("rules get the message of the platform, and the PUBACK waits for what they owe", async () => {
  const { events, offered, safe } = openBench({ hasRule: true });
  const told = events.tell({ ...event, body: () => ({ a: 1 }) });
  expect(offered[0]).toMatchObject({ topic: event.topic, qos: 1, hops: 0, isRetained: false, receivedAt: 5 });
  expect(Buffer.from(offered[0]?.payload ?? "").toString()).toBe('{"a":1}');
  expect(await Promise.race([told, Promise.resolve("waits")])).toBe("waits");
  safe.resolve();
  await told;
});

test("a sink hears its kinds of its products, and custom topics of a device by a tap", async () => {
  const { events, heard } = openBench({ wants: ["data"] });
  await events.tell({ ...event, body: () => ({ a: 1 }) });
  await events.tell({ ...event, kind: "status", body: () => ({}) });
  await events.tell({ ...event, productKey: "other", body: () => ({}) });
  const message: Message = { topic: "/pk/d/user/update", payload: Buffer.from("raw"), qos: 0, isRetained: false, receivedAt: 9, hops: 0 };
  for (const tap of events.tapsFor(message.topic)) await tap(message);
  expect(events.tapsFor("/somebody/else/x")).toEqual([]);
  await events.offer({ ...message, payload: Buffer.from("{}") });
  expect(heard.map(({ topic, text, kind }) => [kind, topic, text])).toEqual([
    ["data", event.topic, '{"a":1}'],
    ["data", "/pk/d/user/update", "raw"],
    ["data", "/pk/d/user/update", "{}"],
  ]);
});
