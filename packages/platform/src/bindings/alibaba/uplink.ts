/** What a handler of one system topic gets, whatever the family. */
import type { DeviceRef } from "../../things/index.ts";

/** The device that speaks; `gateway` when it does so through another one's connection. */
export interface UplinkDevice extends DeviceRef {
  readonly gateway?: DeviceRef;
}

export interface Uplink {
  readonly device: UplinkDevice;
  readonly topic: string;
  /** What `${event}`, `${service}`, `${messageId}` of the row stand for in this topic. */
  readonly parts: Readonly<Record<string, string>>;
  /** Valid during the call only: whoever waits copies it or has parsed it before. */
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

/**
 * The PUBACK waits for the promise. A device's fault is answered with a code of alibaba-device.md, 5.11, and written to the
 * device log; it neither throws nor rejects.
 */
export type UplinkHandler = (uplink: Uplink) => undefined | Promise<void>;

/** By the template of the row in the dialect's system topic table. */
export type UplinkHandlers = Readonly<Record<string, UplinkHandler>>;
