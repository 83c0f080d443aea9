/** Turns the records of a journal, read in the order they were written, into what is still true. */
import type { JournalContents, JournalSlot, OwedMessage, StoredRetained, StoredSession, StoredSubscription } from "../ports.ts";

interface Entry {
  session: StoredSession | undefined;
  slot: JournalSlot | undefined;
  subscriptions: Map<string, StoredSubscription>;
  receivedIds: Set<number>;
  messages: Map<number, { owed: OwedMessage; slot: JournalSlot }>;
}

/**
 * For implementations of `Journal`. A record may come again, in a later place, and its first place may be gone: a change of
 * something unknown is one that a later record repeats.
 */
export class JournalReplay {
  readonly #entries = new Map<number, Entry>();
  readonly #retained = new Map<string, { message: StoredRetained; slot: JournalSlot }>();

  saveSession(session: StoredSession, slot: JournalSlot): void {
    const entry = this.#entry(session.key);
    entry.session = session;
    entry.slot = slot;
    entry.subscriptions = new Map(session.subscriptions.map((subscription) => [subscription.filter, subscription]));
    entry.receivedIds = new Set(session.receivedIds);
  }

  removeSession(key: number): void {
    this.#entries.delete(key);
  }

  saveSubscription(key: number, subscription: StoredSubscription): void {
    this.#entries.get(key)?.subscriptions.set(subscription.filter, subscription);
  }

  removeSubscription(key: number, filter: string): void {
    this.#entries.get(key)?.subscriptions.delete(filter);
  }

  appendMessage(key: number, owed: OwedMessage, slot: JournalSlot): void {
    this.#entry(key).messages.set(owed.sequence, { owed, slot });
  }

  saveSent(key: number, sequence: number, packetId: number): void {
    const message = this.#entries.get(key)?.messages.get(sequence);
    if (message !== undefined) message.owed.packetId = packetId;
  }

  saveReleased(key: number, sequence: number): void {
    const message = this.#entries.get(key)?.messages.get(sequence);
    if (message !== undefined) message.owed.isReleased = true;
  }

  removeMessage(key: number, sequence: number): void {
    this.#entries.get(key)?.messages.delete(sequence);
  }

  saveReceivedId(key: number, packetId: number): void {
    this.#entries.get(key)?.receivedIds.add(packetId);
  }

  removeReceivedId(key: number, packetId: number): void {
    this.#entries.get(key)?.receivedIds.delete(packetId);
  }

  saveRetained(message: StoredRetained, slot: JournalSlot): void {
    this.#retained.set(message.topic, { message, slot });
  }

  removeRetained(topic: string): void {
    this.#retained.delete(topic);
  }

  contents(): JournalContents {
    const sessions: JournalContents["sessions"] = [];
    for (const { session, slot, subscriptions, receivedIds, messages } of this.#entries.values()) {
      if (session === undefined || slot === undefined) continue;
      sessions.push({
        session: { ...session, subscriptions: [...subscriptions.values()], receivedIds: [...receivedIds] },
        slot,
        messages: [...messages.values()].sort((one, other) => one.owed.sequence - other.owed.sequence),
      });
    }
    return { sessions, retained: [...this.#retained.values()] };
  }

  #entry(key: number): Entry {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { session: undefined, slot: undefined, subscriptions: new Map(), receivedIds: new Set(), messages: new Map() };
      this.#entries.set(key, entry);
    }
    return entry;
  }
}
