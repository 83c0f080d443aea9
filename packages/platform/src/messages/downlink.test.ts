import type { CloudMessage } from "@thingstead/mqtt";
import { expect, test } from "vitest";
import { createFakeClock } from "../fake-clock.ts";
import { createBroadcast } from "./create-broadcast.ts";
import { createDownlink, type DeviceRoute } from "./create-downlink.ts";
import { createRrpc } from "./create-rrpc.ts";
import type { DownlinkMessage } from "./downlink.ts";
import { defaultMessageLimits } from "./limits.ts";
import { createLostConnections } from "./lost-connections.ts";

const payload = Buffer.from("x");
const message: DownlinkMessage = { productKey: "pk", deviceName: "d", topic: "/sys/pk/d/auto", payload, qos: 1 };
const route: DeviceRoute = { sessionId: "pk/d", isConnected: true, isAutoSubscribed: true };

function openDownlink(routes: Record<string, DeviceRoute>) {
  const published: CloudMessage[] = [];
  const delivered: string[] = [];
  const downlink = createDownlink({
    broker: {
      publish: (each) => {
        published.push(each);
        return { delivered: 1, queued: 0 };
      },
      deliver: (sessionId, { topic }) => {
        delivered.push(`${sessionId} ${topic}`);
        return "delivered";
      },
    },
    routeOf: (productKey, deviceName) => routes[`${productKey}/${deviceName}`],
    isAutomatic: (topic) => topic.endsWith("auto"),
  });
  return { downlink, published, delivered };
}

test("[alibaba-device 4.4] an automatic topic is addressed to a device with _ss=1, and to no other", () => {
  const { downlink, published } = openDownlink({ "pk/d": route, "pk/e": { ...route, sessionId: "pk/e", isAutoSubscribed: false } });
  downlink.send(message);
  downlink.send({ ...message, topic: "/sys/pk/d/other" });
  downlink.send({ ...message, deviceName: "e" });
  downlink.send({ ...message, deviceName: "unknown" });
  expect(published.map(({ addressee }) => addressee)).toEqual(["pk/d", undefined, undefined, undefined]);
});

test("a push goes through the connection of whoever carries the device, and nowhere when there is none", () => {
  const { downlink, delivered } = openDownlink({ "pk/d": { ...route, sessionId: "gw/g" }, "pk/e": { ...route, isConnected: false } });
  expect(downlink.push(message)).toBe(true);
  expect(downlink.push({ ...message, deviceName: "e" })).toBe(false);
  expect(downlink.push({ ...message, deviceName: "unknown" })).toBe(false);
  expect(delivered).toEqual(["gw/g /sys/pk/d/auto"]);
  expect([downlink.isOnline("pk", "d"), downlink.isOnline("pk", "e")]).toEqual([true, false]);
});

