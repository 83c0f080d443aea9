/** Reads the records of one batch back. Throws `BatchError` for bytes that no writer of ours made. */
import type { JournalReplay, JournalSlot, KeptMessage, QoS, SessionBehaviour, StoredSession, StoredSubscription } from "@thingstead/mqtt";
import { parseProperties } from "./properties-text.ts";
import { messageFlags, recordTypes } from "./record-types.ts";

/** Topics and behaviours repeat: each is kept once, up to this many. */
const textsMax = 100_000;

export class BatchError extends Error {}

interface WrittenSession extends Omit<StoredSession, "key" | "behaviour" | "will"> {
  will?: Omit<NonNullable<StoredSession["will"]>, "will"> & {
    will: { topic: string; payload: string; qos: QoS; isRetained: boolean; properties?: string };
  };
}

type ReadRecord = (slot: JournalSlot) => void;

export class BatchReader {
  readonly #replay: JournalReplay;
  readonly #behaviours = new Map<string, SessionBehaviour>();
  readonly #topics = new Map<string, string>();
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #lastBody: KeptMessage | undefined;

  constructor(replay: JournalReplay) {
    this.#replay = replay;
  }

  /** Applies every record; those that occupy memory of the log lie in `slot`. */
  read(bytes: Uint8Array, slot: JournalSlot): void {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#lastBody = undefined;
    try {
      while (this.#at < this.#bytes.length) this.#record(slot);
    } catch (error) {
      if (error instanceof BatchError) throw error;
      throw new BatchError(`byte ${this.#at}: ${(error as Error).message}`, { cause: error });
    }
  }

  readonly #readers: Readonly<Record<number, ReadRecord>> = {
    [recordTypes.session]: (slot) => this.#session(slot),
    [recordTypes.sessionRemoved]: () => this.#replay.removeSession(this.#u32()),
    [recordTypes.subscription]: () => this.#replay.saveSubscription(this.#u32(), JSON.parse(this.#text()) as StoredSubscription),
    [recordTypes.subscriptionRemoved]: () => this.#replay.removeSubscription(this.#u32(), this.#text()),
    [recordTypes.message]: (slot) => this.#message(slot),
    [recordTypes.sent]: () => this.#replay.saveSent(this.#u32(), this.#f64(), this.#u16()),
    [recordTypes.released]: () => this.#replay.saveReleased(this.#u32(), this.#f64()),
    [recordTypes.messageRemoved]: () => this.#replay.removeMessage(this.#u32(), this.#f64()),
    [recordTypes.receivedId]: () => this.#replay.saveReceivedId(this.#u32(), this.#u16()),
    [recordTypes.receivedIdRemoved]: () => this.#replay.removeReceivedId(this.#u32(), this.#u16()),
    [recordTypes.retained]: (slot) => this.#retained(slot),
    [recordTypes.retainedRemoved]: () => this.#replay.removeRetained(this.#text()),
  };

  #record(slot: JournalSlot): void {
    const type = this.#u8();
    const read = this.#readers[type];
    if (read === undefined) throw new BatchError(`byte ${this.#at - 1}: record type ${type} is unknown`);
    read(slot);
  }

  #session(slot: JournalSlot): void {
    const key = this.#u32();
    const behaviourText = this.#text();
    let behaviour = this.#behaviours.get(behaviourText);
    if (behaviour === undefined) {
      behaviour = JSON.parse(behaviourText) as SessionBehaviour;
      this.#behaviours.set(behaviourText, behaviour);
    }
    const { will, ...rest } = JSON.parse(this.#text()) as WrittenSession;
    this.#replay.saveSession({ ...rest, key, behaviour, ...(will === undefined ? {} : { will: readWill(will) }) }, slot);
  }

  #message(slot: JournalSlot): void {
    const key = this.#u32();
    const sequence = this.#f64();
    const flags = this.#u8();
    const packetId = this.#u16();
    const qos = flags & messageFlags.qos;
    if (qos !== 1 && qos !== 2) throw new BatchError(`byte ${this.#at}: QoS ${qos} of a message that is owed`);
    const identifiers = (flags & messageFlags.hasIdentifiers) === 0 ? undefined : (JSON.parse(this.#text()) as number[]);
    const shareFilter = (flags & messageFlags.hasShareFilter) === 0 ? undefined : this.#intern(this.#text());
    if ((flags & messageFlags.hasSameBody) === 0) this.#lastBody = this.#body((flags & messageFlags.hasProperties) !== 0);
    const message = this.#lastBody;
    if (message === undefined) throw new BatchError(`byte ${this.#at}: a message without a body`);
    const isRetained = (flags & messageFlags.isRetained) !== 0;
    const isReleased = (flags & messageFlags.isReleased) !== 0;
    this.#replay.appendMessage(key, { sequence, message, qos, isRetained, identifiers, shareFilter, packetId, isReleased }, slot);
  }

  #retained(slot: JournalSlot): void {
    const qos = this.#u8();
    if (qos !== 0 && qos !== 1 && qos !== 2) throw new BatchError(`byte ${this.#at}: QoS ${qos} of a retained message`);
    const flags = this.#u8();
    const { topic, payload, properties, receivedAt } = this.#body((flags & messageFlags.hasProperties) !== 0);
    this.#replay.saveRetained({ topic, payload, qos, receivedAt, ...(properties === undefined ? {} : { properties }) }, slot);
  }

  #body(hasProperties: boolean): KeptMessage {
    const receivedAt = this.#f64();
    const topic = this.#intern(this.#text());
    const payloadBytes = this.#u32();
    // A copy: a view would keep the whole batch in memory.
    const payload = Buffer.from(this.#bytes.subarray(this.#at, this.#skip(payloadBytes)));
    return { topic, payload, properties: hasProperties ? parseProperties(this.#text()) : undefined, receivedAt };
  }

  #intern(text: string): string {
    const known = this.#topics.get(text);
    if (known !== undefined) return known;
    if (this.#topics.size < textsMax) this.#topics.set(text, text);
    return text;
  }

  #text(): string {
    const length = this.#u32();
    const start = this.#at;
    return this.#bytes.toString("utf8", start, this.#skip(length));
  }

  #skip(bytes: number): number {
    this.#at += bytes;
    if (this.#at > this.#bytes.length) throw new BatchError(`byte ${this.#at}: the batch ends within a record`);
    return this.#at;
  }

  #u8(): number {
    return this.#bytes.readUInt8(this.#skip(1) - 1);
  }

  #u16(): number {
    return this.#bytes.readUInt16LE(this.#skip(2) - 2);
  }

  #u32(): number {
    return this.#bytes.readUInt32LE(this.#skip(4) - 4);
  }

  #f64(): number {
    return this.#bytes.readDoubleLE(this.#skip(8) - 8);
  }
}

function readWill({ will, ...rest }: NonNullable<WrittenSession["will"]>): NonNullable<StoredSession["will"]> {
  const { payload, properties, ...fields } = will;
  const read = { ...fields, payload: Buffer.from(payload, "base64") };
  return { ...rest, will: properties === undefined ? read : { ...read, properties: parseProperties(properties) } };
}
