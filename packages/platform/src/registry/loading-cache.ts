/**
 * A bounded cache in front of an asynchronous read, least recently used out first. A value is kept only when nothing
 * happened to its key while it was being read: a change and a read that cross cannot leave the old value behind.
 */
export class LoadingCache<Value> {
  readonly #entriesMax: number;
  readonly #entries = new Map<string, Value>();
  readonly #reads = new Map<string, { ticket: { isStale: boolean }; result: Promise<Value | undefined> }>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** From memory alone. */
  peek(key: string): Value | undefined {
    const known = this.#entries.get(key);
    if (known === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, known);
    return known;
  }

  /** From memory, or by `load`; concurrent reads of one key share one load. What is not there (`undefined`) is not kept. */
  get(key: string, load: () => Promise<Value | undefined>): Promise<Value | undefined> {
    const known = this.peek(key);
    if (known !== undefined) return Promise.resolve(known);
    const running = this.#reads.get(key);
    if (running !== undefined) return running.result;
    const ticket = { isStale: false };
    const result = this.#load(key, load, ticket);
    this.#reads.set(key, { ticket, result });
    return result;
  }

  /** The stored value changed: the next read asks again, and a running one does too. */
  forget(key: string): void {
    this.#entries.delete(key);
    this.doubt(key);
  }

  /** Everything may have changed. */
  forgetAll(): void {
    this.#entries.clear();
    for (const { ticket } of this.#reads.values()) ticket.isStale = true;
  }

  /** A running read may have seen the past. */
  doubt(key: string): void {
    const read = this.#reads.get(key);
    if (read !== undefined) read.ticket.isStale = true;
  }

  /** Changes the kept value, if there is one. */
  amend(key: string, change: (value: Value) => Value): void {
    const known = this.#entries.get(key);
    if (known !== undefined) this.#entries.set(key, change(known));
    this.doubt(key);
  }

  async #load(key: string, load: () => Promise<Value | undefined>, ticket: { isStale: boolean }): Promise<Value | undefined> {
    try {
      for (;;) {
        ticket.isStale = false;
        const value = await load();
        if (ticket.isStale) continue;
        if (value !== undefined) this.#keep(key, value);
        return value;
      }
    } finally {
      this.#reads.delete(key);
    }
  }

  #keep(key: string, value: Value): void {
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#entriesMax) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }
}
