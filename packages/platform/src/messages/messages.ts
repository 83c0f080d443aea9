/** Messages from the cloud to devices. */
import type { RouteOutcome } from "@thingstead/mqtt";

export interface CloudPublish {
  topic: string;
  payload: Uint8Array;
  qos: 0 | 1;
  /** Rules already passed; absent for people and programs. */
  hops?: number;
}

export interface Messages {
  /**
   * Publishes to a custom topic of a device. Throws `messages.invalid_topic`, `messages.payload_too_large`,
   * `registry.device_not_found`, `messages.topic_not_subscribable` (no class with SUB or ALL right).
   * @returns the message id (decimal text, 19 digits as the vendor's) and what happened to it
   */
  publish(message: CloudPublish): Promise<{ messageId: string } & RouteOutcome>;
}
