/** A generic client's rights: the list decides, rules listen. Nothing on it is a system topic. */
import type { TopicRights } from "@thingstead/dialects";
import type { PublishGrant, QoS, Refusal, SessionRights, SubscribeGrant } from "@thingstead/mqtt";
import { type PublishListeners, refusalOf } from "./device-rights.ts";

export class PlainRights implements SessionRights {
  readonly #grants: PublishListeners;
  readonly #current: () => TopicRights;

  /** @param current the rights as they are now: they may change while the client is connected */
  constructor(grants: PublishListeners, current: () => TopicRights) {
    this.#grants = grants;
    this.#current = current;
  }

  publish(topic: string): PublishGrant | Refusal {
    const decision = this.#current().publish(topic);
    if (decision.kind === "refused") return refusalOf(decision);
    return { isRouted: true, taps: this.#grants.tapsFor(decision.topic) };
  }

  subscribe(filter: string, requestedQos: QoS): SubscribeGrant | Refusal {
    const decision = this.#current().subscribe(filter);
    return decision.kind === "refused" ? refusalOf(decision) : { qos: requestedQos };
  }
}
