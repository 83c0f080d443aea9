/** Publisher and subscriber on MQTT.js, a client library of other people, as applications use it. */
import { connect, type MqttClient } from "mqtt";
import { type History, keyOf, type Published, parsePayload, payloadOf } from "./history.ts";

const reconnectMilliseconds = 40;

export interface LibraryClientOptions {
  name: string;
  port: number;
  history: History;
  protocolVersion: 4 | 5;
  filter?: { filter: string; qos: 1 | 2 };
}

export class LibraryClient {
  readonly #client: MqttClient;
  #connections = 0;
  #unanswered = 0;
  readonly #ready: Promise<void>;

  constructor({ name, port, history, protocolVersion, filter }: LibraryClientOptions) {
    const client = connect({
      host: "127.0.0.1",
      port,
      clientId: name,
      clean: false,
      protocolVersion,
      reconnectPeriod: reconnectMilliseconds,
      resubscribe: false,
      keepalive: 60,
      ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {}),
    });
    this.#client = client;
    client.on("error", () => {});
    client.on("connect", ({ sessionPresent }) => {
      this.#connections += 1;
      if (this.#connections > 1) history.reconnected.push({ client: name, isSessionPresent: sessionPresent });
    });
    // The library decides by itself what it sends again.
    client.on("packetsend", (packet) => {
      if (packet.cmd !== "publish") return;
      const published = history.published.get(keyOf({ topic: packet.topic, ...parsePayload(Buffer.from(packet.payload)) }));
      if (published !== undefined) published.transmissions += 1;
    });
    client.on("message", (topic, payload, { qos, dup }) => {
      const delivery = { subscriber: name, topic, qos, isDuplicate: dup, connection: this.#connections };
      history.delivered.push({ ...delivery, ...parsePayload(payload) });
    });
    const connected = new Promise<void>((resolve) => client.once("connect", () => resolve()));
    this.#ready =
      filter === undefined ? connected : connected.then(async () => void (await client.subscribeAsync(filter.filter, { qos: filter.qos })));
  }

  get unanswered(): number {
    return this.#unanswered;
  }

  start(): Promise<void> {
    return this.#ready;
  }

  publish(published: Published): void {
    const { topic, qos, isRetained } = published;
    this.#unanswered += 1;
    this.#client.publish(topic, payloadOf(published), { qos, retain: isRetained }, (error) => {
      this.#unanswered -= 1;
      if (!error) published.isAcknowledged = true;
    });
  }

  stop(): void {
    this.#client.end(true);
  }
}
