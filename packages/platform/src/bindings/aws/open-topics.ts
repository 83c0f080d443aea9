/** Topics that rules and programs publish to besides those of the other cloud's devices. */
import { awsPublishFault, isAwsBasicIngest } from "@thingstead/dialects";
import type { OpenTopics } from "../../messages/index.ts";
import type { AwsAccessLimits } from "./limits.ts";
import type { AwsRouter } from "./router.ts";

export interface OpenTopicsPorts {
  router: Pick<AwsRouter, "offer">;
  limits: Pick<AwsAccessLimits, "topicBytesMax" | "topicSlashesMax" | "shareNameCharactersMax">;
}

export function createOpenTopics({ router, limits }: OpenTopicsPorts): OpenTopics {
  return {
    check(topic) {
      // Behind a slash are devices of the other cloud, and what is theirs is checked by their rights.
      if (topic === "" || topic.startsWith("/")) return undefined;
      const fault = awsPublishFault(topic, limits);
      const isRouted = !isAwsBasicIngest(topic);
      return fault === undefined ? { isRouted } : { fault: { received: fault.received, expected: fault.expected }, isRouted };
    },
    offer: (message) => router.offer(message),
  };
}
