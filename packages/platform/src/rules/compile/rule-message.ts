/** One message as the rules see it. Made once and shared by all rules that match: the payload is parsed at most once. */
import type { Random } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import { forwardingTopic } from "../topic-filter.ts";
import { runUuid } from "./functions.ts";
import { parseJson, type SqlValue, type Value } from "./value.ts";

export interface DeviceOfTopic {
  productKey: string;
  deviceName: string;
}

/** Who sent a message over MQTT: the functions clientid() and principal() of AWS. */
export interface Publisher {
  clientId: string;
  principal?: string;
  /** The log entries of its messages are the device's. */
  device?: DeviceOfTopic;
}

/** Reads the shadow document of a thing; undefined when there is none. */
export type ShadowReader = (thingName: string, shadowName: string | undefined) => Promise<SqlValue>;

/** Thrown by a run that needs what must be read first: `ready`, then run again. Not a failure. */
export class ReadFirst {
  readonly ready: Promise<void>;

  constructor(ready: Promise<void>) {
    this.ready = ready;
  }
}

interface RuleMessageFacts {
  topic: string;
  bytes: Uint8Array;
  device: DeviceOfTopic | undefined;
  time: number;
  random: Random;
  publisher?: Publisher | undefined;
  readShadow?: ShadowReader | undefined;
  shadowReadsMax?: number;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

export class RuleMessage {
  /** As published. */
  readonly sourceTopic: string;
  /** Forwarding form: without `/sys` for thing-model streams [alibaba-server 2.5]. */
  readonly topic: string;
  readonly bytes: Uint8Array;
  readonly device: DeviceOfTopic | undefined;
  /** Milliseconds since the epoch, the same for every rule that sees the message. */
  readonly time: number;
  readonly random: Random;
  readonly publisher: Publisher | undefined;
  readonly #facts: RuleMessageFacts;
  /** Documents read for this message. */
  #shadows: Map<string, SqlValue> | undefined;
  #traceId: string | undefined;
  #id: string | undefined;
  #payload: { value: Value } | { error: PlatformError } | undefined;

  constructor(facts: RuleMessageFacts) {
    this.sourceTopic = facts.topic;
    this.topic = forwardingTopic(facts.topic);
    this.bytes = facts.bytes;
    this.device = facts.device;
    this.time = facts.time;
    this.random = facts.random;
    this.publisher = facts.publisher;
    this.#facts = facts;
  }

  /** 19 decimal digits, as the vendor's ids look. */
  get id(): string {
    this.#id ??= String(10n ** 18n + (this.random.bytes(8).readBigUInt64BE() % (9n * 10n ** 18n)));
    return this.#id;
  }

  /** UUID, the same for all rules that see the message. */
  get traceId(): string {
    this.#traceId ??= runUuid(this);
    return this.#traceId;
  }

  /** Throws `rules.payload_not_json`. */
  get payload(): Value {
    this.#payload ??= this.#parse();
    if ("error" in this.#payload) throw this.#payload.error;
    return this.#payload.value;
  }

  /** Undefined when the payload is not JSON. */
  get json(): SqlValue {
    this.#payload ??= this.#parse();
    return "error" in this.#payload ? undefined : this.#payload.value;
  }

  /** Throws `ReadFirst` when the document has to be read, `rules.shadow_reads` when the message asks for too many. */
  shadow(thingName: string, shadowName: string | undefined): SqlValue {
    const { readShadow, shadowReadsMax = 0 } = this.#facts;
    if (readShadow === undefined) return undefined;
    const known = this.#shadows ?? new Map<string, SqlValue>();
    this.#shadows = known;
    const key = JSON.stringify([thingName, shadowName]);
    if (known.has(key)) return known.get(key);
    if (known.size >= shadowReadsMax) throw new PlatformError("rules.shadow_reads", { maximum: shadowReadsMax });
    throw new ReadFirst(readShadow(thingName, shadowName).then((document) => void known.set(key, document)));
  }

  #parse(): { value: Value } | { error: PlatformError } {
    try {
      return { value: parseJson(decoder.decode(this.bytes)) };
    } catch (error) {
      const reason = error instanceof SyntaxError ? "no JSON" : error instanceof RangeError ? "nested too deeply" : "not UTF-8";
      return { error: new PlatformError("rules.payload_not_json", { received: `${this.bytes.length} bytes, ${reason}` }) };
    }
  }
}
