import { signConnect } from "@thingstead/dialects";
import { expect, test } from "vitest";
import { connectPacket, facts, fakePorts } from "./fake-ports.ts";
import { createGatekeeper } from "./gatekeeper.ts";
import { createObserver } from "./observer.ts";

async function observed() {
  const ports = fakePorts();
  const observer = createObserver(ports);
  const { clientId, userName, password } = signConnect({ productKey: "pk", deviceName: "dev1", deviceSecret: "secret", secureMode: 3 });
  const admission = await createGatekeeper(ports).connect(connectPacket({ clientId, userName, password: Buffer.from(password) }), facts);
  if (!("sessionId" in admission)) throw new Error(admission.code);
  const { sessionId, subject } = admission;
  const connect = () =>
    observer.connected({ sessionId, subject, facts, clientId, protocolVersion: 4, keepAliveSeconds: 60, isSessionPresent: false });
  const disconnect = (reason: Parameters<typeof observer.disconnected>[0]["reason"]) =>
    observer.disconnected({ sessionId, subject, facts, reason, lastPacketAt: 0 });
  return { ...ports, observer, sessionId, subject, connect, disconnect };
}

test.each([
  ["client_disconnect", "Device disconnect"],
  ["connection_closed", "Connection reset by peer"],
  ["keep_alive_timeout", "Keepalive timeout"],
  ["protocol_error", "Connection occurs exception"],
] as const)("3 %s is logged as %s and the device is offline", async (reason, words) => {
  const { registry, deviceLog, connect, disconnect } = await observed();
  connect();
  disconnect(reason);
  expect(registry.marks.map((mark) => mark.split(" ")[0])).toEqual(["online", "offline"]);
  expect(deviceLog.entries.at(-1)).toMatchObject({ kind: "disconnect", reason: words, productKey: "pk", deviceName: "dev1" });
});

test("3 a takeover ends online in either order of its events", async () => {
  for (const order of ["old first", "new first"]) {
    const { registry, deviceLog, connect, disconnect } = await observed();
    connect();
    if (order === "new first") connect();
    disconnect("taken_over");
    if (order === "old first") connect();
    expect(registry.marks.at(-1)).toContain("online pk/dev1");
    expect(deviceLog.entries.some(({ reason }) => reason === "Kicked by the same device")).toBe(true);
    disconnect("client_disconnect");
    expect(registry.marks.at(-1)).toContain("offline pk/dev1");
  }
});

test("an old connection that only breaks after the new one came leaves the device online", async () => {
  const { registry, connect, disconnect } = await observed();
  connect();
  connect();
  disconnect("connection_closed");
  expect(registry.marks.at(-1)).toContain("online");
});

test("a refusal names the device it was about, its reason and what came", async () => {
  const { observer, deviceLog } = await observed();
  observer.refused({ facts, clientId: "c|", userName: "dev1&pk", refusal: { code: "access.device_unknown", received: "pk/dev1" } });
  observer.refused({ facts, refusal: { code: "mqtt.not_in_the_table" } });
  expect(deviceLog.entries).toMatchObject([
    { kind: "refuse", code: "access.device_unknown", productKey: "pk", deviceName: "dev1", reason: expect.stringContaining("pk/dev1") },
    { kind: "refuse", code: "mqtt.not_in_the_table", isSuccess: false },
  ]);
});

test("a rule of MQTT that was broken is told in words, with its clause", async () => {
  const { observer, sessionId, subject, deviceLog } = await observed();
  const refusal = { code: "mqtt.qos_not_supported", received: "QoS 2", expected: "[MQTT-3.2.2-11] at most QoS 1" };
  observer.disconnected({ sessionId, subject, facts, reason: "protocol_error", refusal, lastPacketAt: 0 });
  expect(deviceLog.entries.at(-1)).toMatchObject({
    ...refusal,
    kind: "disconnect",
    reason: "Connection occurs exception: This QoS is not supported: QoS 2; expected [MQTT-3.2.2-11] at most QoS 1.",
  });
});

test("hot-path events are built only when the log wants them", async () => {
  const { observer, sessionId, subject, deviceLog } = await observed();
  observer.published(sessionId, subject, "/pk/dev1/update", 1, 2);
  observer.delivered(sessionId, subject, "/pk/dev1/get", 0, 3);
  observer.publishRefused({ sessionId, subject, topic: "/pk/x/y", qos: 1, refusal: { code: "access.topic_foreign" } });
  deviceLog.isWanted = false;
  observer.published(sessionId, subject, "/pk/dev1/update", 1, 2);
  observer.publishRefused({ sessionId, subject, topic: "/pk/x/y", qos: 1, refusal: { code: "access.topic_foreign" } });
  observer.dropped({ sessionId, topic: "/pk/dev1/get", qos: 1, reason: "queue_full" });
  expect(deviceLog.entries.map(({ kind, code }) => `${kind} ${code}`)).toEqual([
    "publish message.received",
    "deliver message.delivered",
    "publish access.topic_foreign",
    "drop message.dropped_queue_full",
  ]);
});
