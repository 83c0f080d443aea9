/** Collects the records of one batch in one piece of memory that the worker sees as it is. */
import type { KeptMessage, OwedMessage, StoredRetained, StoredSession, StoredSubscription } from "@thingstead/mqtt";
import { formatProperties } from "./properties-text.ts";
import { messageFlags, recordTypes } from "./record-types.ts";

const bytesFirst = 64 * 1024;

export class BatchWriter {
  #buffer: Buffer<SharedArrayBuffer>;
  #length = 0;
  /** Body of the message record written last. */
  #lastBody: KeptMessage | undefined;

  /** `memory` is used again when given. */
  constructor(memory: SharedArrayBuffer | undefined) {
    this.#buffer = Buffer.from(memory ?? new SharedArrayBuffer(bytesFirst));
  }

  get length(): number {
    return this.#length;
  }

  /** The memory and how much of it is used. The writer is over then. */
  take(): { memory: SharedArrayBuffer; length: number } {
    return { memory: this.#buffer.buffer, length: this.#length };
  }

  session(session: StoredSession): void {
    const { key, behaviour, will, ...rest } = session;
    this.#head(recordTypes.session, key);
    this.#longText(JSON.stringify(behaviour));
    const written = will === undefined ? undefined : { ...will, will: formatWill(will.will) };
    this.#longText(JSON.stringify({ ...rest, will: written }));
  }

  sessionRemoved(key: number): void {
    this.#head(recordTypes.sessionRemoved, key);
  }

  subscription(key: number, subscription: StoredSubscription): void {
    this.#head(recordTypes.subscription, key);
    this.#longText(JSON.stringify(subscription));
  }

  subscriptionRemoved(key: number, filter: string): void {
    this.#head(recordTypes.subscriptionRemoved, key);
    this.#longText(filter);
  }

  message(key: number, owed: OwedMessage): void {
    const { message, identifiers, shareFilter } = owed;
    const isSameBody = message === this.#lastBody;
    this.#reserve(16);
    const buffer = this.#buffer;
    let at = this.#length;
    buffer[at++] = recordTypes.message;
    at = buffer.writeUInt32LE(key, at);
    at = buffer.writeDoubleLE(owed.sequence, at);
    buffer[at++] =
      owed.qos |
      (owed.isRetained ? messageFlags.isRetained : 0) |
      (owed.isReleased ? messageFlags.isReleased : 0) |
      (identifiers === undefined ? 0 : messageFlags.hasIdentifiers) |
      (message.properties === undefined ? 0 : messageFlags.hasProperties) |
      (isSameBody ? messageFlags.hasSameBody : 0) |
      (shareFilter === undefined ? 0 : messageFlags.hasShareFilter);
    this.#length = buffer.writeUInt16LE(owed.packetId, at);
    if (identifiers !== undefined) this.#longText(JSON.stringify(identifiers));
    if (shareFilter !== undefined) this.#longText(shareFilter);
    if (isSameBody) return;
    this.#lastBody = message;
    this.#body(message);
  }

  sent(key: number, sequence: number, packetId: number): void {
    this.#sequence(recordTypes.sent, key, sequence);
    this.#packetId(packetId);
  }

  released(key: number, sequence: number): void {
    this.#sequence(recordTypes.released, key, sequence);
  }

  messageRemoved(key: number, sequence: number): void {
    this.#sequence(recordTypes.messageRemoved, key, sequence);
  }

  receivedId(key: number, packetId: number): void {
    this.#head(recordTypes.receivedId, key);
    this.#packetId(packetId);
  }

  receivedIdRemoved(key: number, packetId: number): void {
    this.#head(recordTypes.receivedIdRemoved, key);
    this.#packetId(packetId);
  }

  retained(message: StoredRetained): void {
    const { topic, payload, qos, properties, receivedAt } = message;
    this.#reserve(3);
    this.#buffer[this.#length++] = recordTypes.retained;
    this.#buffer[this.#length++] = qos;
    this.#buffer[this.#length++] = properties === undefined ? 0 : messageFlags.hasProperties;
    this.#body({ topic, payload, properties, receivedAt });
  }

  retainedRemoved(topic: string): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = recordTypes.retainedRemoved;
    this.#longText(topic);
  }

  #head(type: number, key: number): void {
    this.#reserve(5);
    this.#buffer[this.#length] = type;
    this.#length = this.#buffer.writeUInt32LE(key, this.#length + 1);
  }

  #sequence(type: number, key: number, sequence: number): void {
    this.#head(type, key);
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(sequence, this.#length);
  }

  #packetId(packetId: number): void {
    this.#reserve(2);
    this.#length = this.#buffer.writeUInt16LE(packetId, this.#length);
  }

  #body({ topic, payload, properties, receivedAt }: KeptMessage): void {
    // A UTF-16 unit is at most three bytes of UTF-8.
    this.#reserve(16 + topic.length * 3 + payload.length);
    const buffer = this.#buffer;
    let at = buffer.writeDoubleLE(receivedAt, this.#length);
    const topicBytes = buffer.write(topic, at + 4);
    buffer.writeUInt32LE(topicBytes, at);
    at = buffer.writeUInt32LE(payload.length, at + 4 + topicBytes);
    buffer.set(payload, at);
    this.#length = at + payload.length;
    if (properties !== undefined) this.#longText(formatProperties(properties));
  }

  #longText(text: string): void {
    this.#reserve(4 + text.length * 3);
    const bytes = this.#buffer.write(text, this.#length + 4);
    this.#buffer.writeUInt32LE(bytes, this.#length);
    this.#length += 4 + bytes;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.from(new SharedArrayBuffer(Math.max(needed, this.#buffer.length * 2)));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

function formatWill(will: NonNullable<StoredSession["will"]>["will"]): object {
  const { payload, properties, ...rest } = will;
  return {
    ...rest,
    payload: Buffer.from(payload).toString("base64"),
    ...(properties === undefined ? {} : { properties: formatProperties(properties) }),
  };
}
