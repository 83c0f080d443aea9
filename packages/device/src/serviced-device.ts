/** What a direct device and a sub-device have in common: everything but how they reach the cloud. */
import { EventEmitter } from "node:events";
import type { ThingTypes } from "@thingstead/thing-model";
import type { Clock } from "./clock.ts";
import type { DownloadAccess } from "./download.ts";
import { DeviceError } from "./errors.ts";
import type { DeviceLimits } from "./limits.ts";
import type { Link, Stop } from "./link.ts";
import { Requests } from "./requests.ts";
import { BroadcastClient } from "./services/broadcasts.ts";
import { ConfigClient } from "./services/config.ts";
import { FileClient } from "./services/files.ts";
import { JobClient } from "./services/jobs.ts";
import { LogClient } from "./services/log.ts";
import { OtaClient } from "./services/ota.ts";
import { RrpcClient, RrpcDesk } from "./services/rrpc.ts";
import { ShadowClient } from "./services/shadow.ts";
import { TagClient } from "./services/tags.ts";
import { type AnyThing, ThingClient } from "./services/thing.ts";
import { TimeClient } from "./services/time.ts";
import type { MessageHandler } from "./subscriptions.ts";

export interface DeviceSettings {
  productKey: string;
  deviceName: string;
  clock: Clock;
  limits: DeviceLimits;
  downloads: DownloadAccess;
  acceptsCustomRrpc: boolean;
}

/** Nothing is subscribed and nothing is sent before a service is used. */
export abstract class ServicedDevice<E extends Record<keyof E, unknown[]>> extends EventEmitter<E> {
  readonly productKey: string;
  readonly deviceName: string;
  readonly shadow: ShadowClient;
  readonly tags: TagClient;
  readonly time: TimeClient;
  readonly config: ConfigClient;
  readonly log: LogClient;
  readonly rrpc: RrpcClient;
  readonly broadcasts: BroadcastClient;
  readonly jobs: JobClient;
  readonly files: FileClient;
  readonly ota: OtaClient;
  readonly #link: Link;
  readonly #requests: Requests;
  readonly #desk: RrpcDesk;

  constructor(settings: DeviceSettings) {
    super();
    const { productKey, deviceName, clock, limits, downloads, acceptsCustomRrpc } = settings;
    this.productKey = productKey;
    this.deviceName = deviceName;
    const link: Link = {
      productKey,
      deviceName,
      clock,
      limits,
      downloads,
      acceptsCustomRrpc,
      isOnline: () => this.isOnline,
      publish: (topic, payload, options) => this.publish(topic, payload, options),
      listen: (filter, handler) => this.#listen(filter, handler),
      overhear: (filter, handler) => this.overhear(filter, handler),
      tell: (error) => this.tell(error),
    };
    this.#link = link;
    this.#requests = new Requests(link);
    this.#desk = new RrpcDesk(link);
    this.shadow = new ShadowClient(link);
    this.tags = new TagClient(this.#requests);
    this.time = new TimeClient(link);
    this.config = new ConfigClient(link, this.#requests);
    this.log = new LogClient(link, this.#requests);
    this.rrpc = new RrpcClient(link, this.#desk);
    this.broadcasts = new BroadcastClient(link);
    this.jobs = new JobClient(link, this.#requests);
    this.files = new FileClient(link, this.#requests);
    this.ota = new OtaClient(link, this.#requests);
  }

  abstract get isOnline(): boolean;
  abstract publish(topic: string, payload: string | Uint8Array, options?: { qos?: 0 | 1 }): Promise<void>;
  abstract subscribe(filter: string, handler: MessageHandler, options?: { qos?: 0 | 1 }): Promise<void>;
  abstract unsubscribe(filter: string, handler?: MessageHandler): Promise<void>;

  /** Hears what comes unasked. Returns what ends it. */
  protected abstract overhear(filter: string, handler: MessageHandler): () => void;
  protected abstract tell(error: DeviceError): void;

  async #listen(filter: string, handler: MessageHandler): Promise<Stop> {
    await this.subscribe(filter, handler, { qos: 1 });
    return async () => {
      try {
        await this.unsubscribe(filter, handler);
      } catch (error) {
        // With the device its subscriptions ended, too.
        if (!(error instanceof DeviceError) || error.code !== "device.ended") throw error;
      }
    };
  }

  /** The device by its thing model; `T` is what `thingstead tsl types` writes. */
  thing<T extends ThingTypes = AnyThing>(): ThingClient<T> {
    return new ThingClient<T>(this.#link, this.#requests, this.#desk);
  }

  /** The full topic of this device for a short name: `data` -> `/productKey/deviceName/data`. */
  topic(shortName: string): string {
    return `/${this.productKey}/${this.deviceName}/${shortName}`;
  }

  protected get link(): Link {
    return this.#link;
  }

  protected get requests(): Requests {
    return this.#requests;
  }

  protected resumeServices(): void {
    this.#requests.handleOnline();
  }

  protected endServices(): void {
    this.#requests.end();
    this.shadow.end();
  }
}
