import { alibabaDialect } from "@thingstead/dialects";
import { beforeEach, expect, test } from "vitest";
import { facts, fakePorts, topicClass } from "./fake-ports.ts";
import { defaultGatewayLimits, type GatewayLimits } from "./limits.ts";
import { createSubDevices, type SubDevices } from "./sub-devices.ts";
import type { DeviceSubject } from "./subject.ts";

const gateway = { productKey: "gw", deviceName: "gate", iotId: "iotGate" };
const other = { productKey: "gw", deviceName: "gate2", iotId: "iotGate2" };
const sub = (deviceName: string) => ({ device: { productKey: "pk", deviceName, iotId: `iot-${deviceName}` }, traits: {} });
const subjectOf = (names: typeof gateway): DeviceSubject => ({ kind: "device", dialect: "alibaba", ...names, isGateway: true });

let ports: ReturnType<typeof fakePorts>;
let connected: Set<string>;
let forgotten: string[];
let events: string[];
let subDevices: SubDevices;

function open(limits: Partial<GatewayLimits> = {}): void {
  ports = fakePorts();
  ports.registry.classes = [topicClass("update", "PUB"), topicClass("get", "SUB")];
  connected = new Set(["gw/gate", "gw/gate2"]);
  forgotten = [];
  events = [];
  subDevices = createSubDevices({
    ...ports,
    rights: { deviceLog: ports.deviceLog, grants: ports.grants },
    broker: () => ({
      isConnected: (sessionId) => connected.has(sessionId),
      subjectOf: (sessionId) => (sessionId === "gw/gate" ? subjectOf(gateway) : sessionId === "gw/gate2" ? subjectOf(other) : undefined),
      forgetGrants: (sessionId) => void forgotten.push(sessionId ?? "all"),
      forgetRefusals: (sessionId) => void forgotten.push(`refusals ${sessionId}`),
      kick: (sessionId) => connected.delete(sessionId),
    }),
    limits: { ...defaultGatewayLimits, ...limits },
  });
  subDevices.onChange({
    opened: ({ device, remoteAddress }) => events.push(`opened ${device.deviceName} ${remoteAddress}`),
    closing: ({ device }, end) => events.push(`${end} ${device.deviceName}`),
    missing: (_gateway, device) => events.push(`missing ${device.deviceName}`),
  });
  connect(gateway);
  connect(other);
}

function connect(names: typeof gateway): void {
  const sessionId = `${names.productKey}/${names.deviceName}`;
  connected.add(sessionId);
  const event = { sessionId, facts, clientId: "c", protocolVersion: 4 as const, keepAliveSeconds: 60, isSessionPresent: false };
  subDevices.connected?.({ ...event, subject: subjectOf(names) });
}

beforeEach(() => open());

test("6.3 a logged-in sub-device's topics are its gateway's to use, with the sub-device as subject, and nobody else's", async () => {
  const topic = "/pk/sub1/update";
  const publish = (names = gateway) => subDevices.publish(subjectOf(names), alibabaDialect, topic);
  expect(publish()).toMatchObject({ code: "access.sub_device_offline" });
  expect(events).toEqual(["missing sub1"]);
  const filter = "/pk/sub2/get";
  const refusal = subDevices.subscribe(subjectOf(gateway), alibabaDialect, filter, 1);
  if (refusal === undefined || !("code" in refusal)) throw new Error("it was allowed");
  // Asking for rights again is no wish of the gateway's; its SUBSCRIBE is.
  expect(events).toHaveLength(1);
  subDevices.subscribeRefused?.({ sessionId: "gw/gate", subject: subjectOf(gateway), filter, refusal });
  expect(events.pop()).toBe("missing sub2");
  expect(await subDevices.login(gateway, [sub("sub1")])).toBe("ok");
  expect(forgotten).toEqual(["refusals gw/gate"]);
  expect(publish()).toMatchObject({ isRouted: true });
  expect(publish(other)).toMatchObject({ code: "access.sub_device_offline" });
  expect(subDevices.subscribe(subjectOf(gateway), alibabaDialect, "/pk/sub1/get", 1)).toEqual({ qos: 1 });
  // Its own rights, not all of its topics.
  expect(subDevices.subscribe(subjectOf(gateway), alibabaDialect, "/pk/sub1/update", 1)).toMatchObject({ code: "access.topic_direction" });
  const { isGateway: _isGateway, ...plain } = subjectOf(gateway);
  expect(subDevices.publish(plain, alibabaDialect, topic)).toBeUndefined();
  expect(subDevices.routeOf("pk", "sub1")).toMatchObject({ sessionId: "gw/gate", isConnected: true });
  expect(ports.registry.marks.at(-1)).toContain("online pk/sub1");
});

