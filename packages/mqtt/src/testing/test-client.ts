import type { Broker, Connection } from "../broker.ts";
import {
  type ConnackPacket,
  type ConnectPacket,
  decodePacket,
  encodePacket,
  Framer,
  type Packet,
  type Properties,
  type ProtocolVersion,
  type PublishPacket,
  type QoS,
  type Subscription,
} from "../codec/index.ts";
import { type FakeClock, settlePromises } from "./fake-clock.ts";
import { testFacts } from "./test-broker.ts";
import { TestTransport } from "./test-transport.ts";

/** A client that does nothing by itself: a test says what it sends and reads what came. */
export class TestClient {
  readonly transport = new TestTransport();
  readonly connection: Connection;
  readonly #clock: FakeClock;
  readonly #framer = new Framer({ packetBytesMax: 268_435_460 });
  #version: ProtocolVersion = 4;
  #packetId = 0;

  constructor(broker: Broker, clock: FakeClock) {
    this.#clock = clock;
    this.connection = broker.accept(this.transport, testFacts);
    this.transport.onClosed = () => this.connection.closed();
  }

  get isClosed(): boolean {
    return this.transport.isEnded || this.transport.isDestroyed;
  }

  /** Sends bytes and ends the turn. */
  sendBytes(bytes: Uint8Array): void {
    this.connection.receive(bytes);
    this.#clock.endTurn();
  }

  /** What the server has decided meanwhile leaves. */
  endTurn(): void {
    this.#clock.endTurn();
  }

  send(packet: Packet): void {
    if (packet.type === "connect") this.#version = packet.protocolVersion;
    this.sendBytes(encodePacket(packet, this.#version));
  }

  /** Everything that came since the last call. */
  packets(): Packet[] {
    const packets: Packet[] = [];
    const { received } = this.transport;
    this.transport.received = [];
    for (const bytes of received) {
      this.#framer.push(bytes, (firstByte, buffer, start, end) => {
        packets.push(structuredClone(decodePacket(firstByte, buffer, start, end, this.#version)));
        return true;
      });
    }
    return packets;
  }

  publishes(): PublishPacket[] {
    return this.packets().filter((packet) => packet.type === "publish");
  }

  texts(): string[] {
    return this.publishes().map((packet) => Buffer.from(packet.payload).toString());
  }

  async connect(clientId: string, options: Partial<ConnectPacket> = {}): Promise<ConnackPacket> {
    this.send({ type: "connect", protocolVersion: 4, clientId, isCleanStart: true, keepAliveSeconds: 0, ...options });
    // The gatekeeper's answer, then the commit of a session that is kept.
    for (let turn = 0; turn < 3; turn += 1) {
      await settlePromises();
      this.#clock.endTurn();
    }
    // What follows the CONNACK stays for the test to read.
    const packets = this.packets();
    const connack = packets.shift();
    if (connack?.type !== "connack") throw new Error(`expected CONNACK, got ${connack?.type ?? "nothing"}`);
    this.transport.received.unshift(...packets.map((packet) => encodePacket(packet, this.#version)));
    return connack;
  }

  subscribe(filter: string, qos: QoS = 0, options: Partial<Subscription> = {}, properties?: Properties): number {
    this.#packetId += 1;
    const subscription = { filter, qos, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 as const, ...options };
    const packetId = this.#packetId;
    this.send({ type: "subscribe", packetId, subscriptions: [subscription], ...(properties === undefined ? {} : { properties }) });
    const packets = this.packets();
    const suback = packets.shift();
    if (suback?.type !== "suback" || suback.packetId !== packetId) throw new Error(`expected SUBACK, got ${suback?.type ?? "nothing"}`);
    this.transport.received.unshift(...packets.map((packet) => encodePacket(packet, this.#version)));
    return suback.reasonCodes[0] ?? -1;
  }

  publish(topic: string, text: string, qos: QoS = 0, options: Partial<PublishPacket> = {}): void {
    this.#packetId += 1;
    const identity = qos === 0 ? {} : { packetId: this.#packetId };
    this.send({ type: "publish", topic, payload: Buffer.from(text), qos, isDuplicate: false, isRetained: false, ...identity, ...options });
  }

  /** The stream breaks without a DISCONNECT. */
  drop(): void {
    this.transport.destroy();
    this.#clock.endTurn();
  }
}
