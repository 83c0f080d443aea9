/** How much of the log is still alive, by segment: consecutive batches that are forgotten together. */
import type { JournalSlot } from "@thingstead/mqtt";

class Segment implements JournalSlot {
  readonly number: number;
  bytes = 0;
  /** Records that occupy it, and how many of them are alive. */
  records = 0;
  live = 0;
  /** Number of its last batch. */
  lastBatch = 0;

  constructor(number: number) {
    this.number = number;
  }
}

export class Segments {
  readonly #segmentBytes: number;
  /** Oldest first, without gaps; the last one is being written. */
  #segments: Segment[] = [new Segment(1)];
  #first = 1;
  bytes = 0;

  constructor(segmentBytes: number) {
    this.#segmentBytes = segmentBytes;
  }

  get current(): Segment {
    const last = this.#segments.at(-1);
    if (last === undefined) throw new Error("there is always a segment");
    return last;
  }

  occupy(): JournalSlot {
    const { current } = this;
    current.records += 1;
    current.live += 1;
    return current;
  }

  /** For a record that is found at the start. */
  occupySlot(slot: JournalSlot): void {
    const segment = this.#segments[slot.number - this.#first];
    if (segment === undefined) return;
    segment.records += 1;
    segment.live += 1;
  }

  leave(slot: JournalSlot): void {
    const segment = this.#segments[slot.number - this.#first];
    if (segment !== undefined) segment.live -= 1;
  }

  /** A batch was closed. True when a segment is full by it. */
  addBatch(number: number, bytes: number): boolean {
    const { current } = this;
    current.bytes += bytes;
    current.lastBatch = number;
    this.bytes += bytes;
    if (current.bytes < this.#segmentBytes) return false;
    this.#segments.push(new Segment(current.number + 1));
    return true;
  }

  /** About: records of a segment are taken to be of one size. */
  get liveBytes(): number {
    let bytes = 0;
    for (const segment of this.#segments) if (segment.records > 0) bytes += (segment.bytes * segment.live) / segment.records;
    return bytes;
  }

  /** Takes the oldest segment off when nothing in it is alive; returns the number of its last batch. */
  takeDead(): number | undefined {
    const [oldest] = this.#segments;
    if (oldest === undefined || oldest.live > 0 || this.#segments.length === 1) return undefined;
    this.#segments.shift();
    this.#first += 1;
    this.bytes -= oldest.bytes;
    return oldest.lastBatch;
  }

  /** Number of the newest segment within the older half of the log. */
  get olderHalf(): number {
    let bytes = 0;
    let number = this.#first;
    for (const segment of this.#segments) {
      if (segment === this.current) break;
      bytes += segment.bytes;
      number = segment.number;
      if (bytes * 2 >= this.bytes) break;
    }
    return number;
  }

  /** Records alive up to and with this segment. */
  liveUpTo(number: number): number {
    let live = 0;
    for (const segment of this.#segments) if (segment.number <= number) live += segment.live;
    return live;
  }
}
