import { EventEmitter } from "node:events";
import { signConnect, tokenConnect } from "@thingstead/dialects";
import { type ErrorWithReasonCode, type IClientOptions, type IPublishPacket, MqttClient } from "mqtt";
import { DeviceError } from "./errors.ts";
import { type DeviceOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { type PreAuthGrant, preAuthenticate } from "./pre-auth.ts";
import { reconnectDelay } from "./reconnect-delay.ts";
import { openStream } from "./stream.ts";
import { topicMatchesFilter } from "./topic-filter.ts";

/** `idle` before connect, `offline` while away and trying again, `ended` for good. */
export type DeviceState = "idle" | "connecting" | "online" | "offline" | "ended";

export interface ReceivedMessage {
  topic: string;
  payload: Buffer;
  qos: 0 | 1 | 2;
  /** Sent before: a QoS 1 message whose acknowledgement got lost. */
  isDuplicate: boolean;
}

export type MessageHandler = (message: ReceivedMessage) => void;

export interface DeviceEvents {
  state: [state: DeviceState];
  online: [event: { isSessionPresent: boolean }];
  offline: [];
  reconnecting: [event: { attempt: number; delayMilliseconds: number }];
  /** Every message, also those that a handler got. */
  message: [message: ReceivedMessage];
  /** Trouble after the first connection; the device goes on trying unless `reconnect` is false. */
  trouble: [error: DeviceError];
  ended: [];
}

/** CONNACK return codes in the vendor's reading (reference section 2.10). */
const connackMeanings: Readonly<Record<number, string>> = {
  1: "protocol version not supported",
  2: "client id malformed or too long",
  3: "token wrong or expired, or keep-alive out of range",
  4: "user name or password malformed",
  5: "unknown device, wrong signature, or device disabled",
};

/** The CONNACK code of a refusal, or undefined for any other error. */
function refusalCodeOf(error: Error): number | undefined {
  const code: unknown = (error as Partial<ErrorWithReasonCode>).code;
  return typeof code === "number" && code > 0 ? code : undefined;
}

/**
 * One device. Make it with {@link connect}, or with `new Device(options)` to listen to its events before `connect()`.
 *
 * @example
 * const device = await connect({ productKey, deviceName, deviceSecret, host: "things.example", ca });
 * await device.subscribe(device.topic("user/get"), ({ payload }) => console.log(payload.toString()));
 * await device.publish(device.topic("user/update"), JSON.stringify({ temperature: 21 }), { qos: 1 });
 * await device.end();
 */
export class Device extends EventEmitter<DeviceEvents> {
  readonly #options: ResolvedOptions;
  readonly #handlers = new Map<string, Set<MessageHandler>>();
  #state: DeviceState = "idle";
  #client: MqttClient | undefined;
  #grant: PreAuthGrant | undefined;
  #attempt = 0;
  #outgoing = 0;
  #cancelRetry: () => void = () => {};

  /** @throws DeviceError `device.option_missing`, `device.option_invalid` */
  constructor(options: DeviceOptions) {
    super();
    this.#options = resolveOptions(options);
  }

  get state(): DeviceState {
    return this.#state;
  }

  get isOnline(): boolean {
    return this.#state === "online";
  }

  /** The full topic of this device for a short name: `data` -> `/productKey/deviceName/data`. */
  topic(shortName: string): string {
    return `/${this.#options.productKey}/${this.#options.deviceName}/${shortName}`;
  }

  /**
   * Connects; resolves with the first CONNACK 0. Later breaks are repaired in the background.
   *
   * @throws DeviceError `device.preauth_*`, `device.connection_refused` (with `returnCode`), `device.connect_failed`,
   *   `device.connect_timeout`; the device is then ended
   */
  async connect(): Promise<void> {
    if (this.#state !== "idle") throw new DeviceError("device.ended");
    this.#become("connecting");
    try {
      if (this.#options.mode === "preauth") this.#grant = await preAuthenticate(this.#options);
      await this.#openClient();
    } catch (error) {
      await this.#close(true);
      throw error;
    }
  }

  /**
   * Publishes. QoS 0 resolves when written, QoS 1 when acknowledged; while offline the message waits.
   *
   * @throws DeviceError `device.queue_full`, `device.publish_failed`, `device.ended`
   */
  async publish(topic: string, payload: string | Uint8Array, options: { qos?: 0 | 1 } = {}): Promise<void> {
    const client = this.#requireClient();
    if (this.#outgoing >= this.#options.outgoingMessagesMax) throw new DeviceError("device.queue_full", { count: this.#outgoing });
    this.#outgoing += 1;
    try {
      await client.publishAsync(topic, typeof payload === "string" ? payload : Buffer.from(payload), { qos: options.qos ?? 0 });
    } catch (cause) {
      throw new DeviceError("device.publish_failed", { topic, reason: String(cause) }, { cause });
    } finally {
      this.#outgoing -= 1;
    }
  }

  /**
   * Subscribes a filter and calls `handler` for every message that matches it. Several handlers may share a filter.
   * After a reconnect the filters are subscribed again.
   *
   * @throws DeviceError `device.subscribe_refused`, `device.ended`
   */
  async subscribe(filter: string, handler: MessageHandler, options: { qos?: 0 | 1 } = {}): Promise<void> {
    const client = this.#requireClient();
    // The handler stands before SUBACK: a server may deliver between its SUBACK and our next turn.
    const handlers = this.#handlers.get(filter) ?? new Set();
    this.#handlers.set(filter, handlers.add(handler));
    try {
      const granted = await client.subscribeAsync(filter, { qos: options.qos ?? 0 });
      if (granted.some((grant) => grant.qos >= 0x80)) throw new Error("0x80");
    } catch (cause) {
      handlers.delete(handler);
      if (handlers.size === 0) this.#handlers.delete(filter);
      throw new DeviceError("device.subscribe_refused", { filter }, { cause });
    }
  }

  /** Ends a subscription with all its handlers. @throws DeviceError `device.unsubscribe_failed`, `device.ended` */
  async unsubscribe(filter: string): Promise<void> {
    const client = this.#requireClient();
    this.#handlers.delete(filter);
    try {
      await client.unsubscribeAsync(filter);
    } catch (cause) {
      throw new DeviceError("device.unsubscribe_failed", { filter, reason: String(cause) }, { cause });
    }
  }

  /** Waits for what is on its way (at most `drainMilliseconds`, default 5,000), sends DISCONNECT and closes. */
  async end(options: { drainMilliseconds?: number } = {}): Promise<void> {
    if (this.#state === "ended") return;
    const drainMilliseconds = options.drainMilliseconds ?? 5_000;
    let cancel = () => {};
    const timeUp = new Promise<"late">((resolve) => {
      cancel = this.#options.clock.after(drainMilliseconds, () => resolve("late"));
    });
    const closed = this.#close(!this.isOnline);
    if ((await Promise.race([closed, timeUp])) === "late") await this.#client?.endAsync(true);
    cancel();
  }

  async #close(isForced: boolean): Promise<void> {
    if (this.#state === "ended") return;
    this.#cancelRetry();
    this.#become("ended");
    await this.#client?.endAsync(isForced);
    this.emit("ended");
  }

  #requireClient(): MqttClient {
    if (this.#client === undefined || this.#state === "ended") throw new DeviceError("device.ended");
    return this.#client;
  }

  #become(state: DeviceState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.emit("state", state);
  }

  #target(): { host: string; port: number } {
    const { host, port, keepHost } = this.#options;
    return this.#grant === undefined || keepHost ? { host, port } : this.#grant;
  }

  #credentials(): { clientId: string; userName: string; password: string } {
    const { productKey, deviceName, deviceSecret, clientId, signMethod, parameters, mode, clock } = this.#options;
    if (this.#grant !== undefined) {
      return tokenConnect({ iotId: this.#grant.iotId, iotToken: this.#grant.iotToken, clientId, secureMode: -1, parameters });
    }
    const timestamp = this.#options.timestamp === undefined ? String(clock.now()) : this.#options.timestamp;
    return signConnect({
      productKey,
      deviceName,
      deviceSecret,
      clientId,
      signMethod,
      secureMode: mode === "tcp" ? 3 : 2,
      parameters,
      ...(timestamp === null ? {} : { timestamp }),
    });
  }

  #nextDelay(): number {
    const { reconnect, clock } = this.#options;
    return reconnect === undefined ? 0 : reconnectDelay(reconnect, this.#attempt, clock);
  }

  #clientOptions(): IClientOptions {
    const { clientId, userName, password } = this.#credentials();
    return {
      protocolVersion: 4,
      clientId,
      username: userName,
      password,
      keepalive: this.#options.keepAliveSeconds,
      clean: this.#options.isCleanSession,
      connectTimeout: this.#options.connectTimeoutMilliseconds,
      // Nothing reconnects before the first CONNACK: a wrong key must be told, not tried again.
      reconnectPeriod: 0,
      resubscribe: true,
    };
  }

  #openClient(): Promise<void> {
    const server = `${this.#target().host}:${this.#target().port}`;
    const client = new MqttClient(() => {
      const { host, port } = this.#target();
      return openStream(this.#options, host, port);
    }, this.#clientOptions());
    this.#client = client;
    client.on("message", (topic, payload, packet) => this.#receive(topic, payload, packet));
    return new Promise((resolve, reject) => {
      const { connectTimeoutMilliseconds, clock } = this.#options;
      const cancel = clock.after(connectTimeoutMilliseconds, () =>
        settle(new DeviceError("device.connect_timeout", { server, milliseconds: connectTimeoutMilliseconds })),
      );
      const onError = (error: Error) => settle(this.#explain(error, server));
      const onClose = () => settle(new DeviceError("device.connect_failed", { server, reason: "the server closed the connection" }));
      const settle = (error?: DeviceError) => {
        cancel();
        client.off("error", onError).off("close", onClose);
        // From here on errors are told by event; without a listener MQTT.js would throw them.
        client.on("error", (later) => this.#handleLaterError(later));
        if (error !== undefined) return reject(error);
        client.on("close", () => this.#handleClose());
        resolve();
      };
      client.once("connect", () => settle());
      client.on("error", onError).on("close", onClose);
      client.on("connect", (packet) => {
        this.#attempt = 0;
        client.options.reconnectPeriod = this.#nextDelay();
        this.#become("online");
        this.emit("online", { isSessionPresent: packet.sessionPresent });
      });
    });
  }

  #explain(error: Error, server: string): DeviceError {
    const returnCode = refusalCodeOf(error);
    if (returnCode === undefined) return new DeviceError("device.connect_failed", { server, reason: error.message }, { cause: error });
    return new DeviceError(
      "device.connection_refused",
      { server, returnCode, meaning: connackMeanings[returnCode] ?? "unknown" },
      { cause: error },
    );
  }

  #handleClose(): void {
    if (this.#state === "ended") return;
    this.#become("offline");
    this.emit("offline");
    if (this.#options.reconnect === undefined) return;
    // MQTT.js armed its timer with the period set before; what is set now is for the try after that.
    const delayMilliseconds = this.#client?.options.reconnectPeriod ?? 0;
    this.emit("reconnecting", { attempt: this.#attempt, delayMilliseconds });
    this.#attempt += 1;
    if (this.#client !== undefined) this.#client.options.reconnectPeriod = this.#nextDelay();
  }

  #handleLaterError(error: Error): void {
    if (this.#state === "ended") return;
    const { host, port } = this.#target();
    this.emit("trouble", this.#explain(error, `${host}:${port}`));
    const returnCode = refusalCodeOf(error);
    if (returnCode !== undefined) this.#retryAfterRefusal(returnCode);
  }

  /** MQTT.js does not come back after a refusing CONNACK. A device does: it may be enabled again, a token can be renewed. */
  #retryAfterRefusal(returnCode: number): void {
    const { reconnect, clock, mode } = this.#options;
    if (reconnect === undefined) return;
    const delayMilliseconds = reconnectDelay(reconnect, this.#attempt, clock);
    this.#attempt += 1;
    this.emit("reconnecting", { attempt: this.#attempt, delayMilliseconds });
    this.#cancelRetry = clock.after(delayMilliseconds, () => {
      const renewal = mode === "preauth" && returnCode === 3 ? preAuthenticate(this.#options) : Promise.resolve(this.#grant);
      renewal.then(
        (grant) => {
          this.#grant = grant;
          this.#reopen();
        },
        (error: unknown) => {
          if (error instanceof DeviceError) this.emit("trouble", error);
          if (this.#state !== "ended") this.#retryAfterRefusal(returnCode);
        },
      );
    });
  }

  #reopen(): void {
    const client = this.#client;
    if (client === undefined || this.#state === "ended") return;
    const { clientId, userName, password } = this.#credentials();
    Object.assign(client.options, { clientId, username: userName, password });
    client.reconnect({ incomingStore: client.incomingStore, outgoingStore: client.outgoingStore });
  }

  #receive(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const message: ReceivedMessage = { topic, payload, qos: packet.qos, isDuplicate: packet.dup };
    this.emit("message", message);
    for (const [filter, handlers] of this.#handlers) {
      if (topicMatchesFilter(topic, filter)) for (const handler of handlers) handler(message);
    }
  }
}

/** Makes a device and connects it. Throws what {@link Device.connect} throws. */
export async function connect(options: DeviceOptions): Promise<Device> {
  const device = new Device(options);
  await device.connect();
  return device;
}
