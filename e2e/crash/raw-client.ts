/**
 * A client that keeps its session state by the letter of the standard and shows what libraries hide: DUP, packet identifiers,
 * session present. Bytes are made and read by mqtt-packet, which is none of ours.
 */
import { connect, type Socket } from "node:net";
import mqttPacket, { type IPublishPacket, type Packet } from "mqtt-packet";
import { type History, type Published, parsePayload, payloadOf } from "./history.ts";

const reconnectMilliseconds = 40;
const silenceMilliseconds = 5_000;

interface Outgoing {
  published: Published;
  isReleased: boolean;
}

export interface RawClientOptions {
  name: string;
  port: number;
  history: History;
  protocolVersion: 4 | 5;
  /** Subscribed once, at the first connection. */
  filter?: { filter: string; qos: 1 | 2 };
  /** How long an acknowledgement of a delivery waits. */
  ackDelay?: () => number;
}

export class RawClient {
  readonly #options: RawClientOptions;
  #socket: Socket | undefined;
  #isStopped = false;
  #isActive = false;
  #connections = 0;
  #wasSubscribed = false;
  #packetId = 0;
  /** In the order of the publishes. [MQTT-4.6.0-1] */
  readonly #outgoing = new Map<number, Outgoing>();
  /** QoS 2 deliveries not yet released. */
  readonly #received = new Set<number>();
  #onReady: () => void = () => {};

  constructor(options: RawClientOptions) {
    this.#options = options;
  }

  get unanswered(): number {
    return this.#outgoing.size;
  }

  get isConnected(): boolean {
    return this.#isActive;
  }

  /** Resolves when it is connected (and subscribed) for the first time; it then comes back by itself until stopped. */
  start(): Promise<void> {
    this.#isStopped = false;
    return new Promise((resolve) => {
      this.#onReady = resolve;
      this.#open();
    });
  }

  /** Breaks off without a word. */
  stop(): void {
    this.#isStopped = true;
    this.#socket?.destroy();
  }

  publish(published: Published): void {
    do this.#packetId = (this.#packetId % 0xffff) + 1;
    while (this.#outgoing.has(this.#packetId));
    const outgoing = { published, isReleased: false };
    this.#outgoing.set(this.#packetId, outgoing);
    if (this.#isActive) this.#transmit(this.#packetId, outgoing, false);
  }

  #open(): void {
    const socket = connect({ port: this.#options.port, host: "127.0.0.1", noDelay: true });
    const parser = mqttPacket.parser({ protocolVersion: this.#options.protocolVersion });
    this.#socket = socket;
    parser.on("packet", (packet) => this.#take(packet));
    parser.on("error", (error) => socket.destroy(error));
    socket.setTimeout(silenceMilliseconds);
    socket.on("timeout", () => socket.destroy());
    socket.on("connect", () => this.#send(this.#connectPacket()));
    socket.on("data", (bytes) => void parser.parse(bytes));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isActive = false;
      if (!this.#isStopped) setTimeout(() => this.#isStopped || this.#open(), reconnectMilliseconds);
    });
  }

  #connectPacket(): Packet {
    const { name, protocolVersion } = this.#options;
    return {
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion,
      clientId: name,
      clean: false,
      keepalive: 0,
      ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {}),
    };
  }

  #take(packet: Packet): void {
    switch (packet.cmd) {
      case "connack":
        this.#greet(packet.sessionPresent);
        return;
      case "suback":
        this.#wasSubscribed = true;
        this.#onReady();
        return;
      case "publish":
        this.#deliver(packet);
        return;
      case "puback":
      case "pubcomp":
        this.#settle(packet.messageId ?? 0);
        return;
      case "pubrel": {
        const messageId = packet.messageId ?? 0;
        this.#received.delete(messageId);
        this.#later({ cmd: "pubcomp", messageId });
        return;
      }
      case "pubrec":
        this.#release(packet.messageId ?? 0);
    }
  }

  #greet(isSessionPresent: boolean): void {
    const { name, history, filter } = this.#options;
    this.#connections += 1;
    this.#isActive = true;
    // Before SUBACK, or an answer that never came, there may rightly be no session.
    if (this.#connections > 1 && (filter === undefined || this.#wasSubscribed))
      history.reconnected.push({ client: name, isSessionPresent });
    if (filter !== undefined && !this.#wasSubscribed) {
      this.#send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: filter.filter, qos: filter.qos }] });
    } else this.#onReady();
    // [MQTT-4.4.0-1] What was not answered goes again, under its identifier, in its order.
    for (const [packetId, outgoing] of this.#outgoing) {
      if (outgoing.isReleased) this.#send({ cmd: "pubrel", messageId: packetId });
      else this.#transmit(packetId, outgoing, outgoing.published.transmissions > 0);
    }
  }

  #transmit(messageId: number, { published }: Outgoing, dup: boolean): void {
    published.transmissions += 1;
    const { topic, qos, isRetained: retain } = published;
    this.#send({ cmd: "publish", topic, payload: payloadOf(published), qos, dup, retain, messageId });
  }

  #deliver({ topic, payload, qos, dup, messageId = 0 }: IPublishPacket): void {
    const { history, name } = this.#options;
    const isKnown = qos === 2 && this.#received.has(messageId);
    if (!isKnown) {
      const delivery = { subscriber: name, topic, qos, isDuplicate: dup, connection: this.#connections };
      history.delivered.push({ ...delivery, ...parsePayload(Buffer.from(payload)) });
    }
    if (qos === 2) this.#received.add(messageId);
    if (qos > 0) this.#later({ cmd: qos === 1 ? "puback" : "pubrec", messageId });
  }

  #release(messageId: number): void {
    const outgoing = this.#outgoing.get(messageId);
    if (outgoing === undefined) return;
    // From PUBREC on the server has it.
    outgoing.published.isAcknowledged = true;
    outgoing.isReleased = true;
    this.#send({ cmd: "pubrel", messageId });
  }

  #settle(messageId: number): void {
    const outgoing = this.#outgoing.get(messageId);
    if (outgoing === undefined) return;
    outgoing.published.isAcknowledged = true;
    this.#outgoing.delete(messageId);
  }

  /** Answers in order, after a while: so that a crash finds some unanswered. */
  #later(packet: Packet): void {
    const socket = this.#socket;
    const delay = this.#options.ackDelay?.() ?? 0;
    if (delay === 0) this.#send(packet);
    else setTimeout(() => socket === this.#socket && this.#send(packet), delay);
  }

  #send(packet: Packet): void {
    if (this.#socket?.writable) this.#socket.write(mqttPacket.generate(packet, { protocolVersion: this.#options.protocolVersion }));
  }
}
