/** The whole way of a device through the real engine: no sockets, time told by the test. */
import { signConnect } from "@thingstead/dialects";
import {
  type ConnectPacket,
  createBroker,
  createMemoryJournal,
  createSinglePeer,
  decodePacket,
  encodePacket,
  Framer,
  type Packet,
  type Transport,
} from "@thingstead/mqtt";
import { expect, test } from "vitest";
import { device, facts, fakePorts, topicClass } from "./fake-ports.ts";
import { createGatekeeper } from "./gatekeeper.ts";
import { defaultAccessLimits } from "./limits.ts";
import { createObserver } from "./observer.ts";
import { createAccessWatcher } from "./watcher.ts";

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const triple = { productKey: "pk", deviceName: "dev1", deviceSecret: "secret", secureMode: 3 as const };

async function setUp() {
  const ports = fakePorts();
  const clock = Object.assign(ports.clock, { soon: (task: () => void) => void setImmediate(task) });
  const bugs: unknown[] = [];
  const broker = createBroker({
    gatekeeper: createGatekeeper(ports),
    observer: createObserver(ports),
    journal: createMemoryJournal(),
    peers: createSinglePeer(),
    clock,
    onBug: (...bug) => bugs.push(bug),
  });
  await broker.start();
  createAccessWatcher({ ...ports, broker, certificates: { list: async () => [], onRemoved: () => {} }, limits: defaultAccessLimits });

  async function client(credentials: { clientId: string; userName: string; password: string }, change: Partial<ConnectPacket> = {}) {
    const framer = new Framer({ packetBytesMax: 300_000 });
    const packets: Packet[] = [];
    let isOpen = true;
    const close = () => {
      if (!isOpen) return;
      isOpen = false;
      connection.closed();
    };
    const transport: Transport = {
      bufferedBytes: 0,
      pause() {},
      resume() {},
      end: close,
      destroy: close,
      write(bytes) {
        framer.push(bytes, (first, buffer, start, end) => {
          packets.push(structuredClone(decodePacket(first, buffer, start, end, 4)));
          return true;
        });
      },
    };
    const connection = broker.accept(transport, facts);
    const send = async (packet: Packet) => {
      connection.receive(encodePacket(packet, 4));
      for (let turn = 0; turn < 4; turn++) await settle();
      return packets.splice(0);
    };
    const { clientId, userName, password } = credentials;
    const connect: ConnectPacket = {
      type: "connect",
      protocolVersion: 4,
      clientId,
      userName,
      password: Buffer.from(password),
      isCleanStart: true,
      keepAliveSeconds: 60,
      ...change,
    };
    const [connack] = await send(connect);
    const subscribe = async (filter: string) => {
      const subscriptions = [{ filter, qos: 0 as const, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 as const }];
      const [suback] = await send({ type: "subscribe", packetId: 7, subscriptions });
      return suback?.type === "suback" ? suback.reasonCodes[0] : undefined;
    };
    const publish = (topic: string, text: string) =>
      send({ type: "publish", topic, payload: Buffer.from(text), qos: 1, isDuplicate: false, isRetained: false, packetId: 9 });
    return { returnCode: connack?.type === "connack" ? connack.reasonCode : undefined, subscribe, publish, packets, isOpen: () => isOpen };
  }

  return { ...ports, broker, client, bugs };
}

const codes = (log: { entries: { code: string }[] }) => log.entries.map(({ code }) => code);

test("3, 4.1 a device hears its own QoS 1 message on an ALL topic it subscribed with QoS 0", async () => {
  const { client, deviceLog, registry, bugs } = await setUp();
  const dev1 = await client(signConnect(triple));
  expect(dev1.returnCode).toBe(0);
  expect(await dev1.subscribe("/pk/dev1/data")).toBe(0);
  const answers = await dev1.publish("/pk/dev1/data", "message: hello! start!");
  expect(answers.map((packet) => packet.type).sort()).toEqual(["puback", "publish"]);
  expect(answers.find((packet) => packet.type === "publish")).toMatchObject({ topic: "/pk/dev1/data", qos: 1, isDuplicate: false });
  expect(registry.marks).toHaveLength(1);
  expect(codes(deviceLog)).toEqual(["device.connected", "device.subscribed", "message.received", "message.delivered"]);
  expect(bugs).toEqual([]);
});

