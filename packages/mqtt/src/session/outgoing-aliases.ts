/** Topic aliases towards one client: the topics sent last, each under a number that the client was told. [MQTT-3.1.2-26] */
import { encodePublish, type Properties, type QoS } from "../codec/index.ts";

/** An alias costs three bytes a message; a topic shorter than that and its own length is sent as it is. */
const topicBytesMin = 8;

export interface OutgoingPublish {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  isDuplicate: boolean;
  isRetained: boolean;
  packetId: number;
  properties: Properties | undefined;
}

export class OutgoingAliases {
  readonly #aliasesMax: number;
  /** Least recently used first. */
  readonly #aliases = new Map<string, number>();

  /** @param aliasesMax the smaller of the client's Topic Alias Maximum and ours; more than 0 */
  constructor(aliasesMax: number) {
    this.#aliasesMax = aliasesMax;
  }

  /** The packet for this client, or undefined when it is larger than `packetBytesMax`. */
  encode(publish: OutgoingPublish, packetBytesMax: number): Buffer | undefined {
    const { topic } = publish;
    const known = this.#aliases.get(topic);
    if (known === undefined && (topic.length < topicBytesMin || topic.length + publish.payload.length > packetBytesMax)) {
      return fitting(encodeWith(publish, topic, undefined), packetBytesMax);
    }
    if (known !== undefined) {
      this.#touch(topic, known);
      // [MQTT-3.3.2-12] The client knows the topic: it is not sent again.
      return fitting(encodeWith(publish, "", known), packetBytesMax);
    }
    const bytes = encodeWith(publish, topic, this.#nextAlias());
    // What does not leave teaches the client nothing.
    if (bytes.length > packetBytesMax) return fitting(encodeWith(publish, topic, undefined), packetBytesMax);
    this.#assign(topic);
    return bytes;
  }

  #touch(topic: string, alias: number): void {
    this.#aliases.delete(topic);
    this.#aliases.set(topic, alias);
  }

  /** The number that a new topic gets: a fresh one, or the one of the topic not sent for longest. */
  #nextAlias(): number {
    if (this.#aliases.size < this.#aliasesMax) return this.#aliases.size + 1;
    const [oldest = 1] = this.#aliases.values();
    return oldest;
  }

  #assign(topic: string): void {
    const alias = this.#nextAlias();
    if (this.#aliases.size >= this.#aliasesMax) {
      const [oldest] = this.#aliases.keys();
      if (oldest !== undefined) this.#aliases.delete(oldest);
    }
    this.#aliases.set(topic, alias);
  }
}

function encodeWith(publish: OutgoingPublish, topic: string, topicAlias: number | undefined): Buffer {
  const { payload, qos, isDuplicate, isRetained, packetId, properties } = publish;
  const all = topicAlias === undefined ? properties : { ...properties, topicAlias };
  return encodePublish(topic, payload, qos, isDuplicate, isRetained, packetId, all, 5);
}

function fitting(bytes: Buffer, packetBytesMax: number): Buffer | undefined {
  return bytes.length > packetBytesMax ? undefined : bytes;
}
