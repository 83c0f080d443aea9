/** Statements of the standard as bytes on the wire, at both protocol versions. */
import { expect, test } from "vitest";
import type { ConnectPacket, ProtocolVersion } from "../codec/index.ts";
import type { Gatekeeper } from "../ports.ts";
import { settlePromises } from "../testing/fake-clock.ts";
import { TestBroker } from "../testing/test-broker.ts";
import type { TestClient } from "../testing/test-client.ts";

const versions = [4, 5] as const;
const v5 = { protocolVersion: 5 as const };
const kept = { isCleanStart: false, properties: { sessionExpiryIntervalSeconds: 600 } };
const isNotUtf8 = "c328";

const text = (value: string): string => {
  const bytes = Buffer.from(value);
  return `${bytes.length.toString(16).padStart(4, "0")}${bytes.toString("hex")}`;
};

/** A packet of a first byte and a body in hex. */
function packet(firstByte: string, ...body: string[]): Buffer {
  const bytes = Buffer.from(body.join(""), "hex");
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from(firstByte, "hex"), Buffer.from(length), bytes]);
}

/** CONNECT as bytes: the flags in hex, the payload's fields in hex. */
const connectBytes = (version: 4 | 5, flags: string, ...payload: string[]): Buffer =>
  packet("10", text("MQTT"), `0${version}`, flags, "0000", version === 5 ? "00" : "", ...payload);

/** A broker that keeps what its gatekeeper was shown. */
async function watched(): Promise<{ world: TestBroker; shown: ConnectPacket[] }> {
  const shown: ConnectPacket[] = [];
  const admitting = new TestBroker().gatekeeper;
  const gatekeeper: Gatekeeper = {
    connect(connectPacket, facts) {
      shown.push(structuredClone(connectPacket));
      return admitting.connect(connectPacket, facts);
    },
  };
  return { world: await new TestBroker({ gatekeeper }).start(), shown };
}

async function settle(world: TestBroker): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    await settlePromises();
    world.clock.endTurn();
  }
}

async function connected(version: ProtocolVersion): Promise<{ world: TestBroker; client: TestClient; other: TestClient }> {
  const world = await new TestBroker({ behaviour: { topicBytesMax: 65_535 } }).start();
  const [client, other] = [world.open(), world.open()];
  await client.connect("client", { protocolVersion: version });
  await other.connect("other", { protocolVersion: version });
  return { world, client, other };
}

/** The connection ends; MQTT 5 is told by DISCONNECT, 3.1.1 has no such packet. */
function expectEnd(client: TestClient, version: ProtocolVersion, reasonCode: number): void {
  expect(client.isClosed).toBe(true);
  expect(client.packets()).toMatchObject(version === 5 ? [{ type: "disconnect", reasonCode }] : []);
}

const user = text("user");
const secret = text("secret");
const id = text("id");

test.each([
  [4, "[MQTT-3.1.2-16] [MQTT-3.1.2-18] neither", "02", [id], undefined, undefined],
  [5, "[MQTT-3.1.2-16] [MQTT-3.1.2-18] neither", "02", [id], undefined, undefined],
  [4, "[MQTT-3.1.2-17] a user name", "82", [id, user], "user", undefined],
  [5, "[MQTT-3.1.2-17] a user name", "82", [id, user], "user", undefined],
  [4, "[MQTT-3.1.2-19] both", "c2", [id, user, secret], "user", "secret"],
  [5, "[MQTT-3.1.2-19] both", "c2", [id, user, secret], "user", "secret"],
  [5, "[MQTT-3.1.2-19] 5.0: a password alone", "42", [id, secret], undefined, "secret"],
] as const)("level %i: what the flags announce is read: %s", async (version, _name, flags, payload, userName, password) => {
  const { world, shown } = await watched();
  const client = world.open();
  client.sendBytes(connectBytes(version, flags, ...payload));
  await settle(world);
  expect(client.isClosed).toBe(false);
  expect(shown.map((seen) => [seen.clientId, seen.userName, seen.password && Buffer.from(seen.password).toString()])).toEqual([
    ["id", userName, password],
  ]);
});

