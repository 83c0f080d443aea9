/** Who listens to a publish on any topic, by whomever: rules, and on reserved topics their handlers. */
import { isAwsBasicIngest } from "@thingstead/dialects";
import type { PublishListeners } from "../../access/index.ts";
import type { AwsRouter } from "./router.ts";

export function createAwsTaps(rules: PublishListeners, router: Pick<AwsRouter, "tapsFor">): PublishListeners {
  return {
    tapsFor(topic) {
      // AWS reference 14.6: the rule that the topic names, and no other.
      if (isAwsBasicIngest(topic)) return router.tapsFor(topic);
      const handlers = router.tapsFor(topic);
      return handlers.length === 0 ? rules.tapsFor(topic) : [...rules.tapsFor(topic), ...handlers];
    },
  };
}
