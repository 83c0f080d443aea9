/** A session's rights: the dialect decides, this adds who listens. */
import type { Dialect, TopicDecision, TopicRights } from "@thingstead/dialects";
import type { Message, PublishGrant, QoS, Refusal, SessionRights, SubscribeGrant, Tap } from "@thingstead/mqtt";
import type { DeviceLog } from "../device-log/index.ts";
import type { SubDeviceRights } from "./sub-devices.ts";
import type { DeviceSubject } from "./subject.ts";
import type { TopicPage } from "./topic-book.ts";

/** Who listens to custom topics: the rules. */
export interface PublishListeners {
  tapsFor(topic: string): readonly Tap[];
}

/**
 * Takes messages on system topics: things, OTA, time. Asked once for each session and topic, then cached by the engine
 * until `Broker.forgetGrants`.
 */
export interface SystemTopicHandler {
  /** @param row the dialect's name for the row of its system topic table; undefined = not handled here */
  tapsFor(row: string, topic: string, subject: DeviceSubject): readonly Tap[] | undefined;
}

/** Messages whose topic asks for the product's script: their taps see what the script makes of them. */
export interface PayloadScripts {
  tapsFor(subject: DeviceSubject, topic: string): readonly Tap[];
}

export interface RightsPorts {
  deviceLog: Pick<DeviceLog, "write" | "wants">;
  grants: PublishListeners;
  systemTopics?: SystemTopicHandler;
  payloadScripts?: PayloadScripts;
  /** Topics of those who speak through this session. */
  subDevices?: SubDeviceRights;
}

/** One object a session. Compiles its rights anew only when the product's page carries another list. */
export class DeviceRights implements SessionRights {
  readonly #ports: RightsPorts;
  readonly #dialect: Dialect;
  readonly #subject: DeviceSubject;
  readonly #page: TopicPage;
  #classes: TopicPage["classes"];
  #compiled: TopicRights;

  constructor(ports: RightsPorts, dialect: Dialect, subject: DeviceSubject, page: TopicPage) {
    this.#ports = ports;
    this.#dialect = dialect;
    this.#subject = subject;
    this.#page = page;
    this.#classes = page.classes;
    this.#compiled = dialect.compileRights(subject.productKey, subject.deviceName, page.classes);
  }

  publish(wireTopic: string): PublishGrant | Refusal {
    const decision = this.#current().publish(wireTopic);
    if (decision.kind === "refused") {
      const { subDevices } = this.#ports;
      return (isForeign(decision) && subDevices?.publish(this.#subject, this.#dialect, wireTopic)) || refusalOf(decision);
    }
    if (decision.system !== undefined) return { isRouted: false, taps: this.#systemTaps(decision.system, decision.topic) };
    const { topic } = decision;
    const { grants, payloadScripts } = this.#ports;
    if (topic === wireTopic) return { isRouted: true, taps: grants.tapsFor(topic) };
    // A topic that was shortened asked for the product's script.
    return { isRouted: true, taps: payloadScripts?.tapsFor(this.#subject, topic) ?? grants.tapsFor(topic), topic };
  }

  subscribe(filter: string, requestedQos: QoS): SubscribeGrant | Refusal {
    const decision = this.#current().subscribe(filter);
    if (decision.kind === "refused") {
      const { subDevices } = this.#ports;
      return (isForeign(decision) && subDevices?.subscribe(this.#subject, this.#dialect, filter, requestedQos)) || refusalOf(decision);
    }
    const { qosMax } = this.#dialect.behaviour;
    return { qos: requestedQos > qosMax ? qosMax : requestedQos };
  }

  #current(): TopicRights {
    const { classes } = this.#page;
    if (classes !== this.#classes) {
      this.#classes = classes;
      this.#compiled = this.#dialect.compileRights(this.#subject.productKey, this.#subject.deviceName, classes);
    }
    return this.#compiled;
  }

  #systemTaps(row: string, topic: string): readonly Tap[] {
    return this.#ports.systemTopics?.tapsFor(row, topic, this.#subject) ?? [(message) => this.#logUnhandled(row, message)];
  }

  /** Taking a message and doing nothing with it must not look like success. */
  #logUnhandled(row: string, message: Message): undefined {
    const { productKey, deviceName } = this.#subject;
    if (!this.#ports.deviceLog.wants("publish", productKey, deviceName)) return;
    this.#ports.deviceLog.write({
      kind: "publish",
      code: "access.system_topic_unhandled",
      isSuccess: false,
      productKey,
      deviceName,
      topic: message.topic,
      qos: message.qos,
      payloadBytes: message.payload.byteLength,
      received: row,
      reason: "The message was taken and not processed: nothing here handles this system topic.",
    });
  }
}

function isForeign({ code }: { code: string }): boolean {
  return code === "access.topic_foreign";
}

export function refusalOf({ code, received, expected }: Extract<TopicDecision, { kind: "refused" }>): Refusal {
  return { code, ...(received === undefined ? {} : { received }), ...(expected === undefined ? {} : { expected }) };
}
