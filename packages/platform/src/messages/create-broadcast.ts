/** One message to many devices (alibaba-device.md, 8.5). */
import type { Dialect } from "@thingstead/dialects";
import type { Broker } from "@thingstead/mqtt";
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import type { Downlink } from "./downlink.ts";
import type { MessageLimits } from "./limits.ts";

export interface Broadcast {
  /**
   * To every device of the product that is connected by itself, whether it subscribed or not. Resolves when all have it.
   * Throws `registry.product_not_found`, `messages.payload_too_large`, `messages.broadcast_rate`.
   */
  toProduct(productKey: string, payload: Uint8Array): Promise<{ messageId: string; delivered: number }>;
  /**
   * To whoever is connected and subscribed to the product's broadcast topic. Throws `registry.product_not_found`,
   * `messages.payload_too_large`, `messages.invalid_topic`.
   */
  toSubscribers(topic: string, payload: Uint8Array): Promise<{ messageId: string; delivered: number }>;
}

export interface BroadcastPorts {
  broker: Pick<Broker, "publish" | "sessionIdsOf">;
  downlink: Pick<Downlink, "push">;
  registry: Pick<Registry, "getProduct">;
  topics: NonNullable<Dialect["broadcastTopics"]>;
  /** The sessions of a product begin so. */
  sessionPrefixOf(productKey: string): string;
  nextMessageId(): string;
  clock: Pick<Clock, "now" | "soon">;
  limits: MessageLimits;
}

export function createBroadcast(ports: BroadcastPorts): Broadcast {
  const { broker, downlink, registry, topics, clock, limits } = ports;
  /** When a product's devices last heard one, in that order. */
  const latest = new Map<string, number>();

  async function check(productKey: string, payload: Uint8Array): Promise<void> {
    const maximum = limits.broadcastPayloadBytesMax;
    if (payload.byteLength > maximum)
      throw new PlatformError("messages.payload_too_large", { received: payload.byteLength, expected: maximum });
    await registry.getProduct(productKey);
  }

  function takeTurn(productKey: string): void {
    const now = clock.now();
    const before = latest.get(productKey);
    const seconds = before === undefined ? Number.POSITIVE_INFINITY : (now - before) / 1000;
    const expected = limits.broadcastIntervalSeconds;
    if (seconds < expected) throw new PlatformError("messages.broadcast_rate", { received: Math.floor(seconds), expected });
    latest.delete(productKey);
    latest.set(productKey, now);
    if (latest.size <= limits.broadcastProductsMax) return;
    for (const oldest of latest.keys()) {
      latest.delete(oldest);
      break;
    }
  }

  return {
    async toProduct(productKey, payload) {
      await check(productKey, payload);
      takeTurn(productKey);
      const messageId = ports.nextMessageId();
      const prefix = ports.sessionPrefixOf(productKey);
      const names = broker.sessionIdsOf(prefix).map((sessionId) => sessionId.slice(prefix.length));
      const own = Buffer.from(payload);
      let delivered = 0;
      for (const [index, deviceName] of names.entries()) {
        // A product of many devices does not hold up the others.
        if (index > 0 && index % limits.broadcastDevicesPerTurn === 0) await new Promise<void>((next) => clock.soon(next));
        const topic = topics.request(productKey, deviceName, messageId);
        if (downlink.push({ productKey, deviceName, topic, payload: own, qos: 0 })) delivered += 1;
      }
      return { messageId, delivered };
    },
    async toSubscribers(topic, payload) {
      const productKey = topics.productOf(topic);
      if (productKey === undefined || /[+#\0]/.test(topic) || Buffer.byteLength(topic) > limits.topicBytesMax) {
        throw new PlatformError("messages.invalid_topic", { received: topic, expected: "/broadcast/productKey/name" });
      }
      await check(productKey, payload);
      // QoS 0: only those who are there now.
      const { delivered } = broker.publish({ topic, payload, qos: 0 });
      return { messageId: ports.nextMessageId(), delivered };
    },
  };
}