test.each([
  [4, "[MQTT-3.1.2-16] a user name without its flag", "02", [id, user]],
  [5, "[MQTT-3.1.2-16] a user name without its flag", "02", [id, user]],
  [4, "[MQTT-3.1.2-17] the flag without a user name", "82", [id]],
  [5, "[MQTT-3.1.2-17] the flag without a user name", "82", [id]],
  [4, "[MQTT-3.1.2-18] a password without its flag", "82", [id, user, secret]],
  [5, "[MQTT-3.1.2-18] a password without its flag", "82", [id, user, secret]],
  [4, "[MQTT-3.1.2-19] the flag without a password", "c2", [id, user]],
  [5, "[MQTT-3.1.2-19] the flag without a password", "c2", [id, user]],
  [4, "[3.1.1 MQTT-3.1.2-22] a password without a user name", "42", [id, secret]],
  [4, "[MQTT-3.1.3-3] no client id", "02", []],
  [5, "[MQTT-3.1.3-3] no client id", "02", []],
  [4, "[MQTT-3.1.3-4] a client id that is no UTF-8", "02", ["0002", isNotUtf8]],
  [5, "[MQTT-3.1.3-4] a client id that is no UTF-8", "02", ["0002", isNotUtf8]],
  [4, "[MQTT-3.1.3-12] a user name that is no UTF-8", "82", [id, "0002", isNotUtf8]],
  [5, "[MQTT-3.1.3-12] a user name that is no UTF-8", "82", [id, "0002", isNotUtf8]],
  [4, "[MQTT-3.1.4-1] a reserved flag", "03", [id]],
  [5, "[MQTT-3.1.4-1] a reserved flag", "03", [id]],
] as const)("level %i: CONNECT that breaks a rule reaches no gatekeeper and ends: %s", async (version, _name, flags, payload) => {
  const { world, shown } = await watched();
  const client = world.open();
  client.sendBytes(connectBytes(version, flags, ...payload));
  await settle(world);
  expect(shown).toEqual([]);
  expect(client.isClosed).toBe(true);
  const answers = Buffer.concat(client.transport.received);
  // Nothing, or a refusing CONNACK: never an accepting one.
  if (answers.length > 0) expect([answers[0], answers[3]]).toEqual([0x20, version === 5 ? 0x81 : expect.not.stringMatching("^0$")]);
  expect(world.named("refused")).toHaveLength(1);
  expect(world.broker.statistics()).toMatchObject({ sessions: 0, connections: 0 });
});

test("[MQTT-3.1.3-1] the fields of the payload are read in their order", async () => {
  for (const version of versions) {
    const { world, shown } = await watched();
    world.open().sendBytes(connectBytes(version, "ce", id, version === 5 ? "00" : "", text("will/topic"), text("will"), user, secret));
    await settle(world);
    expect(shown).toMatchObject([{ clientId: "id", will: { topic: "will/topic", qos: 1 }, userName: "user" }]);
    expect(Buffer.from(shown[0]?.will?.payload ?? []).toString()).toBe("will");
    expect(Buffer.from(shown[0]?.password ?? []).toString()).toBe("secret");
  }
});

test.each(versions)("[MQTT-3.2.0-1] level %i: CONNACK comes before everything that waited", async (protocolVersion) => {
  const world = await new TestBroker().start();
  const reader = world.open();
  await reader.connect("reader", { protocolVersion, ...kept });
  reader.subscribe("t", 1);
  reader.drop();
  const writer = world.open();
  await writer.connect("writer", { protocolVersion });
  writer.publish("t", "waited", 1);
  const again = world.open();
  again.send({ type: "connect", protocolVersion, clientId: "reader", keepAliveSeconds: 0, ...kept });
  await settle(world);
  expect(again.packets().map(({ type }) => type)).toEqual(["connack", "publish"]);
});

