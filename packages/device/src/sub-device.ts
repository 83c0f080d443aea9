/** A device behind a gateway: the services of a direct one, on the gateway's connection. Source: alibaba-device.md, 6. */
import { formatDeviceReply, readAlinkRequest } from "@thingstead/dialects";
import { DeviceError } from "./errors.ts";
import type { Link, Stop } from "./link.ts";
import { ServicedDevice } from "./serviced-device.ts";
import { type MessageHandler, type ReceivedMessage, Subscriptions } from "./subscriptions.ts";

/** How a sub-device uses its gateway's connection. Its filters are its own to keep: they are worth nothing before its login. */
export interface Carrier {
  publish(topic: string, payload: string | Uint8Array, options?: { qos?: 0 | 1 }): Promise<void>;
  subscribe(filters: Readonly<Record<string, { qos: 0 | 1 }>>): Promise<void>;
  unsubscribe(filter: string): Promise<void>;
}

/** Why a sub-device is away. */
export type SubDeviceAbsence = "gateway" | "refused" | "removed" | "logout";
export type LifecycleChange = "disabled" | "enabled" | "deleted";

export interface SubDeviceEvents {
  online: [];
  offline: [reason: SubDeviceAbsence];
  message: [message: ReceivedMessage];
  trouble: [error: DeviceError];
  ended: [];
}

const lifecycleTopics: Readonly<Record<LifecycleChange, string>> = { disabled: "disable", enabled: "enable", deleted: "delete" };

/** Made by `gateway.login`. */
export class SubDevice extends ServicedDevice<SubDeviceEvents> {
  readonly #carrier: Carrier;
  readonly #session: { login(): Promise<void>; logout(): Promise<void> };
  readonly #subscriptions = new Subscriptions();
  readonly #overheard = new Subscriptions();
  #state: "offline" | "online" | "ended" = "offline";

  constructor(
    gateway: Link,
    names: { productKey: string; deviceName: string },
    carrier: Carrier,
    session: { login(): Promise<void>; logout(): Promise<void> },
  ) {
    const { clock, limits, downloads, acceptsCustomRrpc } = gateway;
    super({ ...names, clock, limits, downloads, acceptsCustomRrpc });
    this.#carrier = carrier;
    this.#session = session;
  }

  override get isOnline(): boolean {
    return this.#state === "online";
  }

  get isEnded(): boolean {
    return this.#state === "ended";
  }

  /** @throws DeviceError `device.sub_device_offline`, and what the gateway's `publish` throws */
  override async publish(topic: string, payload: string | Uint8Array, options: { qos?: 0 | 1 } = {}): Promise<void> {
    this.#requireOnline();
    await this.#carrier.publish(topic, payload, options);
  }

  /** @throws DeviceError `device.sub_device_offline`, and what the gateway's `subscribe` throws */
  override async subscribe(filter: string, handler: MessageHandler, options: { qos?: 0 | 1 } = {}): Promise<void> {
    this.#requireOnline();
    const qos = options.qos ?? 0;
    this.#subscriptions.add(filter, qos, handler);
    try {
      await this.#carrier.subscribe({ [filter]: { qos } });
    } catch (error) {
      this.#subscriptions.remove(filter, handler);
      throw error;
    }
  }

  override async unsubscribe(filter: string, handler?: MessageHandler): Promise<void> {
    if (handler !== undefined && !this.#subscriptions.remove(filter, handler)) return;
    this.#subscriptions.delete(filter);
    if (this.isOnline) await this.#carrier.unsubscribe(filter);
  }

  /** Tells when the cloud disables, enables or deletes this sub-device; the cloud is answered. */
  async onLifecycle(handler: (change: LifecycleChange) => void): Promise<Stop> {
    const stops: Stop[] = [];
    for (const change of ["disabled", "enabled", "deleted"] as const) {
      const topic = this.requests.sys(`thing/${lifecycleTopics[change]}`);
      const stop = await this.link.listen(topic, ({ payload }) => {
        const request = readAlinkRequest(payload);
        if (request.kind === "request") {
          this.publish(`${topic}_reply`, formatDeviceReply({ id: request.id, code: 200 }), { qos: 1 }).catch(() => {});
        }
        handler(change);
      });
      stops.push(stop);
    }
    return async () => {
      for (const stop of stops) await stop();
    };
  }

  /** Logs out. The object is of no further use. */
  async logout(): Promise<void> {
    if (this.isEnded) return;
    this.suspend("logout");
    this.#end();
    await this.#session.logout();
  }

  /** Ends the object without a word to the cloud. */
  end(): void {
    if (!this.isEnded) this.#end();
  }

  /** For the gateway: logs in (again) and makes the subscriptions anew. */
  async resume(): Promise<void> {
    if (this.isEnded) throw new DeviceError("device.ended");
    await this.#session.login();
    for (const portion of this.#subscriptions.portions()) await this.#carrier.subscribe(portion);
    if (this.#state !== "offline") return;
    this.#state = "online";
    this.emit("online");
    this.resumeServices();
  }

  /** For the gateway: the session is gone. */
  suspend(reason: SubDeviceAbsence): void {
    if (this.#state !== "online") return;
    this.#state = "offline";
    this.emit("offline", reason);
  }

  /** For the gateway: what came for this sub-device. */
  handleMessage(message: ReceivedMessage): void {
    this.#subscriptions.guard(() => this.emit("message", message));
    this.#subscriptions.dispatch(message);
    this.#overheard.dispatch(message);
  }

  /** For the gateway: what the cloud says against it. */
  handleTrouble(error: DeviceError): void {
    if (!this.isEnded) this.emit("trouble", error);
  }

  protected override overhear(filter: string, handler: MessageHandler): () => void {
    this.#overheard.add(filter, 1, handler);
    return () => void this.#overheard.remove(filter, handler);
  }

  protected override tell(error: DeviceError): void {
    this.handleTrouble(error);
  }

  #end(): void {
    this.#state = "ended";
    this.endServices();
    this.emit("ended");
  }

  #requireOnline(): void {
    if (this.isEnded) throw new DeviceError("device.ended");
    if (!this.isOnline) throw new DeviceError("device.sub_device_offline", { deviceName: this.deviceName });
  }
}
