/** A journal for one process's life: nothing survives, every write is safe at once as far as it ever will be. */
import type { Journal } from "../ports.ts";

/**
 * For tests, benchmarks and brokers that need no durability.
 *
 * @example
 * const broker = createBroker({ journal: createMemoryJournal(), ...ports });
 */
export function createMemoryJournal(): Journal {
  const nothing = (): void => {};
  return {
    loadSessions: async () => [],
    saveSession: nothing,
    saveSubscription: nothing,
    removeSubscription: nothing,
    removeSession: nothing,
    appendMessage: nothing,
    removeMessage: nothing,
    afterCommit: (callback) => callback(),
  };
}
