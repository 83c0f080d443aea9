/**
 * Packets that several connections get in one turn, one behind the other, as bytes that all of them write.
 *
 * Whoever was given the same packets in the same order holds the same run: the next packet leads each of them to one next
 * run, found by comparing two references. A thousand subscribers of a topic then cost one copy of its messages, not a thousand.
 */
export class SharedRun {
  readonly #before: SharedRun | undefined;
  readonly #packet: Buffer;
  readonly byteLength: number;
  #next: SharedRun | undefined;
  /** The one before it: a message has an encoding for each MQTT version, and receivers of both take turns. */
  #other: SharedRun | undefined;
  #bytes: Buffer | undefined;

  private constructor(before: SharedRun | undefined, packet: Buffer) {
    this.#before = before;
    this.#packet = packet;
    this.byteLength = packet.length + (before?.byteLength ?? 0);
  }

  static empty(): SharedRun {
    return new SharedRun(undefined, Buffer.alloc(0));
  }

  /** The run with one packet more; the packet is not changed afterwards. */
  with(packet: Buffer): SharedRun {
    const next = this.#next;
    if (next !== undefined && next.#packet === packet) return next;
    const other = this.#other;
    if (other !== undefined && other.#packet === packet) return other;
    const made = new SharedRun(this, packet);
    this.#other = next;
    this.#next = made;
    return made;
  }

  /** Forgets what it leads to. */
  cut(): void {
    this.#next = undefined;
    this.#other = undefined;
  }

  /** All its packets; nobody may write to them. */
  get bytes(): Buffer {
    this.#bytes ??= this.#join();
    return this.#bytes;
  }

  #join(): Buffer {
    const before = this.#before;
    if (before === undefined || before.byteLength === 0) return this.#packet;
    const joined = Buffer.allocUnsafeSlow(this.byteLength);
    for (let run: SharedRun | undefined = this; run !== undefined; run = run.#before) {
      joined.set(run.#packet, run.byteLength - run.#packet.length);
    }
    return joined;
  }
}