function openRrpc(options: { isOnline?: boolean; delivered?: number; pendingMax?: number } = {}) {
  const clock = createFakeClock(1_000_000);
  const sent: DownlinkMessage[] = [];
  let ids = 0;
  const limits = { ...defaultMessageLimits, rrpcPendingMax: options.pendingMax ?? 10 };
  const lost = createLostConnections(clock, limits);
  const rrpc = createRrpc({
    downlink: {
      send: (each) => {
        sent.push(each);
        return { delivered: options.delivered ?? 1, queued: 0 };
      },
      push: () => false,
      isOnline: () => options.isOnline ?? true,
    },
    registry: { getDevice: async () => ({}) as never },
    topics: {
      request: (productKey, deviceName, messageId) => `/sys/${productKey}/${deviceName}/rrpc/request/${messageId}`,
      custom: (messageId, topic) => `/ext/rrpc/${messageId}${topic}`,
    },
    topicOwner: (topic) => {
      const [, productKey, deviceName] = topic.split("/");
      return productKey === undefined || deviceName === undefined ? undefined : { productKey, deviceName };
    },
    lost,
    nextMessageId: () => {
      ids += 1;
      return String(ids);
    },
    clock,
    limits,
  });
  const call = (more: object = {}) => rrpc.call({ productKey: "pk", deviceName: "d", payload, timeoutMilliseconds: 5000, ...more });
  return { rrpc, clock, sent, lost, call };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("[alibaba-device 8.4] the response of that device to that message is the answer, once", async () => {
  const { rrpc, sent, call, clock } = openRrpc();
  const outcome = call();
  await turn();
  expect(sent[0]).toMatchObject({ topic: "/sys/pk/d/rrpc/request/1", qos: 0 });
  expect(rrpc.answered("pk", "other", "1", payload)).toBe(false);
  expect(rrpc.answered("pk", "d", "2", payload)).toBe(false);
  expect(rrpc.answered("pk", "d", "1", Buffer.from("yes"))).toBe(true);
  expect(rrpc.answered("pk", "d", "1", Buffer.from("again"))).toBe(false);
  expect(await outcome).toEqual({ kind: "success", messageId: "1", payload: Buffer.from("yes") });
  expect(clock.pendingTimers).toBe(0);
});

test("[alibaba-device 8.4] a custom topic is carried behind the message id", async () => {
  const { rrpc, sent, call } = openRrpc();
  const outcome = call({ topic: "/pk/d/user/get" });
  await turn();
  expect(sent[0]?.topic).toBe("/ext/rrpc/1/pk/d/user/get");
  rrpc.answered("pk", "d", "1", payload);
  expect(await outcome).toMatchObject({ kind: "success" });
});

test("[alibaba-device 8.4] time-out, offline, half connected, nobody listening", async () => {
  const { clock, call } = openRrpc();
  const late = call();
  await turn();
  await clock.pass(5000);
  expect(await late).toEqual({ kind: "timeout", messageId: "1" });
  expect(await openRrpc({ isOnline: false }).call()).toMatchObject({ kind: "offline" });
  const broken = openRrpc({ isOnline: false });
  broken.lost.disconnected({ subject: { productKey: "pk", deviceName: "d" }, reason: "connection_closed" });
  expect(await broken.call()).toMatchObject({ kind: "half_connected" });
  await broken.clock.pass(defaultMessageLimits.rrpcHalfConnectedSeconds * 1000);
  expect(await broken.call()).toMatchObject({ kind: "offline" });
  const polite = openRrpc({ isOnline: false });
  polite.lost.disconnected({ subject: { productKey: "pk", deviceName: "d" }, reason: "client_disconnect" });
  expect(await polite.call()).toMatchObject({ kind: "offline" });
  // It broke, came back, and left in order.
  for (const reason of ["connection_closed", "client_disconnect"])
    polite.lost.disconnected({ subject: { productKey: "pk", deviceName: "d" }, reason });
  expect(await polite.call()).toMatchObject({ kind: "offline" });
  expect(await openRrpc({ delivered: 0 }).call()).toMatchObject({ kind: "timeout" });
});

test.each([
  ["messages.rrpc_timeout_range", { timeoutMilliseconds: 999 }],
  ["messages.rrpc_timeout_range", { timeoutMilliseconds: 8001 }],
  ["messages.payload_too_large", { payload: Buffer.alloc(256 * 1024 + 1) }],
  ["messages.invalid_topic", { topic: "/pk/other/user/get" }],
  ["messages.invalid_topic", { topic: "/pk/d/user/+" }],
])("%s", async (code, more) => {
  await expect(openRrpc().call(more)).rejects.toMatchObject({ code });
});

test("calls that wait are bounded", async () => {
  const { call, rrpc } = openRrpc({ pendingMax: 1 });
  const first = call();
  await turn();
  await expect(call()).rejects.toMatchObject({ code: "messages.rrpc_busy" });
  rrpc.answered("pk", "d", "1", payload);
  await first;
});

test("[alibaba-device 8.5] a broadcast reaches the connected devices of the product, once a minute", async () => {
  const clock = createFakeClock(1_000_000);
  const pushed: string[] = [];
  const published: CloudMessage[] = [];
  const broadcast = createBroadcast({
    broker: {
      sessionIdsOf: (prefix) => ["pk/a", "pk/b", "pk/off", "pk2/c"].filter((id) => id.startsWith(prefix)),
      publish: (each) => {
        published.push(each);
        return { delivered: 2, queued: 0 };
      },
    },
    downlink: {
      push: ({ topic, deviceName }) => {
        if (deviceName === "off") return false;
        pushed.push(topic);
        return true;
      },
    },
    registry: { getProduct: async () => ({}) as never },
    topics: {
      request: (productKey, deviceName, messageId) => `/sys/${productKey}/${deviceName}/broadcast/request/${messageId}`,
      productOf: (topic) => /^\/broadcast\/([^/]+)\/[^/]+$/.exec(topic)?.[1],
    },
    sessionPrefixOf: (productKey) => `${productKey}/`,
    nextMessageId: () => "7",
    clock,
    limits: { ...defaultMessageLimits, broadcastDevicesPerTurn: 1 },
  });
  expect(await broadcast.toProduct("pk", payload)).toEqual({ messageId: "7", delivered: 2 });
  expect(pushed).toEqual(["/sys/pk/a/broadcast/request/7", "/sys/pk/b/broadcast/request/7"]);
  await expect(broadcast.toProduct("pk", payload)).rejects.toMatchObject({ code: "messages.broadcast_rate" });
  expect(await broadcast.toProduct("pk2", payload)).toMatchObject({ delivered: 1 });
  await clock.pass(60_000);
  expect(await broadcast.toProduct("pk", payload)).toMatchObject({ delivered: 2 });
  expect(await broadcast.toSubscribers("/broadcast/pk/news", payload)).toMatchObject({ delivered: 2 });
  expect(published[0]).toMatchObject({ topic: "/broadcast/pk/news", qos: 0 });
  await expect(broadcast.toSubscribers("/broadcast/pk/+", payload)).rejects.toMatchObject({ code: "messages.invalid_topic" });
  await expect(broadcast.toProduct("pk3", Buffer.alloc(64 * 1024 + 1))).rejects.toMatchObject({ code: "messages.payload_too_large" });
});
