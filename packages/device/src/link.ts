/** What a service asks of the device that it belongs to, be it direct or behind a gateway. */
import type { Clock } from "./clock.ts";
import type { DownloadAccess } from "./download.ts";
import type { DeviceError } from "./errors.ts";
import type { DeviceLimits } from "./limits.ts";
import type { MessageHandler } from "./subscriptions.ts";

/** Ends what was begun: the handler gets nothing more, and the subscription goes with its last handler. */
export type Stop = () => Promise<void>;

export interface Link {
  readonly productKey: string;
  readonly deviceName: string;
  readonly clock: Clock;
  readonly limits: DeviceLimits;
  /** How to fetch what a link in a message leads to. */
  readonly downloads: DownloadAccess;
  /** The device told the cloud that it takes RRPC on custom topics (`ext` bit 0). */
  readonly acceptsCustomRrpc: boolean;
  isOnline(): boolean;
  publish(topic: string, payload: string | Uint8Array, options?: { qos?: 0 | 1 }): Promise<void>;
  /** SUBSCRIBEs with QoS 1; resolves when the server took it. */
  listen(filter: string, handler: MessageHandler): Promise<Stop>;
  /** For topics that are pushed to devices that never subscribed. */
  overhear(filter: string, handler: MessageHandler): () => void;
  /** Tells of trouble that no call waits for. */
  tell(error: DeviceError): void;
}
