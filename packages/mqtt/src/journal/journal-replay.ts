/** Turns the records of a journal, read in the order they were written, into what is still true. */
import type { JournalContents, JournalSlot, OwedMessage, StoredRetained, StoredSession, StoredSubscription } from "../ports.ts";

interface Entry {
  session: StoredSession | undefined;
  slot: JournalSlot | undefined;
  messages: Map<number, { owed: OwedMessage; slot: JournalSlot }> | undefined;
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
  }

  removeSession(key: number): void {
    this.#entries.delete(key);
  }

  saveSubscription(key: number, subscription: StoredSubscription): void {
    this.removeSubscription(key, subscription.filter);
    this.#entries.get(key)?.session?.subscriptions.push(subscription);
  }

  removeSubscription(key: number, filter: string): void {
    const session = this.#entries.get(key)?.session;
    if (session !== undefined) session.subscriptions = session.subscriptions.filter((subscription) => subscription.filter !== filter);
  }

  appendMessage(key: number, owed: OwedMessage, slot: JournalSlot): void {
    const entry = this.#entry(key);
    entry.messages ??= new Map();
    entry.messages.set(owed.sequence, { owed, slot });
  }

  saveSent(key: number, sequence: number, packetId: number): void {
    const message = this.#entries.get(key)?.messages?.get(sequence);
    if (message !== undefined) message.owed.packetId = packetId;
  }

  saveReleased(key: number, sequence: number): void {
    const message = this.#entries.get(key)?.messages?.get(sequence);
    if (message !== undefined) message.owed.isReleased = true;
  }

  removeMessage(key: number, sequence: number): void {
    this.#entries.get(key)?.messages?.delete(sequence);
  }

  saveReceivedId(key: number, packetId: number): void {
    this.removeReceivedId(key, packetId);
    this.#entries.get(key)?.session?.receivedIds.push(packetId);
  }

  removeReceivedId(key: number, packetId: number): void {
    const session = this.#entries.get(key)?.session;
    if (session !== undefined) session.receivedIds = session.receivedIds.filter((id) => id !== packetId);
  }

  saveRetained(message: StoredRetained, slot: JournalSlot): void {
    this.#retained.set(message.topic, { message, slot });
  }

  removeRetained(topic: string): void {
    this.#retained.delete(topic);
  }

  contents(): JournalContents {
    const sessions: JournalContents["sessions"] = [];
    for (const { session, slot, messages } of this.#entries.values()) {
      if (session === undefined || slot === undefined) continue;
      const owed = [...(messages?.values() ?? [])].sort((one, other) => one.owed.sequence - other.owed.sequence);
      sessions.push({ session, slot, messages: owed });
    }
    return { sessions, retained: [...this.#retained.values()] };
  }

  #entry(key: number): Entry {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { session: undefined, slot: undefined, messages: undefined };
      this.#entries.set(key, entry);
    }
    return entry;
  }
}
