/** Questions of the device and the answers that belong to them. Source: alibaba-device.md, 5.1. */
import { formatDeviceRequest, readAlinkReply } from "@thingstead/dialects";
import { DeviceError } from "./errors.ts";
import type { Link, Stop } from "./link.ts";
import type { ReceivedMessage } from "./subscriptions.ts";

/** Ids are digits up to this (5.1). */
const idMax = 4_294_967_295;

interface Waiting {
  topic: string;
  resolve(data: unknown): void;
  reject(error: DeviceError): void;
}

export interface AskOptions {
  qos?: 0 | 1;
  /** Bytes instead of the usual envelope. */
  format?: (id: string) => Uint8Array;
  /** Default: the topic and `_reply`. */
  replyTopic?: string;
  timeoutMilliseconds?: number;
}

/**
 * Sends requests and waits for their replies. The reply's topic is subscribed once, before the first request that needs it;
 * a request made while offline is sent after the subscription was made again, or it times out.
 */
export class Requests {
  readonly #link: Link;
  readonly #waiting = new Map<string, Waiting>();
  readonly #subscribed = new Map<string, Promise<Stop>>();
  readonly #onOnline = new Set<() => void>();
  #lastId: number;
  #isEnded = false;

  constructor(link: Link) {
    this.#link = link;
    this.#lastId = Math.floor(link.clock.random() * idMax);
  }

  /** A fresh id. Ids do not start at 1: an answer to a question of the last run must not be taken for one of this run. */
  nextId(): string {
    this.#lastId = (this.#lastId + 1) % idMax;
    return String(this.#lastId);
  }

  /** `thing/topo/get` -> the device's own topic of that name. */
  sys(path: string): string {
    return `/sys/${this.#link.productKey}/${this.#link.deviceName}/${path}`;
  }

  /**
   * Asks on `/sys/…/${path}` and resolves with the reply's `data`.
   *
   * @throws DeviceError `device.reply_refused` (with `cloudCode`), `device.reply_timeout`, `device.requests_full`,
   *   `device.subscribe_refused`, `device.ended`
   */
  ask(path: string, params: unknown, options: AskOptions = {}): Promise<unknown> {
    // The method is the path with dots (5): `thing/deviceinfo/update` is asked as `thing.deviceinfo.update`.
    const method = path.replaceAll("/", ".");
    return this.askOn(this.sys(path), { format: (id) => formatDeviceRequest({ id, method, params }), ...options });
  }

  /** The same for a topic and an envelope of any kind. */
  async askOn(topic: string, options: AskOptions & { format: (id: string) => Uint8Array }): Promise<unknown> {
    const { qos = 1, format, replyTopic = `${topic}_reply`, timeoutMilliseconds = this.#link.limits.requestTimeoutMilliseconds } = options;
    if (this.#isEnded) throw new DeviceError("device.ended");
    if (this.#waiting.size >= this.#link.limits.requestsMax) throw new DeviceError("device.requests_full", { count: this.#waiting.size });
    const id = this.nextId();
    const key = `${replyTopic} ${id}`;
    return new Promise((resolve, reject) => {
      const timeout = () => waiting.reject(new DeviceError("device.reply_timeout", { topic, milliseconds: timeoutMilliseconds }));
      const cancel = this.#link.clock.after(timeoutMilliseconds, timeout);
      const done = () => {
        cancel();
        this.#waiting.delete(key);
        this.#onOnline.delete(send);
      };
      const waiting: Waiting = {
        topic,
        resolve: (data) => {
          done();
          resolve(data);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      this.#waiting.set(key, waiting);
      const fail = (error: unknown) => waiting.reject(asDeviceError(error, topic));
      const send = () => {
        this.#onOnline.delete(send);
        this.#listenTo(replyTopic)
          // It may have timed out, or the connection may have broken, while the subscription was made.
          .then(() => (this.#waiting.has(key) ? this.#link.publish(topic, format(id), { qos }) : undefined))
          .catch(fail);
      };
      if (this.#link.isOnline()) send();
      else this.#onOnline.add(send);
    });
  }

  /** Publishes a request whose answer nobody waits for. */
  async post(path: string, params: unknown, options: { qos?: 0 | 1 } = {}): Promise<void> {
    const method = path.replaceAll("/", ".");
    const payload = formatDeviceRequest({ id: this.nextId(), method, params, wantsReply: false });
    await this.#link.publish(this.sys(path), payload, { qos: options.qos ?? 1 });
  }

  /** The connection stands (again) and what was subscribed is on its way. */
  handleOnline(): void {
    for (const send of [...this.#onOnline]) send();
  }

  /** Nothing will be answered any more. */
  end(): void {
    this.#isEnded = true;
    for (const waiting of [...this.#waiting.values()]) waiting.reject(new DeviceError("device.ended"));
    this.#subscribed.clear();
  }

  #listenTo(replyTopic: string): Promise<unknown> {
    const known = this.#subscribed.get(replyTopic);
    if (known !== undefined) return known;
    const subscribed = this.#link.listen(replyTopic, (message) => this.#receive(message));
    this.#subscribed.set(replyTopic, subscribed);
    subscribed.catch(() => this.#subscribed.delete(replyTopic));
    return subscribed;
  }

  #receive({ topic, payload }: ReceivedMessage): void {
    const reply = readAlinkReply(payload);
    if (reply.kind === "refused") {
      this.#link.tell(new DeviceError("device.message_malformed", { topic, expected: "a reply with id and code" }));
      return;
    }
    // An unknown id is an answer that came too late, or a second one: QoS 1 may repeat.
    const waiting = this.#waiting.get(`${topic} ${reply.id}`);
    if (reply.code === 200) waiting?.resolve(reply.data);
    else {
      const details = { topic: waiting?.topic ?? topic, cloudCode: reply.code, cloudMessage: reply.message ?? "" };
      waiting?.reject(new DeviceError("device.reply_refused", details));
    }
  }
}

function asDeviceError(error: unknown, topic: string): DeviceError {
  if (error instanceof DeviceError) return error;
  return new DeviceError("device.publish_failed", { topic, reason: String(error) }, { cause: error });
}
