/** Messages of the platform's own to one device, on topics of its cloud. */
import type { RouteOutcome } from "@thingstead/mqtt";

export interface DownlinkMessage {
  productKey: string;
  deviceName: string;
  topic: string;
  payload: Uint8Array;
  qos: 0 | 1;
}

/** A sub-device is reached through the connection of its gateway. */
export interface Downlink {
  /** To whoever subscribed, by a SUBSCRIBE or by the cloud's automatic subscription; to nobody else. */
  send(message: DownlinkMessage): RouteOutcome;
  /** To the device's connection whether it subscribed or not: what a cloud sends unasked (registration, broadcasts). False when not connected. */
  push(message: DownlinkMessage): boolean;
  isOnline(productKey: string, deviceName: string): boolean;
}

export type RrpcOutcome =
  | { kind: "success"; messageId: string; payload: Buffer }
  /** `half_connected`: the connection was lost less than one keep-alive period ago. */
  | { kind: "timeout" | "offline" | "half_connected"; messageId: string };

/** Request and response with a device while the caller waits (alibaba-device.md, 8.4). */
export interface Rrpc {
  /**
   * Throws `messages.rrpc_timeout_range`, `messages.payload_too_large`, `messages.invalid_topic`, `registry.device_not_found`.
   * `topic`: a custom topic of the device, carried as `/ext/rrpc/<messageId><topic>`; absent: the system RRPC topic.
   */
  call(request: {
    productKey: string;
    deviceName: string;
    payload: Uint8Array;
    timeoutMilliseconds: number;
    topic?: string;
  }): Promise<RrpcOutcome>;
  /** The device answered. False when nobody waits for that id from that device. */
  answered(productKey: string, deviceName: string, messageId: string, payload: Uint8Array): boolean;
}