test("3 a publish on a foreign topic is acknowledged, not processed, logged, and the device stays", async () => {
  const { client, deviceLog } = await setUp();
  const dev1 = await client(signConnect(triple));
  expect(await dev1.subscribe("/pk/dev2/get")).toBe(0x80);
  expect((await dev1.publish("/pk/dev2/update", "x")).map((packet) => packet.type)).toEqual(["puback"]);
  expect(dev1.isOpen()).toBe(true);
  expect(codes(deviceLog)).toEqual(["device.connected", "access.topic_foreign", "access.topic_foreign"]);
});

test("2.10 a wrong secret gets CONNACK 5, is closed and logged under the device", async () => {
  const { client, deviceLog } = await setUp();
  const dev1 = await client(signConnect({ ...triple, deviceSecret: "wrong" }));
  expect(dev1.returnCode).toBe(5);
  expect(dev1.isOpen()).toBe(false);
  expect(deviceLog.entries).toMatchObject([{ kind: "refuse", code: "access.signature_mismatch", productKey: "pk", deviceName: "dev1" }]);
});

test("1.1 one device with two client ids kicks itself and stays online; two devices with one do not", async () => {
  const { client, registry, deviceLog } = await setUp();
  registry.devices.push(device({ deviceName: "dev2", iotId: "2" }));
  const first = await client(signConnect({ ...triple, clientId: "a" }));
  const other = await client(signConnect({ ...triple, deviceName: "dev2", clientId: "a" }));
  const second = await client(signConnect({ ...triple, clientId: "b" }));
  expect([first.isOpen(), other.isOpen(), second.isOpen()]).toEqual([false, true, true]);
  expect(deviceLog.entries.some(({ reason }) => reason === "Kicked by the same device")).toBe(true);
  expect(registry.marks.filter((mark) => mark.startsWith("offline"))).toEqual([]);
});

test("a disabled device is cut at once and told why it cannot return", async () => {
  const { client, registry, deviceLog } = await setUp();
  const dev1 = await client(signConnect(triple));
  registry.devices = [device({ isEnabled: false })];
  registry.emit({ kind: "device.disabled", productKey: "pk", deviceName: "dev1", iotId: "i" });
  await settle();
  expect(dev1.isOpen()).toBe(false);
  expect(registry.marks.at(-1)).toContain("offline");
  expect(deviceLog.entries.at(-1)).toMatchObject({ kind: "disconnect", code: "access.device_disabled", isSuccess: false });
  expect((await client(signConnect(triple))).returnCode).toBe(5);
});

test("a removed topic class ends subscriptions, a new one works without a reconnect", async () => {
  const { client, registry, broker } = await setUp();
  const dev1 = await client(signConnect(triple));
  await dev1.subscribe("/pk/dev1/get");
  expect(await dev1.subscribe("/pk/dev1/new")).toBe(0x80);
  registry.classes = [topicClass("new", "SUB")];
  registry.emit({ kind: "topics.changed", productKey: "pk" });
  await settle();
  expect(broker.subscriptionsOf("pk/dev1")).toEqual([]);
  expect(broker.publish({ topic: "/pk/dev1/get", payload: Buffer.from("x"), qos: 0 }).delivered).toBe(0);
  expect(await dev1.subscribe("/pk/dev1/new")).toBe(0);
  expect(broker.publish({ topic: "/pk/dev1/new", payload: Buffer.from("x"), qos: 1 }).delivered).toBe(1);
});
