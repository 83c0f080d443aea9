/**
 * What is told about devices: reports, status, lifecycle. Rules read it by topic, server-side subscriptions by kind. The
 * topics and bodies are a cloud's; who tells gives them ready.
 */
import type { Message, Tap } from "@thingstead/mqtt";
import type { RuleEngine } from "../rules/index.ts";

/** What a subscriber can ask for (alibaba-server.md, 3.4). */
export type DeviceEventKind =
  /** Custom topics, properties, events, batches, answers to calls. */
  "data" | "status" | "lifecycle" | "topology" | "found" | "history" | "ota" | "ota_version" | "ota_job" | "tags";

export interface DeviceEvent {
  readonly kind: DeviceEventKind;
  readonly productKey: string;
  /** Absent: about no single device. */
  readonly deviceName?: string;
  readonly topic: string;
  /** Valid during the call only. */
  readonly payload: Uint8Array;
  /** The device's own, 1 for what the platform tells. */
  readonly qos: 0 | 1;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Hears of events in the order in which they happened, each device's own. */
interface DeviceEventSink {
  /** Asked before a body is written; cheap. */
  wants(kind: DeviceEventKind, productKey: string): boolean;
  /** The promise of what must be safe before the device is acknowledged. */
  accept(event: DeviceEvent): undefined | Promise<void>;
}

interface NewDeviceEvent extends Omit<DeviceEvent, "payload"> {
  /** Written only when somebody listens. */
  body: () => object;
}

export interface DeviceEvents {
  /** Tells rules and sinks; resolves when what they owe is safe. Undefined when nobody owes anything. */
  tell(event: NewDeviceEvent): undefined | Promise<void>;
  /** Whether anybody would hear of it: spares work for nobody. */
  hasListeners(kind: DeviceEventKind, productKey: string, topic: string): boolean;
  /** Custom topics: the taps of rules and of sinks that want this product's data. */
  tapsFor(topic: string): readonly Tap[];
  /** The same for a message whose payload a script made anew. */
  offer(message: Message): undefined | Promise<void>;
  /** Grants compiled before do not know of it: the caller has them forgotten. */
  addSink(sink: DeviceEventSink): void;
}

export interface DeviceEventsPorts {
  rules: Pick<RuleEngine, "offer" | "tapsFor">;
  /** The device of a custom topic. */
  topicOwner(topic: string): { productKey: string; deviceName: string } | undefined;
}

export function createDeviceEvents({ rules, topicOwner }: DeviceEventsPorts): DeviceEvents {
  const sinks: DeviceEventSink[] = [];
  const none: readonly DeviceEventSink[] = [];

  function listenersOf(kind: DeviceEventKind, productKey: string): readonly DeviceEventSink[] {
    return sinks.length === 0 ? none : sinks.filter((sink) => sink.wants(kind, productKey));
  }

  function tellSinks(listeners: readonly DeviceEventSink[], event: DeviceEvent, waits: Promise<void>[]): void {
    for (const sink of listeners) {
      const wait = sink.accept(event);
      if (wait !== undefined) waits.push(wait);
    }
  }

  function sinkTap(listeners: readonly DeviceEventSink[], topic: string, owner: { productKey: string; deviceName: string }): Tap {
    return ({ payload, qos, receivedAt }) => {
      const waits: Promise<void>[] = [];
      tellSinks(listeners, { kind: "data", ...owner, topic, payload, qos: qos === 0 ? 0 : 1, time: receivedAt }, waits);
      return together(waits);
    };
  }

  function tapsFor(topic: string): readonly Tap[] {
    const taps = rules.tapsFor(topic);
    if (sinks.length === 0) return taps;
    const owner = topicOwner(topic);
    if (owner === undefined) return taps;
    const listeners = listenersOf("data", owner.productKey);
    return listeners.length === 0 ? taps : [...taps, sinkTap(listeners, topic, owner)];
  }

  return {
    tell({ body, ...event }) {
      const { kind, productKey, topic, qos, time } = event;
      const hasReaders = rules.tapsFor(topic).length > 0;
      const listeners = listenersOf(kind, productKey);
      if (!hasReaders && listeners.length === 0) return undefined;
      const payload = Buffer.from(JSON.stringify(body()));
      const waits: Promise<void>[] = [];
      tellSinks(listeners, { ...event, payload }, waits);
      const wait = hasReaders ? rules.offer({ topic, payload, qos, isRetained: false, receivedAt: time, hops: 0 }) : undefined;
      if (wait !== undefined) waits.push(wait);
      return together(waits);
    },
    hasListeners: (kind, productKey, topic) => rules.tapsFor(topic).length > 0 || listenersOf(kind, productKey).length > 0,
    tapsFor,
    offer(message) {
      const waits: Promise<void>[] = [];
      for (const tap of tapsFor(message.topic)) {
        const wait = tap(message);
        if (wait !== undefined) waits.push(wait);
      }
      return together(waits);
    },
    addSink(sink) {
      sinks.push(sink);
    },
  };
}

function together(waits: Promise<void>[]): undefined | Promise<void> {
  if (waits.length < 2) return waits[0];
  return Promise.all(waits).then(() => undefined);
}
