import { alibabaDialect } from "@thingstead/dialects";
import { expect, test } from "vitest";
import { createDeviceClients } from "./device-clients.ts";
import { createDeviceSubscriptions } from "./device-subscriptions.ts";
import { device } from "./fake-ports.ts";

const stored = (filter: string) => ({ filter, qos: 1, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 }) as const;

function setUp() {
  const filters = ["/pk/gate/user/get", "/pk/sub1/user/get", "/sys/pk/sub1/thing/service/property/set", "/ext/rrpc/+/x"];
  const calls: string[] = [];
  const subscriptions = createDeviceSubscriptions({
    broker: {
      subscriptionsOf: (sessionId) => (sessionId === "pk/gate" ? filters.map(stored) : []),
      subscribe(sessionId, wanted, qos) {
        calls.push(`subscribe ${sessionId} ${wanted} ${qos}`);
        if (sessionId !== "pk/gate") return "no_session";
        return wanted.includes("/pk/sub1/user/none") ? { code: "access.topic_foreign", received: "/pk/sub1/user/none" } : "ok";
      },
      unsubscribe(sessionId, unwanted) {
        calls.push(`unsubscribe ${sessionId} ${unwanted}`);
        return "ok";
      },
      committed: async () => void calls.push("committed"),
    },
    subDevices: {
      routeOf: (_productKey, deviceName) =>
        deviceName === "sub1" ? { sessionId: "pk/gate", isConnected: true, isAutoSubscribed: false, acceptsCustomRrpc: false } : undefined,
    },
    dialects: [alibabaDialect],
  });
  return { calls, subscriptions };
}

test("a gateway's subscriptions and those of a sub-device over it are kept apart", () => {
  const { subscriptions } = setUp();
  expect(subscriptions.list("pk", "gate")).toEqual(["/pk/gate/user/get", "/ext/rrpc/+/x"]);
  expect(subscriptions.list("pk", "sub1")).toEqual(["/pk/sub1/user/get", "/sys/pk/sub1/thing/service/property/set"]);
  expect(subscriptions.list("pk", "other")).toEqual([]);
});

test("who subscribes for a device does so with its rights, stored, and for nobody else over the same connection", async () => {
  const { calls, subscriptions } = setUp();
  await subscriptions.subscribe("pk", "sub1", ["/pk/sub1/user/get"]);
  await subscriptions.unsubscribe("pk", "sub1", ["/pk/sub1/user/get"]);
  expect(calls.splice(0)).toEqual([
    "subscribe pk/gate /pk/sub1/user/get 1",
    "committed",
    "unsubscribe pk/gate /pk/sub1/user/get",
    "committed",
  ]);
  const denied = { code: "access.topic_foreign" };
  await expect(subscriptions.subscribe("pk", "sub1", ["/pk/gate/user/get"])).rejects.toMatchObject(denied);
  await expect(subscriptions.unsubscribe("pk", "sub1", ["/pk/gate/user/get"])).rejects.toMatchObject(denied);
  expect(calls).toEqual([]);
  await expect(subscriptions.subscribe("pk", "sub1", ["/pk/sub1/user/none"])).rejects.toMatchObject(denied);
  await expect(subscriptions.subscribe("pk", "other", ["/pk/other/user/get"])).rejects.toMatchObject({ code: "access.no_session" });
});

test("2.6 who deletes a device's clients cuts its connection", async () => {
  const calls: string[] = [];
  const clients = createDeviceClients({
    registry: { getDevice: async (productKey, deviceName) => device({ productKey, deviceName }) },
    store: { list: async () => [], deleteAll: async () => void calls.push("deleted") },
    broker: { kick: (sessionId, reason) => calls.push(`${reason} ${sessionId}`) > 0 },
  });
  await clients.removeAll("pk", "dev1");
  expect(calls).toEqual(["deleted", "kicked pk/dev1"]);
});
