/** A journal for one process's life: nothing survives, every write is safe at once as far as it ever will be. */
import type { Journal, JournalSlot } from "../ports.ts";

/**
 * For tests, benchmarks and brokers that need no durability.
 *
 * @example
 * const broker = createBroker({ journal: createMemoryJournal(), ...ports });
 */
export function createMemoryJournal(): Journal {
  const nothing = (): void => {};
  const slot: JournalSlot = { number: 0 };
  return {
    open: async () => ({ sessions: [], retained: [] }),
    saveSession: () => slot,
    removeSession: nothing,
    saveSubscription: nothing,
    removeSubscription: nothing,
    appendMessage: () => slot,
    saveSent: nothing,
    saveReleased: nothing,
    removeMessage: nothing,
    forget: nothing,
    saveReceivedId: nothing,
    removeReceivedId: nothing,
    saveRetained: () => slot,
    removeRetained: nothing,
    afterCommit: (callback) => callback(),
    isBehind: false,
    close: async () => {},
  };
}