test("6.5 a logout is the gateway's own; 6.7 an end from this side is told before the rights go", async () => {
  await subDevices.login(gateway, [sub("sub1"), sub("sub2")]);
  const names = (deviceName: string) => ({ productKey: "pk", deviceName });
  expect(subDevices.logout(other, [names("sub1")])).toBe(false);
  expect(subDevices.logout(gateway, [names("sub1"), names("nobody")])).toBe(false);
  expect(subDevices.logout(gateway, [names("sub1")])).toBe(true);
  expect(subDevices.end(names("sub2"), "disabled")).toBe(true);
  expect(subDevices.end(names("sub2"), "disabled")).toBe(false);
  expect(events).toEqual(["opened sub1 192.0.2.7", "opened sub2 192.0.2.7", "logout sub1", "disabled sub2"]);
  expect(ports.registry.marks.filter((mark) => mark.startsWith("offline"))).toHaveLength(2);
});

test("6.3 another login ends the older session: over another gateway, and by the device itself", async () => {
  await subDevices.login(gateway, [sub("sub1")]);
  await subDevices.login(other, [sub("sub1")]);
  expect(events.filter((event) => event.startsWith("another_login"))).toEqual(["another_login sub1"]);
  expect(subDevices.routeOf("pk", "sub1")?.sessionId).toBe("gw/gate2");
  connected.add("pk/sub2");
  await subDevices.login(gateway, [sub("sub2")]);
  expect(connected.has("pk/sub2")).toBe(false);
  connect(sub("sub2").device);
  expect(subDevices.routeOf("pk", "sub2")).toBeUndefined();
});

test("6.5 a gateway takes its sub-devices with it, and a new connection of it begins without them", async () => {
  await subDevices.login(gateway, [sub("sub1")]);
  connected.delete("gw/gate");
  const event = { sessionId: "gw/gate", subject: subjectOf(gateway), facts, reason: "connection_closed" as const, lastPacketAt: 0 };
  subDevices.disconnected?.(event);
  expect(subDevices.routeOf("pk", "sub1")).toBeUndefined();
  expect(await subDevices.login(gateway, [sub("sub1")])).toBe("gateway_offline");
  connect(gateway);
  await subDevices.login(gateway, [sub("sub1")]);
  connect(gateway);
  expect(subDevices.routeOf("pk", "sub1")).toBeUndefined();
  expect(events.filter((each) => each === "gateway_offline sub1")).toHaveLength(2);
});

test("6 limits: sub-devices of a gateway, all or none; five logins of one in a minute", async () => {
  open({ subDevicesOnlineMax: 2 });
  expect(await subDevices.login(gateway, [sub("sub1"), sub("sub2"), sub("sub3")])).toBe("too_many");
  expect(subDevices.routeOf("pk", "sub1")).toBeUndefined();
  expect(await subDevices.login(gateway, [sub("sub1"), sub("sub2")])).toBe("ok");
  // One that is there already takes no further place.
  expect(await subDevices.login(gateway, [sub("sub1")])).toBe("ok");
  for (let login = 4; login <= 5; login++) expect(await subDevices.login(gateway, [sub("sub1")])).toBe("ok");
  expect(await subDevices.login(gateway, [sub("sub1")])).toBe("too_often");
  ports.clock.advance(60_000);
  expect(await subDevices.login(gateway, [sub("sub1")])).toBe("ok");
});

test("6.3 a sub-device that connects by itself is online", async () => {
  await subDevices.login(gateway, [sub("sub1")]);
  // As the observer tells it: first the registry, then these sessions.
  ports.registry.markOnline("pk", "sub1", 0, "");
  connect({ productKey: "pk", deviceName: "sub1", iotId: "iot-sub1" });
  expect(events.pop()).toBe("another_login sub1");
  expect(ports.registry.marks.at(-1)).toMatch(/^online pk\/sub1/);
});
