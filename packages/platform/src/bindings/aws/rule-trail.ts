/**
 * How many rules a message has been through while a handler works on it. What the handler publishes, accepted updates and
 * deltas, has been through as many: a rule that reads an answer and asks again comes to its end.
 */
import { AsyncLocalStorage } from "node:async_hooks";

export interface RuleTrail {
  /** Of what is being handled now; 0 for what no rule sent. */
  readonly hops: number;
  /** Runs the handling of a message, with all that it waits for. */
  follow<T>(hops: number, handle: () => T): T;
}

export function createRuleTrail(): RuleTrail {
  const storage = new AsyncLocalStorage<number>();
  return {
    get hops() {
      return storage.getStore() ?? 0;
    },
    // Hardly any message comes from a rule: the others pay nothing.
    follow: (hops, handle) => (hops === 0 ? handle() : storage.run(hops, handle)),
  };
}