test.each(versions)(
  "[MQTT-3.1.2-10] level %i: a will that was published or taken back does not come a second time",
  async (protocolVersion) => {
    const world = await new TestBroker().start();
    const watcher = world.open();
    await watcher.connect("watcher");
    watcher.subscribe("w");
    const will = { topic: "w", payload: Buffer.from("gone"), qos: 0 as const, isRetained: false };
    const one = world.open();
    await one.connect("one", { protocolVersion, ...kept, will });
    one.drop();
    await settle(world);
    expect(watcher.texts()).toEqual(["gone"]);
    const again = world.open();
    await again.connect("one", { protocolVersion, ...kept });
    again.drop();
    await settle(world);
    const third = world.open();
    await third.connect("one", { protocolVersion, ...kept, will });
    third.send({ type: "disconnect", reasonCode: 0 });
    third.drop();
    await settle(world);
    const fourth = world.open();
    await fourth.connect("one", { protocolVersion, ...kept });
    fourth.drop();
    await settle(world);
    expect(watcher.texts()).toEqual([]);
  },
);

test("[MQTT-3.1.2-7] [MQTT-3.1.3-10] a will is kept with its session until it is due, its user properties in their order", async () => {
  const world = await new TestBroker().start();
  const watcher = world.open();
  await watcher.connect("watcher", v5);
  watcher.subscribe("w");
  const userProperties: [string, string][] = [
    ["b", "1"],
    ["a", "2"],
    ["b", "3"],
  ];
  const properties = { willDelayIntervalSeconds: 10, userProperties };
  const one = world.open();
  await one.connect("one", {
    ...v5,
    ...kept,
    will: { topic: "w", payload: Buffer.from("gone"), qos: 0, isRetained: false, properties },
  });
  one.drop();
  world.clock.advance(9_000);
  await settle(world);
  expect(watcher.packets()).toEqual([]);
  world.clock.advance(2_000);
  await settle(world);
  expect(watcher.publishes()).toMatchObject([{ topic: "w", properties: { userProperties } }]);
});

test.each(versions)(
  "[MQTT-3.3.5-2] level %i: a publish that is not allowed is acknowledged and goes nowhere, or ends the connection",
  async (level) => {
    for (const onPublishRefused of ["acknowledge", "disconnect"] as const) {
      const plain = new TestBroker({ behaviour: { onPublishRefused } }).gatekeeper;
      const gatekeeper: Gatekeeper = {
        async connect(connectPacket, facts) {
          const admission = await plain.connect(connectPacket, facts);
          if (!("rights" in admission)) return admission;
          return { ...admission, rights: { ...admission.rights, publish: () => ({ code: "access.not_allowed" }) } };
        },
      };
      const world = await new TestBroker({ gatekeeper }).start();
      const [reader, writer] = [world.open(), world.open()];
      await reader.connect("reader");
      reader.subscribe("#");
      await writer.connect("writer", { protocolVersion: level });
      writer.publish("t", "x", 1, { packetId: 9 });
      await settle(world);
      expect(reader.packets()).toEqual([]);
      expect(writer.isClosed).toBe(onPublishRefused === "disconnect");
      const [answer] = writer.packets();
      // MQTT 5 is told the reason in either case; 3.1.1 could only be told a success.
      if (level === 5) expect(answer).toMatchObject({ type: "puback", packetId: 9, reasonCode: 0x87 });
      else if (onPublishRefused === "acknowledge") expect(answer).toMatchObject({ type: "puback", packetId: 9 });
      else expect(answer).toBeUndefined();
    }
  },
);

test.each(versions)("[MQTT-4.7.3-3] level %i: a topic of 65,535 bytes is a topic", async (version) => {
  const { client, other } = await connected(version);
  const topic = "ü".repeat(32_767).concat("x");
  expect(Buffer.byteLength(topic)).toBe(65_535);
  expect(client.subscribe(topic)).toBe(0);
  other.publish(topic, "far");
  expect(client.publishes()).toMatchObject([{ topic }]);
});

