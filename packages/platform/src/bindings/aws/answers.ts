/** How the platform speaks on AWS topics: to all who subscribed, or to one session; and how programs publish. */
import type { Broker, CloudMessage, Message, RouteOutcome } from "@thingstead/mqtt";
import type { Clock } from "../../clock.ts";
import type { RuleEngine } from "../../rules/index.ts";
import type { AwsRouter } from "./router.ts";
import type { RuleTrail } from "./rule-trail.ts";
import type { AwsAnswers } from "./uplink.ts";

export interface AwsAnswersPorts {
  /** Made later than what answers through it. */
  broker: () => Pick<Broker, "publish" | "deliver">;
  rules: Pick<RuleEngine, "offer">;
  trail: Pick<RuleTrail, "hops">;
  clock: Pick<Clock, "now">;
  onFailure(error: unknown): void;
}

export function createAwsAnswers({ broker, rules, trail, clock, onFailure }: AwsAnswersPorts): AwsAnswers {
  return {
    publish(topic, payload) {
      const message: CloudMessage = { topic, payload, qos: 1, hops: trail.hops };
      broker().publish(message);
      rules.offer(asSeen(message, clock))?.catch(onFailure);
    },
    deliver(sessionId, topic, payload, qos = 1) {
      broker().deliver(sessionId, { topic, payload, qos });
    },
  };
}

/** What a program publishes: seen by subscribers, rules and the handlers of reserved topics, as if a device had. */
export interface AwsPublisher {
  /** Resolves when it, and what rules and handlers owe for it, is safe. */
  publish(message: CloudMessage): Promise<RouteOutcome>;
}

export interface AwsPublisherPorts {
  broker: () => Pick<Broker, "publish" | "committed">;
  rules: Pick<RuleEngine, "offer">;
  router: Pick<AwsRouter, "offer">;
  clock: Pick<Clock, "now">;
}

export function createAwsPublisher({ broker, rules, router, clock }: AwsPublisherPorts): AwsPublisher {
  return {
    async publish(message) {
      const seen = asSeen(message, clock);
      const outcome = broker().publish(message);
      await Promise.all([rules.offer(seen), router.offer(seen), outcome.isOwed === true ? broker().committed() : undefined]);
      return outcome;
    },
  };
}

function asSeen({ topic, payload, qos, properties, hops = 0, isRetained = false }: CloudMessage, clock: Pick<Clock, "now">): Message {
  const message: Message = { topic, payload, qos, isRetained, receivedAt: clock.now(), hops };
  if (properties !== undefined) message.properties = properties;
  return message;
}
