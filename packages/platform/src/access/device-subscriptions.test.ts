import { alibabaDialect } from "@thingstead/dialects";
import { expect, test } from "vitest";
import { createDeviceClients } from "./device-clients.ts";
import { createDeviceSubscriptions } from "./device-subscriptions.ts";
import { device } from "./fake-ports.ts";

const stored = (filter: string) => ({ filter, qos: 1, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 }) as const;

test("a gateway's subscriptions and those of a sub-device over it are kept apart", () => {
  const filters = ["/pk/gate/user/get", "/pk/sub1/user/get", "/sys/pk/sub1/thing/service/property/set", "/ext/rrpc/+/x"];
  const subscriptionsOf = createDeviceSubscriptions({
    broker: {
      subscriptionsOf: (sessionId) => (sessionId === "pk/gate" ? filters.map(stored) : []),
    },
    subDevices: {
      routeOf: (_productKey, deviceName) =>
        deviceName === "sub1" ? { sessionId: "pk/gate", isConnected: true, isAutoSubscribed: false, acceptsCustomRrpc: false } : undefined,
    },
    dialects: [alibabaDialect],
  });
  expect(subscriptionsOf("pk", "gate")).toEqual(["/pk/gate/user/get", "/ext/rrpc/+/x"]);
  expect(subscriptionsOf("pk", "sub1")).toEqual(["/pk/sub1/user/get", "/sys/pk/sub1/thing/service/property/set"]);
  expect(subscriptionsOf("pk", "other")).toEqual([]);
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