const properties = (version: number, ...hex: string[]): string => {
  if (version < 5) return "";
  const length = hex.join("").length / 2;
  return `${length.toString(16).padStart(2, "0")}${hex.join("")}`;
};

const broken: readonly (readonly [string, (version: 4 | 5) => Buffer, reasonCode: number, only5?: "5"])[] = [
  ["[MQTT-3.8.3-1] a filter that is no UTF-8", (v) => packet("82", "0001", properties(v), "0002", isNotUtf8, "00"), 0x81],
  ["[MQTT-3.10.3-1] the same to UNSUBSCRIBE", (v) => packet("a2", "0001", properties(v), "0002", isNotUtf8), 0x81],
  ["[MQTT-4.7.3-2] a topic with U+0000", (v) => packet("30", "0003", "610062", properties(v), "78"), 0x81],
  ["[MQTT-4.7.3-2] a filter with U+0000", (v) => packet("82", "0001", properties(v), "0003", "610062", "00"), 0x81],
  ["[MQTT-3.14.1-1] reserved bits of DISCONNECT", () => packet("e1"), 0x81],
  ["[MQTT-3.15.1-1] flags of AUTH", () => packet("f1"), 0x81, "5"],
  [
    "[MQTT-1.5.7-1] a key of a pair that is no UTF-8",
    (v) => packet("30", text("t"), properties(v, "26", "0002", isNotUtf8, "0001", "78")),
    0x81,
    "5",
  ],
  [
    "[MQTT-1.5.7-1] a value of a pair that is no UTF-8",
    (v) => packet("30", text("t"), properties(v, "26", "0001", "78", "0002", isNotUtf8)),
    0x81,
    "5",
  ],
  ["[MQTT-3.3.2-13] a response topic that is no UTF-8", (v) => packet("30", text("t"), properties(v, "08", "0002", isNotUtf8)), 0x81, "5"],
  ["[MQTT-3.3.2-19] a content type that is no UTF-8", (v) => packet("30", text("t"), properties(v, "03", "0002", isNotUtf8)), 0x81, "5"],
  ["[MQTT-4.13.1-1] a truncated PUBLISH", () => packet("32", "0004", "61"), 0x81],
  ["[MQTT-4.13.1-1] a packet type that is reserved", () => packet("00"), 0x81],
  ["[MQTT-4.13.2-1] a packet of the server's", () => packet("d0"), 0x82],
];

for (const version of versions) {
  for (const [name, bytes, reasonCode, only5] of broken) {
    if (only5 !== undefined && version < 5) continue;
    test(`[MQTT-4.8.0-1] level ${version}: ${name} ends that connection with its will, and no other`, async () => {
      const { world, other } = await connected(version);
      other.subscribe("w");
      const client = world.open();
      const will = { topic: "w", payload: Buffer.from("gone"), qos: 0 as const, isRetained: false };
      await client.connect("broken", { protocolVersion: version, will });
      // What comes behind it in the same read is not looked at.
      client.sendBytes(Buffer.concat([bytes(version), packet("30", text("w"), properties(version), "78")]));
      expectEnd(client, version, reasonCode);
      await settle(world);
      expect(other.isClosed).toBe(false);
      expect(other.texts()).toEqual(["gone"]);
    });
  }
}

test("[MQTT-2.2.2-1] no properties are a length of zero", async () => {
  const { client, other } = await connected(5);
  client.subscribe("t", 0);
  other.publish("t", "x");
  expect(Buffer.concat(client.transport.received).toString("hex")).toBe(packet("30", text("t"), "00", "78").toString("hex"));
});

test("[MQTT-3.2.2-21] the keep-alive of the server is counted, not the client's", async () => {
  const world = await new TestBroker({ admission: { keepAliveSeconds: 30 } }).start();
  const client = world.open();
  expect((await client.connect("one", { ...v5, keepAliveSeconds: 1000 })).properties).toMatchObject({ serverKeepAliveSeconds: 30 });
  world.clock.advance(40_000);
  expect(client.isClosed).toBe(false);
  world.clock.advance(20_000);
  expectEnd(client, 5, 0x8d);
});

