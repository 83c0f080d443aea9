/** A request to a device whose caller waits for the response (alibaba-device.md, 8.4). */
import type { Dialect } from "@thingstead/dialects";
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import type { Downlink, Rrpc, RrpcOutcome } from "./downlink.ts";
import type { MessageLimits } from "./limits.ts";
import type { LostConnections } from "./lost-connections.ts";

interface RrpcRequest {
  productKey: string;
  deviceName: string;
  payload: Uint8Array;
  timeoutMilliseconds: number;
  /** Where the request goes; the response comes back on this topic or on its counterpart. */
  topicOf: (messageId: string) => string;
}

/** The part below the checks that callers' texts need. */
export interface RrpcExchange extends Rrpc {
  exchange(request: RrpcRequest): Promise<RrpcOutcome>;
}

export interface RrpcPorts {
  downlink: Downlink;
  registry: Pick<Registry, "getDevice">;
  /** How a cloud spells the topics. */
  topics: NonNullable<Dialect["rrpcTopics"]>;
  topicOwner(topic: string): { productKey: string; deviceName: string } | undefined;
  lost: Pick<LostConnections, "has">;
  nextMessageId(): string;
  clock: Pick<Clock, "after">;
  limits: MessageLimits;
}

interface Waiting {
  productKey: string;
  deviceName: string;
  settle(outcome: RrpcOutcome): void;
}

export function createRrpc(ports: RrpcPorts): RrpcExchange {
  const { downlink, topics, limits } = ports;
  const waiting = new Map<string, Waiting>();

  function check({ payload, timeoutMilliseconds, topic }: Parameters<Rrpc["call"]>[0], owner: string): void {
    const { rrpcTimeoutMillisecondsMin: least, rrpcTimeoutMillisecondsMax: most, payloadBytesMax, topicBytesMax } = limits;
    if (!Number.isInteger(timeoutMilliseconds) || timeoutMilliseconds < least || timeoutMilliseconds > most) {
      throw new PlatformError("messages.rrpc_timeout_range", { received: timeoutMilliseconds, expected: `${least} to ${most}` });
    }
    if (payload.byteLength > payloadBytesMax) {
      throw new PlatformError("messages.payload_too_large", { received: payload.byteLength, expected: payloadBytesMax });
    }
    if (topic === undefined) return;
    const names = ports.topicOwner(topic);
    const isOwn = names !== undefined && `${names.productKey}/${names.deviceName}` === owner;
    if (isOwn && !/[+#\0]/.test(topic) && Buffer.byteLength(topic) <= topicBytesMax) return;
    throw new PlatformError("messages.invalid_topic", { received: topic, expected: `/${owner}/… of at most ${topicBytesMax} bytes` });
  }

  async function exchange(request: RrpcRequest): Promise<RrpcOutcome> {
    const { productKey, deviceName, payload, timeoutMilliseconds } = request;
    const messageId = ports.nextMessageId();
    if (!downlink.isOnline(productKey, deviceName)) {
      return { kind: ports.lost.has(productKey, deviceName) ? "half_connected" : "offline", messageId };
    }
    if (waiting.size >= limits.rrpcPendingMax) {
      throw new PlatformError("messages.rrpc_busy", { received: waiting.size, expected: limits.rrpcPendingMax });
    }
    return new Promise((resolve) => {
      const settle = (outcome: RrpcOutcome) => {
        waiting.delete(messageId);
        cancel();
        resolve(outcome);
      };
      const cancel = ports.clock.after(timeoutMilliseconds, () => settle({ kind: "timeout", messageId }));
      waiting.set(messageId, { productKey, deviceName, settle });
      const topic = request.topicOf(messageId);
      const { delivered, queued } = downlink.send({ productKey, deviceName, topic, payload, qos: 0 });
      // Nobody heard it: waiting would end the same way.
      if (delivered + queued === 0) settle({ kind: "timeout", messageId });
    });
  }

  return {
    exchange,
    async call(request) {
      const { productKey, deviceName, payload, timeoutMilliseconds, topic } = request;
      check(request, `${productKey}/${deviceName}`);
      await ports.registry.getDevice(productKey, deviceName);
      const topicOf = (messageId: string) =>
        topic === undefined ? topics.request(productKey, deviceName, messageId) : topics.custom(messageId, topic);
      return exchange({ productKey, deviceName, payload, timeoutMilliseconds, topicOf });
    },
    answered(productKey, deviceName, messageId, payload) {
      const call = waiting.get(messageId);
      if (call === undefined || call.productKey !== productKey || call.deviceName !== deviceName) return false;
      call.settle({ kind: "success", messageId, payload: Buffer.from(payload) });
      return true;
    },
  };
}
