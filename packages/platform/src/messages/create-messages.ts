/** Messages from programs, people and rules to devices: only where a device may listen. */
import type { Dialect, TopicClass } from "@thingstead/dialects";
import type { Broker, CloudMessage, Message, RouteOutcome } from "@thingstead/mqtt";
import type { Clock } from "../clock.ts";
import type { DeviceLog } from "../device-log/index.ts";
import { PlatformError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import type { Republisher } from "../rules/index.ts";
import type { MessageLimits } from "./limits.ts";
import { createMessageIds } from "./message-ids.ts";
import type { Messages } from "./messages.ts";

/** Topics that are no single device's: whoever has the right to may listen there. */
export interface OpenTopics {
  /** Undefined: none of these. Otherwise what is wrong with it, if anything, and whether subscribers get what is published on it. */
  check(topic: string): { fault?: { received: string; expected: string }; isRouted: boolean } | undefined;
  /** Those who handle what is published there, besides subscribers and rules. */
  offer(message: Message): undefined | Promise<void>;
}

export interface MessagesPorts {
  /** Asked in this order whose topic it is. */
  dialects: readonly Pick<Dialect, "topicOwner" | "compileRights">[];
  registry: Pick<Registry, "getDevice">;
  /** Current topic classes of a product, from memory when possible. */
  topicBook: { open(productKey: string): Promise<{ readonly classes: readonly TopicClass[] }> };
  broker: Pick<Broker, "publish" | "committed">;
  /** Absent: only topics of devices are published to. */
  openTopics?: OpenTopics;
  deviceLog: Pick<DeviceLog, "write" | "wants">;
  clock: Pick<Clock, "now">;
  /** Shared with others that name messages; absent: ids of its own. */
  nextMessageId?: () => string;
  limits: MessageLimits;
}

interface Target {
  productKey: string;
  deviceName: string;
}

/** The doors of programs (`publish`) and of rules (`republish`) with the same checks. */
export function createMessages(ports: MessagesPorts): Messages & Republisher {
  const nextId = ports.nextMessageId ?? createMessageIds(ports.clock);

  /** Throws unless the message may go to the topic's device. */
  async function check({ topic, payload, qos }: Pick<CloudMessage, "topic" | "payload" | "qos">): Promise<Target> {
    checkText(topic);
    checkSize(payload, qos);
    const { topicBytesMax } = ports.limits;
    const bytes = Buffer.byteLength(topic);
    if (bytes > topicBytesMax) {
      throw new PlatformError("messages.invalid_topic", { received: `of ${bytes} bytes`, expected: `at most ${topicBytesMax} bytes` });
    }
    for (const dialect of ports.dialects) {
      const owner = dialect.topicOwner(topic);
      if (owner !== undefined) return checkRight(dialect, owner, topic);
    }
    throw new PlatformError("messages.invalid_topic", { received: topic, expected: "/productKey/deviceName/… of a device" });
  }

  function checkSize(payload: Uint8Array, qos: number): void {
    if (qos !== 0 && qos !== 1) throw new PlatformError("messages.invalid_qos", { received: String(qos), expected: "0 or 1" });
    const { payloadBytesMax } = ports.limits;
    if (payload.byteLength > payloadBytesMax) {
      throw new PlatformError("messages.payload_too_large", { received: payload.byteLength, expected: payloadBytesMax });
    }
  }

  async function checkRight(dialect: MessagesPorts["dialects"][number], owner: Target, topic: string): Promise<Target> {
    await ports.registry.getDevice(owner.productKey, owner.deviceName);
    const { classes } = await ports.topicBook.open(owner.productKey);
    const decision = dialect.compileRights(owner.productKey, owner.deviceName, classes).subscribe(topic);
    if (decision.kind === "refused") {
      throw new PlatformError("messages.topic_not_subscribable", { received: topic, expected: decision.expected ?? "a topic class" });
    }
    return owner;
  }

  function log(kind: "deliver" | "forward", target: Target, message: CloudMessage, outcome: RouteOutcome, messageId: string): void {
    if (!ports.deviceLog.wants(kind, target.productKey, target.deviceName)) return;
    const isTaken = outcome.delivered + outcome.queued > 0;
    ports.deviceLog.write({
      kind,
      code: isTaken ? `message.${kind === "forward" ? "republished" : "sent"}` : "message.no_subscriber",
      isSuccess: isTaken,
      productKey: target.productKey,
      deviceName: target.deviceName,
      topic: message.topic,
      qos: message.qos,
      payloadBytes: message.payload.byteLength,
      reason: isTaken
        ? `Message ${messageId}: delivered to ${outcome.delivered}, queued for ${outcome.queued}.`
        : `Message ${messageId} reached nobody: no session has subscribed to the topic, or the device is offline and the QoS is 0.`,
    });
  }

  async function send(kind: "deliver" | "forward", message: CloudMessage): Promise<{ messageId: string } & RouteOutcome> {
    const open = ports.openTopics?.check(message.topic);
    if (open !== undefined) return sendOpen(message, open);
    const target = await check(message);
    const outcome = ports.broker.publish(message);
    // The answer, or the PUBACK of the message that a rule sent on, says that it is safe.
    if (outcome.isOwed === true) await ports.broker.committed();
    const messageId = nextId();
    log(kind, target, message, outcome, messageId);
    return { messageId, delivered: outcome.delivered, queued: outcome.queued };
  }

  async function sendOpen(
    message: CloudMessage,
    { fault, isRouted }: NonNullable<ReturnType<OpenTopics["check"]>>,
  ): Promise<{ messageId: string } & RouteOutcome> {
    checkText(message.topic);
    if (fault !== undefined) throw new PlatformError("messages.invalid_topic", { ...fault });
    checkSize(message.payload, message.qos);
    const outcome = isRouted ? ports.broker.publish(message) : { delivered: 0, queued: 0 };
    await ports.openTopics?.offer({ hops: 0, ...message, isRetained: false, receivedAt: ports.clock.now() });
    if (outcome.isOwed === true) await ports.broker.committed();
    return { messageId: nextId(), delivered: outcome.delivered, queued: outcome.queued };
  }

  return {
    publish: ({ topic, payload, qos, hops }) => send("deliver", { topic, payload, qos, ...(hops === undefined ? {} : { hops }) }),
    async republish(message) {
      await send("forward", message);
    },
  };
}

function checkText(topic: string): void {
  if (topic.includes("${")) throw new PlatformError("messages.topic_unfilled", { received: topic, expected: "every ${…} filled" });
  if (/[+#\0]/.test(topic)) throw new PlatformError("messages.invalid_topic", { received: topic, expected: "no +, # or NUL" });
}
