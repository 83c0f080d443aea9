/** One message as the rules see it. Made once and shared by all rules that match: the payload is parsed at most once. */
import type { Random } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import { forwardingTopic } from "../topic-filter.ts";
import { parseJson, type Value } from "./value.ts";

export interface DeviceOfTopic {
  productKey: string;
  deviceName: string;
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
  #id: string | undefined;
  #payload: { value: Value } | { error: PlatformError } | undefined;

  constructor(facts: { topic: string; bytes: Uint8Array; device: DeviceOfTopic | undefined; time: number; random: Random }) {
    this.sourceTopic = facts.topic;
    this.topic = forwardingTopic(facts.topic);
    this.bytes = facts.bytes;
    this.device = facts.device;
    this.time = facts.time;
    this.random = facts.random;
  }

  /** 19 decimal digits, as the vendor's ids look. */
  get id(): string {
    this.#id ??= String(10n ** 18n + (this.random.bytes(8).readBigUInt64BE() % (9n * 10n ** 18n)));
    return this.#id;
  }

  /** Throws `rules.payload_not_json`. */
  get payload(): Value {
    this.#payload ??= this.#parse();
    if ("error" in this.#payload) throw this.#payload.error;
    return this.#payload.value;
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
