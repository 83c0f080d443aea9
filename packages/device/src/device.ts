import { type IClientOptions, type IPublishPacket, MqttClient } from "mqtt";
import { connectError, refusalCodeOf, subscribeError } from "./connect-errors.ts";
import { makeCredentials } from "./credentials.ts";
import { DeviceError } from "./errors.ts";
import { type DeviceOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { type PreAuthGrant, preAuthenticate } from "./pre-auth.ts";
import { reconnectDelay } from "./reconnect-delay.ts";
import { ServicedDevice } from "./serviced-device.ts";
import { GatewayClient } from "./services/gateway.ts";
import { openStream, openTcp, openTls } from "./stream.ts";
import { type MessageHandler, type ReceivedMessage, Subscriptions } from "./subscriptions.ts";

/** `idle` before connect, `offline` while away and trying again, `ended` for good. */
export type DeviceState = "idle" | "connecting" | "online" | "offline" | "ended";

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

/** CONNACK code of a token that is wrong or expired. */
const tokenRefused = 3;

/**
 * MQTT.js keeps its queue over a break only while it means to come back by itself. It never does: this is the longest
 * timer there is, and the device comes back on its own clock, with its own delays and fresh credentials.
 */
const neverMilliseconds = 2_147_483_647;

/**
 * One device. Make it with {@link connect}, or with `new Device(options)` to listen to its events before `connect()`.
 *
 * @example
 * const device = await connect({ productKey, deviceName, deviceSecret, host: "things.example", ca });
 * await device.subscribe(device.topic("user/get"), ({ payload }) => console.log(payload.toString()));
 * await device.publish(device.topic("user/update"), JSON.stringify({ temperature: 21 }), { qos: 1 });
 * await device.end();
 */
export class Device extends ServicedDevice<DeviceEvents> {
  /** For a device that speaks for others. */
  readonly gateway: GatewayClient;
  readonly #options: ResolvedOptions;
  readonly #subscriptions = new Subscriptions();
  /** Handlers of what comes without a SUBSCRIBE. */
  readonly #overheard = new Subscriptions();
  readonly #ending = new AbortController();
  #state: DeviceState = "idle";
  #client: MqttClient | undefined;
  #grant: PreAuthGrant | undefined;
  #attempt = 0;
  #end: Promise<void> | undefined;
  #outgoing = 0;
  /** Publishes and (un)subscriptions without an answer yet. */
  #unanswered = 0;
  #onAnswered: () => void = () => {};
  /** CONNACK code of the latest try, when it was refused. */
  #refusalCode: number | undefined;
  #cancelRetry: () => void = () => {};

  /** @throws DeviceError `device.option_missing`, `device.option_invalid` */
  constructor(options: DeviceOptions) {
    const resolved = resolveOptions(options);
    super({
      ...resolved,
      downloads: {
        open: ({ host, port, isTls }) => (isTls ? openTls(resolved, host, port) : openTcp(host, port)),
        allowsPlain: resolved.allowsPlainDownloads,
      },
    });
    this.#options = resolved;
    this.gateway = new GatewayClient(this.link, this.requests, {
      publish: (topic, payload, given) => this.publish(topic, payload, given),
      subscribe: (filters) => this.#sendSubscribe(filters),
      unsubscribe: (filter) => this.#sendUnsubscribe(filter),
    });
  }

  get state(): DeviceState {
    return this.#state;
  }

  override get isOnline(): boolean {
    return this.#state === "online";
  }

  get isEnded(): boolean {
    return this.#state === "ended";
  }

  /**
   * Connects; resolves with the first CONNACK 0. Later breaks are repaired in the background.
   *
   * @throws DeviceError `device.preauth_*`, `device.connection_refused` (with `returnCode`), `device.connect_failed`,
   *   `device.connect_timeout`, `device.ended` when it was ended meanwhile; the device is then ended
   */
  async connect(): Promise<void> {
    if (this.#state !== "idle") throw new DeviceError("device.ended");
    this.#become("connecting");
    try {
      if (this.#options.mode === "preauth") this.#grant = await preAuthenticate(this.#options, this.#ending.signal);
      if (this.isEnded) throw new DeviceError("device.ended");
      await this.#openClient();
    } catch (error) {
      if (this.isEnded) throw new DeviceError("device.ended", {}, { cause: error });
      await this.#close(true);
      throw error;
    }
  }

  /**
   * Publishes. QoS 0 resolves when written, QoS 1 when acknowledged; while offline the message waits.
   *
   * @throws DeviceError `device.queue_full`, `device.publish_failed`, `device.ended`
   */
  override async publish(topic: string, payload: string | Uint8Array, options: { qos?: 0 | 1 } = {}): Promise<void> {
    const client = this.#requireClient();
    if (this.#outgoing >= this.#options.outgoingMessagesMax) throw new DeviceError("device.queue_full", { count: this.#outgoing });
    this.#outgoing += 1;
    try {
      const bytes = typeof payload === "string" ? payload : Buffer.from(payload);
      await this.#answered(client.publishAsync(topic, bytes, { qos: options.qos ?? 0 }));
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
   * @throws DeviceError `device.subscribe_refused` (the server said no), `device.subscribe_failed`, `device.ended`
   */
  override async subscribe(filter: string, handler: MessageHandler, options: { qos?: 0 | 1 } = {}): Promise<void> {
    this.#requireClient();
    const qos = options.qos ?? 0;
    // The handler stands before SUBACK: a server may deliver between its SUBACK and our next turn.
    this.#subscriptions.add(filter, qos, handler);
    try {
      await this.#sendSubscribe({ [filter]: { qos } });
    } catch (error) {
      this.#subscriptions.remove(filter, handler);
      throw error;
    }
  }

  /**
   * Ends a subscription: one handler's, and with its last handler, or without `handler`, the filter's.
   *
   * @throws DeviceError `device.unsubscribe_failed`, `device.ended`
   */
  override async unsubscribe(filter: string, handler?: MessageHandler): Promise<void> {
    this.#requireClient();
    if (handler !== undefined && !this.#subscriptions.remove(filter, handler)) return;
    this.#subscriptions.delete(filter);
    await this.#sendUnsubscribe(filter);
  }

  async #sendSubscribe(filters: Readonly<Record<string, { qos: 0 | 1 }>>): Promise<void> {
    const client = this.#requireClient();
    try {
      await this.#answered(client.subscribeAsync({ ...filters }));
    } catch (cause) {
      throw subscribeError(Object.keys(filters).join(", "), cause);
    }
  }

  async #sendUnsubscribe(filter: string): Promise<void> {
    const client = this.#requireClient();
    try {
      await this.#answered(client.unsubscribeAsync(filter));
    } catch (cause) {
      throw new DeviceError("device.unsubscribe_failed", { filter, reason: String(cause) }, { cause });
    }
  }

  protected override overhear(filter: string, handler: MessageHandler): () => void {
    this.#overheard.add(filter, 1, handler);
    return () => void this.#overheard.remove(filter, handler);
  }

  protected override tell(error: DeviceError): void {
    if (!this.isEnded) this.emit("trouble", error);
  }

  /**
   * Waits for what is on its way (at most `drainMilliseconds`, default 5,000), sends DISCONNECT and closes. What is still
   * unanswered then is rejected with `device.publish_failed`, and so is what waits while offline.
   */
  end(options: { drainMilliseconds?: number } = {}): Promise<void> {
    this.#end ??= this.#drainAndClose(options.drainMilliseconds ?? 5_000);
    return this.#end;
  }

  async #drainAndClose(milliseconds: number): Promise<void> {
    // Time up: the stream is torn down, which ends the waiting below whatever it waits for.
    const cancel = this.#options.clock.after(milliseconds, () => this.#client?.stream.destroy());
    const isDrained = this.isOnline && (this.#unanswered === 0 || (await this.#drained()));
    await this.#close(!isDrained);
    cancel();
  }

  /** True when everything was answered; false when the connection broke before. */
  #drained(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#onAnswered = () => resolve(true);
      this.#client?.once("close", () => resolve(false));
    });
  }

  /** Counts an operation until the server has answered it. */
  async #answered<T>(operation: Promise<T>): Promise<T> {
    this.#unanswered += 1;
    try {
      return await operation;
    } finally {
      this.#unanswered -= 1;
      if (this.#unanswered === 0) this.#onAnswered();
    }
  }

  async #close(isForced: boolean): Promise<void> {
    if (this.isEnded) return;
    this.#cancelRetry();
    this.#ending.abort();
    this.#become("ended");
    this.endServices();
    this.gateway.end();
    const client = this.#client;
    if (client !== undefined) {
      // It does not come back: only now does MQTT.js give up what waits.
      Object.assign(client.options, { reconnectPeriod: 0, clean: true });
      await client.endAsync(isForced);
    }
    this.emit("ended");
  }

  #requireClient(): MqttClient {
    if (this.#client === undefined || this.isEnded || this.#end !== undefined) throw new DeviceError("device.ended");
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

  #clientOptions(): IClientOptions {
    const { clientId, userName, password } = makeCredentials(this.#options, this.#grant);
    return {
      protocolVersion: 4,
      clientId,
      username: userName,
      password,
      keepalive: this.#options.keepAliveSeconds,
      clean: this.#options.isCleanSession,
      connectTimeout: this.#options.connectTimeoutMilliseconds,
      reconnectPeriod: this.#options.reconnect === undefined ? 0 : neverMilliseconds,
      // MQTT.js would put all filters into one SUBSCRIBE, more than the cloud takes.
      resubscribe: false,
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
      const onError = (error: Error) => settle(connectError(error, server));
      const onClose = () => settle(new DeviceError("device.connect_failed", { server, reason: "the server closed the connection" }));
      const settle = (error?: DeviceError) => {
        cancel();
        client.off("error", onError).off("close", onClose);
        // From here on errors are told by event; without a listener MQTT.js would throw them.
        client.on("error", (later) => this.#handleLaterError(later));
        // Nothing reconnects before the first CONNACK: a wrong key must be told, not tried again.
        if (error !== undefined) return reject(error);
        client.on("close", () => this.#handleClose());
        resolve();
      };
      client.once("connect", () => settle());
      client.on("error", onError).on("close", onClose);
      client.on("connect", (packet) => {
        const isFirst = this.#state === "connecting";
        this.#attempt = 0;
        this.#refusalCode = undefined;
        this.#become("online");
        if (!isFirst && !packet.sessionPresent) this.#subscribeAgain();
        this.emit("online", { isSessionPresent: packet.sessionPresent });
        this.resumeServices();
        void this.gateway.resume();
      });
    });
  }

  /** Every try ends here, with or without a refusal before. */
  #handleClose(): void {
    if (this.isEnded) return;
    if (this.isOnline) {
      this.#become("offline");
      this.emit("offline");
      this.gateway.suspend();
    }
    this.#scheduleRetry();
  }

  #handleLaterError(error: Error): void {
    if (this.isEnded) return;
    const { host, port } = this.#target();
    this.#refusalCode = refusalCodeOf(error);
    this.emit("trouble", connectError(error, `${host}:${port}`));
  }

  /** A refusal is no reason to stay away: the device may be enabled again, a token can be renewed. */
  #scheduleRetry(): void {
    const { reconnect, clock } = this.#options;
    if (reconnect === undefined || this.#end !== undefined) return;
    const delayMilliseconds = reconnectDelay(reconnect, this.#attempt, clock);
    this.emit("reconnecting", { attempt: this.#attempt, delayMilliseconds });
    this.#attempt += 1;
    this.#cancelRetry = clock.after(delayMilliseconds, () => void this.#retry());
  }

  async #retry(): Promise<void> {
    const isTokenRefused = this.#options.mode === "preauth" && this.#refusalCode === tokenRefused;
    this.#refusalCode = undefined;
    try {
      if (isTokenRefused) this.#grant = await preAuthenticate(this.#options, this.#ending.signal);
    } catch (error) {
      if (this.isEnded) return;
      if (error instanceof DeviceError) this.emit("trouble", error);
      this.#refusalCode = tokenRefused;
      this.#scheduleRetry();
      return;
    }
    this.#reopen();
  }

  /** The server forgot the session: its subscriptions are made anew, in packets no larger than the cloud takes. */
  #subscribeAgain(): void {
    for (const portion of this.#subscriptions.portions()) {
      this.#sendSubscribe(portion).catch((error: unknown) => {
        // A break meanwhile is told by its own event, and the next connection subscribes again.
        if (error instanceof DeviceError && error.code === "device.subscribe_refused") this.tell(error);
      });
    }
  }

  #reopen(): void {
    const client = this.#client;
    if (client === undefined || this.isEnded) return;
    const { clientId, userName, password } = makeCredentials(this.#options, this.#grant);
    Object.assign(client.options, { clientId, username: userName, password });
    client.reconnect({ incomingStore: client.incomingStore, outgoingStore: client.outgoingStore });
  }

  #receive(topic: string, payload: Buffer, packet: IPublishPacket): void {
    const message: ReceivedMessage = { topic, payload, qos: packet.qos, isDuplicate: packet.dup };
    this.#subscriptions.guard(() => this.emit("message", message));
    this.#subscriptions.dispatch(message);
    this.#overheard.dispatch(message);
  }
}

/** Makes a device and connects it. Throws what {@link Device.connect} throws. */
export async function connect(options: DeviceOptions): Promise<Device> {
  const device = new Device(options);
  await device.connect();
  return device;
}
