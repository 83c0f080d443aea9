/** What a session may do: compiled policies decide, reserved topics and limits bound what can be asked for. */
import {
  alibabaDialect,
  awsPublishFault,
  awsSubscribeFault,
  type CompiledPolicies,
  isAwsBasicIngest,
  isAwsReserved,
  type PolicyDecision,
} from "@thingstead/dialects";
import type { PublishGrant, QoS, Refusal, SessionRights, SubscribeGrant } from "@thingstead/mqtt";
import type { PublishListeners } from "../../access/index.ts";
import type { AwsAccessLimits } from "./limits.ts";

export interface AwsRightsPorts {
  listeners: PublishListeners;
  limits: Pick<AwsAccessLimits, "topicBytesMax" | "topicSlashesMax" | "shareNameCharactersMax">;
  /** `refuse`: a filter asked for with QoS 2 is refused instead of being granted QoS 1. */
  subscribeQos2: "grant-1" | "refuse";
}

/** MQTT 5 reason codes (AWS reference, 7.3). */
const reasonCodes = { notAuthorized: 0x87, filterInvalid: 0x8f, topicInvalid: 0x90, qosUnsupported: 0x80 } as const;

/** One object a session. */
export class AwsRights implements SessionRights {
  readonly #ports: AwsRightsPorts;
  #policies: CompiledPolicies;

  constructor(ports: AwsRightsPorts, policies: CompiledPolicies) {
    this.#ports = ports;
    this.#policies = policies;
  }

  /** The caller has the grants compiled before forgotten. */
  replace(policies: CompiledPolicies): void {
    this.#policies = policies;
  }

  publish(topic: string): PublishGrant | Refusal {
    const fault = publishFault(topic, this.#ports.limits);
    if (fault !== undefined) return fault;
    const refusal = policyRefusal(this.#policies, "iot:Publish", `topic/${topic}`);
    if (refusal !== undefined) return refusal;
    const retainRefusal = isAwsReserved(topic)
      ? { code: "access.retain_reserved", received: topic, expected: "RETAIN 0", reasonCode: reasonCodes.notAuthorized }
      : policyRefusal(this.#policies, "iot:RetainPublish", `topic/${topic}`);
    return {
      isRouted: !isAwsBasicIngest(topic),
      taps: this.#ports.listeners.tapsFor(topic),
      ...(retainRefusal === undefined ? {} : { retainRefusal }),
    };
  }

  subscribe(filter: string, requestedQos: QoS, shareName?: string): SubscribeGrant | Refusal {
    if (requestedQos === 2 && this.#ports.subscribeQos2 === "refuse") {
      return { code: "access.qos_refused", received: "QoS 2", expected: "QoS 0 or 1", reasonCode: reasonCodes.qosUnsupported };
    }
    const fault = awsSubscribeFault(filter, shareName, this.#ports.limits);
    if (fault !== undefined) {
      const code = fault.kind === "reserved" ? "access.topic_reserved" : "access.topic_too_long";
      return { code, received: fault.received, expected: fault.expected, reasonCode: reasonCodes.filterInvalid };
    }
    const text = shareName === undefined ? filter : `$share/${shareName}/${filter}`;
    return policyRefusal(this.#policies, "iot:Subscribe", `topicfilter/${text}`) ?? { qos: requestedQos };
  }

  receive(topic: string): boolean {
    return this.#policies.decide("iot:Receive", `topic/${topic}`).kind === "allowed";
  }
}

/** Whatever policies allow: topics that do not exist, that are too long, or on which another cloud speaks. */
export function publishFault(topic: string, limits: AwsRightsPorts["limits"]): Refusal | undefined {
  const fault = awsPublishFault(topic, limits);
  if (fault !== undefined) {
    const code = fault.kind === "reserved" ? "access.topic_reserved" : "access.topic_too_long";
    return { code, received: fault.received, expected: fault.expected, reasonCode: reasonCodes.topicInvalid };
  }
  // What comes on a system topic is the platform's word to a device: `*` in a policy must not let a client speak it.
  if (!topic.startsWith("/") || alibabaDialect.deviceOf(topic) === undefined || alibabaDialect.topicOwner(topic) !== undefined) {
    return undefined;
  }
  return { code: "access.topic_reserved", received: topic, expected: "no system topic", reasonCode: reasonCodes.notAuthorized };
}

export function policyRefusal(policies: CompiledPolicies, action: string, resource: string): Refusal | undefined {
  const decision = policies.decide(action, resource);
  if (decision.kind === "allowed") return undefined;
  return {
    code: "access.policy_denied",
    received: `${action} on ${resource}`,
    expected: explain(decision),
    reasonCode: reasonCodes.notAuthorized,
  };
}

function explain({ kind, policy, statement }: PolicyDecision): string {
  if (kind === "implicit-deny" || policy === undefined) return "a statement that allows it";
  return `no Deny; it is in policy ${policy}, statement ${statement ?? "unnamed"}`;
}
