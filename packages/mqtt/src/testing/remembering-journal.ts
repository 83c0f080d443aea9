/** A journal whose disk is an array: a test says when it commits, and what a crash leaves. */
import { JournalReplay } from "../journal/journal-replay.ts";
import type { Journal, JournalContents, JournalOwner, JournalSlot, OwedMessage, StoredRetained, StoredSession } from "../ports.ts";

type Write = (replay: JournalReplay) => void;

export class RememberingJournal implements Journal {
  readonly #written: Write[];
  #committed: number;
  #waiting: (() => void)[] = [];
  /** False holds commits back until `commit`. */
  isQuick: boolean;
  isBehind = false;
  owner: JournalOwner | undefined;

  constructor(options: { isQuick?: boolean; written?: Write[] } = {}) {
    this.isQuick = options.isQuick ?? true;
    this.#written = options.written ?? [];
    this.#committed = this.#written.length;
  }

  /** What a process that died now would find. */
  afterCrash(): RememberingJournal {
    if (this.isQuick) this.commit();
    return new RememberingJournal({ isQuick: this.isQuick, written: this.#written.slice(0, this.#committed) });
  }

  /** Everything written so far is safe. */
  commit(): void {
    this.#committed = this.#written.length;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback();
  }

  /** Messages owed, committed or not. */
  get owed(): number {
    return this.contents().sessions.reduce((sum, { messages }) => sum + messages.length, 0);
  }

  /** Records written, which is also the largest slot number. */
  get length(): number {
    return this.#written.length;
  }

  /** Loses the first `count` records, as a compaction does. */
  forgetUpTo(count: number): void {
    this.#written.fill(() => {}, 0, count);
  }

  contents(): JournalContents {
    const replay = new JournalReplay();
    for (const write of this.#written) write(replay);
    return replay.contents();
  }

  async open(owner: JournalOwner): Promise<JournalContents> {
    this.owner = owner;
    return this.contents();
  }

  saveSession(session: StoredSession): JournalSlot {
    const copy = structuredClone(session);
    const slot = this.#slot();
    this.#written.push((replay) => replay.saveSession(structuredClone(copy), slot));
    return slot;
  }

  removeSession(key: number): void {
    this.#written.push((replay) => replay.removeSession(key));
  }

  saveSubscription(...args: Parameters<Journal["saveSubscription"]>): void {
    const copy = structuredClone(args);
    this.#written.push((replay) => replay.saveSubscription(...copy));
  }

  removeSubscription(key: number, filter: string): void {
    this.#written.push((replay) => replay.removeSubscription(key, filter));
  }

  appendMessage(
    key: number,
    { sequence, message, qos, isRetained, identifiers, shareFilter, packetId, isReleased }: OwedMessage,
  ): JournalSlot {
    const copy = structuredClone({ sequence, message, qos, isRetained, identifiers, shareFilter, packetId, isReleased });
    const slot = this.#slot();
    this.#written.push((replay) => replay.appendMessage(key, structuredClone(copy), slot));
    return slot;
  }

  saveSent(...args: Parameters<Journal["saveSent"]>): void {
    this.#written.push((replay) => replay.saveSent(...args));
  }

  saveReleased(...args: Parameters<Journal["saveReleased"]>): void {
    this.#written.push((replay) => replay.saveReleased(...args));
  }

  removeMessage(key: number, sequence: number): void {
    this.#written.push((replay) => replay.removeMessage(key, sequence));
  }

  forget(): void {}

  saveReceivedId(...args: Parameters<Journal["saveReceivedId"]>): void {
    this.#written.push((replay) => replay.saveReceivedId(...args));
  }

  removeReceivedId(...args: Parameters<Journal["removeReceivedId"]>): void {
    this.#written.push((replay) => replay.removeReceivedId(...args));
  }

  saveRetained(message: StoredRetained): JournalSlot {
    const copy = structuredClone(message);
    const slot = this.#slot();
    this.#written.push((replay) => replay.saveRetained(structuredClone(copy), slot));
    return slot;
  }

  removeRetained(topic: string): void {
    this.#written.push((replay) => replay.removeRetained(topic));
  }

  afterCommit(callback: () => void): void {
    this.#waiting.push(callback);
    if (this.isQuick) this.commit();
  }

  async close(): Promise<void> {
    this.commit();
  }

  #slot(): JournalSlot {
    return { number: this.#written.length + 1 };
  }
}
