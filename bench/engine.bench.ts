/**
 * What the engine itself costs per message, in nanoseconds, without sockets: `node bench/engine.bench.ts`. A thousand
 * connections take turns, so that caches are as cold as in service; prints the best and the median of several rounds.
 */
import {
  type Clock,
  createBroker,
  createMemoryJournal,
  createObserver,
  createSinglePeer,
  type Gatekeeper,
  type SessionBehaviour,
  type SessionRights,
  type Transport,
} from "../packages/mqtt/src/index.ts";

const rounds = 25;
const turnsPerRound = 20;
const connectionsCount = 1_000;
const payloadBytes = 128;

let soon: (() => void)[] = [];
const clock: Clock = { now: () => Date.now(), after: () => () => {}, soon: (task) => void soon.push(task) };

function endTurn(): void {
  while (soon.length > 0) {
    const tasks = soon;
    soon = [];
    for (const task of tasks) task();
  }
}

const behaviour: SessionBehaviour = {
  qosMax: 2,
  onQosAboveMax: "disconnect",
  retain: "store",
  will: "publish",
  wildcards: true,
  sharedSubscriptions: true,
  deliveryQos: "minimum",
  onPublishRefused: "acknowledge",
  subscriptionsMax: 1000,
  filtersPerSubscribeMax: 100,
  receiveMaximum: 1000,
  inflightMax: 100,
  payloadBytesMax: 256 * 1024,
  topicBytesMax: 1024,
  topicAliasMax: 16,
  sessionExpirySecondsMax: 7 * 24 * 3600,
  queueMessagesMax: 10_000,
  queueBytesMax: 16 * 1024 * 1024,
  queueAgeSecondsMax: 7 * 24 * 3600,
};
const rights: SessionRights = { publish: () => ({ isRouted: true, taps: [] }), subscribe: (_filter, qos) => ({ qos }) };
const gatekeeper: Gatekeeper = {
  connect: async ({ clientId, keepAliveSeconds }) => ({ sessionId: clientId, rights, behaviour, keepAliveSeconds, subject: undefined }),
};

let bytesSent = 0;
class CountingTransport implements Transport {
  readonly bufferedBytes = 0;
  write(bytes: Uint8Array): void {
    bytesSent += bytes.length;
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

const text = (value: string) => Buffer.concat([Buffer.from([value.length >> 8, value.length & 0xff]), Buffer.from(value)]);
function packet(firstByte: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7];
  return Buffer.concat([Buffer.from([firstByte, ...length]), body]);
}

async function setUp(subscriptions: readonly { filter: string; qos: 0 | 1 }[], qos: 0 | 1) {
  const ports = { gatekeeper, journal: createMemoryJournal(), peers: createSinglePeer(), clock, observer: createObserver() };
  const broker = createBroker({
    ...ports,
    onBug: (error) => {
      throw error;
    },
  });
  await broker.start();
  const facts = { remoteAddress: "192.0.2.1", remotePort: 1, localPort: 1883, carrier: "tcp" } as const;
  const connect = async (clientId: string) => {
    const connection = broker.accept(new CountingTransport(), facts);
    connection.receive(packet(0x10, Buffer.from("00044d51545404020000", "hex"), text(clientId)));
    for (let wait = 0; wait < 10; wait++) await undefined;
    endTurn();
    return connection;
  };
  const subscribers = [];
  for (const [index, subscription] of subscriptions.entries()) {
    const connection = await connect(`subscriber-${index}`);
    connection.receive(packet(0x82, Buffer.from([0, 1]), text(subscription.filter), Buffer.from([subscription.qos])));
    subscribers.push(connection);
  }
  const publishers = [];
  for (let index = 0; index < connectionsCount; index++) {
    const parts = [text(`load/${index}/data`), Buffer.from(qos === 0 ? [] : [0, 1]), Buffer.alloc(payloadBytes, 0x61)];
    publishers.push({ connection: await connect(`publisher-${index}`), bytes: packet(0x30 | (qos << 1), ...parts) });
  }
  endTurn();
  return { publishers, subscribers };
}

function measure(name: string, work: () => number): void {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    const messages = work();
    samples.push(Number(process.hrtime.bigint() - start) / messages);
  }
  // The first rounds are the compiler's.
  const warm = samples.slice(8).sort((a, b) => a - b);
  const [best = 0] = warm;
  console.log(`${name.padEnd(60)} best ${best.toFixed(0).padStart(5)}  median ${(warm[warm.length >> 1] ?? 0).toFixed(0).padStart(5)} ns`);
}

const requests = await setUp([], 1);
measure("d: QoS 1 that nobody hears, acknowledged", () => {
  for (let turn = 0; turn < turnsPerRound; turn++) {
    for (const { connection, bytes } of requests.publishers) connection.receive(bytes, bytes.length);
    endTurn();
  }
  return turnsPerRound * connectionsCount;
});
const fanIn = await setUp([{ filter: "load/#", qos: 0 }], 0);
measure("a1: QoS 0 to one subscriber, one per read", () => {
  for (let turn = 0; turn < turnsPerRound; turn++) {
    for (const { connection, bytes } of fanIn.publishers) connection.receive(bytes, bytes.length);
    endTurn();
  }
  return turnsPerRound * connectionsCount;
});
const eight = fanIn.publishers.map(({ connection, bytes }) => ({
  connection,
  bytes: Buffer.concat(Array.from({ length: 8 }, () => bytes)),
}));
measure("a: QoS 0 to one subscriber, eight per read", () => {
  for (let turn = 0; turn < turnsPerRound; turn++) {
    for (const { connection, bytes } of eight) connection.receive(bytes, bytes.length);
    endTurn();
  }
  return turnsPerRound * connectionsCount * 8;
});
const fanOut = await setUp(
  Array.from({ length: 1000 }, () => ({ filter: "load/0/data", qos: 0 as const })),
  0,
);
const [speaker] = fanOut.publishers;
measure("c: QoS 0 to a thousand subscribers, per delivery", () => {
  if (speaker === undefined) return 1;
  for (let turn = 0; turn < turnsPerRound; turn++) {
    speaker.connection.receive(speaker.bytes, speaker.bytes.length);
    endTurn();
  }
  return turnsPerRound * 1000;
});
const pairs = await setUp(
  Array.from({ length: 50 }, (_, index) => ({ filter: `load/${index}/data`, qos: 1 as const })),
  1,
);
const acknowledgement = Buffer.from([0x40, 2, 0, 0]);
let packetId = 0;
measure("b: QoS 1 in pairs, acknowledged both ways, sixteen per read", () => {
  for (let turn = 0; turn < turnsPerRound; turn++) {
    for (let index = 0; index < 50; index++) {
      const publisher = pairs.publishers[index];
      for (let repeat = 0; repeat < 16; repeat++) publisher?.connection.receive(publisher.bytes, publisher.bytes.length);
    }
    endTurn();
    for (let repeat = 0; repeat < 16; repeat++) {
      packetId = (packetId % 65_535) + 1;
      acknowledgement.writeUInt16BE(packetId, 2);
      for (const subscriber of pairs.subscribers) subscriber.receive(acknowledgement, 4);
    }
    endTurn();
  }
  return turnsPerRound * 50 * 16;
});
console.log(`(checksum ${bytesSent})`);