test("[MQTT-3.2.2-19] [MQTT-3.2.2-20] a refusing CONNACK stays within the client's maximum, its words left out before it", async () => {
  const gatekeeper: Gatekeeper = {
    connect: async () => ({ code: "access.bad", received: "something long", expected: "something else", returnCode: 5, reasonCode: 0x87 }),
  };
  for (const maximumPacketSizeBytes of [undefined, 5, 20]) {
    const world = await new TestBroker({ gatekeeper }).start();
    const client = world.open();
    const limits = maximumPacketSizeBytes === undefined ? {} : { maximumPacketSizeBytes };
    client.send({ type: "connect", ...v5, clientId: "one", isCleanStart: true, keepAliveSeconds: 0, properties: limits });
    await settle(world);
    expect(Buffer.concat(client.transport.received).length).toBeLessThanOrEqual(maximumPacketSizeBytes ?? 1000);
    expect(client.packets()).toMatchObject([{ type: "connack", reasonCode: 0x87 }]);
  }
});

test("[MQTT-3.3.2-11] aliases towards a client stay within what it takes", async () => {
  const world = await new TestBroker().start();
  const [reader, writer] = [world.open(), world.open()];
  await reader.connect("reader", { ...v5, properties: { topicAliasMaximum: 2 } });
  await writer.connect("writer");
  reader.subscribe("t/#");
  for (const topic of ["t/1", "t/2", "t/3", "t/1", "t/2", "t/3", "t/1", "t/2", "t/3"]) writer.publish(`${topic}/of-some-length`, "x");
  const aliases = reader.publishes().map((publish) => publish.properties?.topicAlias ?? 0);
  expect(aliases.some((alias) => alias > 0)).toBe(true);
  expect(Math.max(...aliases)).toBeLessThanOrEqual(2);
});

test("[MQTT-3.8.4-4] the same filter again brings retained messages by its retain handling", async () => {
  const { client, other } = await connected(5);
  other.publish("r", "kept", 0, { isRetained: true });
  const texts = (retainHandling: 0 | 1 | 2): string[] => {
    client.subscribe("r", 0, { retainHandling });
    return client.texts();
  };
  expect([texts(2), texts(1), texts(0), texts(0), texts(1), texts(2)]).toEqual([[], [], ["kept"], ["kept"], [], []]);
});

test.each(["$share/g", "$share/g/", "$share//t", "$share/g+/t"])(
  "[MQTT-4.8.2-1] [MQTT-4.8.2-2] %s is no shared subscription",
  async (filter) => {
    const { world } = await connected(5);
    const client = world.open();
    await client.connect("sharer", v5);
    client.sendBytes(packet("82", "0001", "00", text(filter), "00"));
    const [answer] = client.packets();
    const refusal = answer?.type === "suback" ? answer.reasonCodes[0] : answer?.type === "disconnect" ? answer.reasonCode : 0;
    expect(refusal).toBeGreaterThanOrEqual(0x80);
    expect(world.broker.subscriptionsOf("sharer")).toEqual([]);
  },
);

test("[MQTT-4.2.0-1] where the stream is cut makes no difference", async () => {
  const bytes = Buffer.concat([
    packet("82", "0001", text("s/+"), "01"),
    packet("32", text("s/1"), "0002", Buffer.from("x".repeat(300)).toString("hex")),
    packet("c0"),
  ]);
  const answers: string[] = [];
  for (const pieceBytes of [1, 2, 3, 7, 64, bytes.length]) {
    const { client } = await connected(4);
    for (let start = 0; start < bytes.length; start += pieceBytes) client.sendBytes(bytes.subarray(start, start + pieceBytes));
    answers.push(Buffer.concat(client.transport.received).toString("hex"));
  }
  expect(new Set(answers).size).toBe(1);
  expect(answers[0]).toContain("d000");
});
