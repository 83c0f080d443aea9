/** A cloud without a connection: what a service sends is kept, what it listens to can be told. Time stands still. */
import { DeviceError } from "../errors.ts";
import { type DeviceLimits, defaultDeviceLimits } from "../limits.ts";
import type { Link } from "../link.ts";
import { type ReceivedMessage, Subscriptions } from "../subscriptions.ts";

export interface Sent {
  topic: string;
  payload: Buffer;
  qos: 0 | 1;
}

export function createFakeLink(options: { limits?: Partial<DeviceLimits>; acceptsCustomRrpc?: boolean } = {}) {
  const subscriptions = new Subscriptions((error) => {
    throw error;
  });
  const filters = new Set<string>();
  const sent: Sent[] = [];
  const troubles: DeviceError[] = [];
  const timers = new Set<{ at: number; task: () => void }>();
  let now = 1_600_000_000_000;
  let isOnline = true;
  let onSent: (message: Sent) => void = () => {};
  let refused: string | undefined;

  const link: Link = {
    productKey: "pk",
    deviceName: "dn",
    limits: { ...defaultDeviceLimits, ...options.limits },
    acceptsCustomRrpc: options.acceptsCustomRrpc ?? false,
    downloads: {
      allowsPlain: false,
      open() {
        throw new Error("no downloads here");
      },
    },
    clock: {
      now: () => now,
      random: () => 0,
      after(milliseconds, task) {
        const timer = { at: now + milliseconds, task };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    },
    isOnline: () => isOnline,
    async publish(topic, payload, { qos = 0 } = {}) {
      const message = { topic, payload: Buffer.from(payload), qos };
      sent.push(message);
      onSent(message);
    },
    async listen(filter, handler) {
      if (filter === refused) throw new DeviceError("device.subscribe_refused", { filter });
      subscriptions.add(filter, 1, handler);
      filters.add(filter);
      return async () => {
        if (subscriptions.remove(filter, handler)) filters.delete(filter);
      };
    },
    overhear(filter, handler) {
      subscriptions.add(filter, 1, handler);
      return () => void subscriptions.remove(filter, handler);
    },
    tell: (error) => void troubles.push(error),
  };

  return {
    link,
    sent,
    troubles,
    filters,
    timers,
    /** Something arrives. */
    deliver(topic: string, payload: string | object | Uint8Array) {
      const bytes = payload instanceof Uint8Array ? payload : typeof payload === "string" ? payload : JSON.stringify(payload);
      const message: ReceivedMessage = { topic, payload: Buffer.from(bytes), qos: 1, isDuplicate: false };
      subscriptions.dispatch(message);
    },
    /** Answers every message as it is sent. */
    answer(answerer: (message: Sent) => void) {
      onSent = answerer;
    },
    refuse(filter: string) {
      refused = filter;
    },
    setOnline(value: boolean) {
      isOnline = value;
    },
    advance(milliseconds: number) {
      now += milliseconds;
      for (const timer of [...timers]) {
        if (timer.at > now) continue;
        timers.delete(timer);
        timer.task();
      }
    },
  };
}

/** The JSON of what was sent. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at members by name
export const jsonOf = ({ payload }: Sent): any => JSON.parse(payload.toString());

/** Lets everything that waits for no timer come to its end. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));
