/** What one session may receive, by topic: asked once, then remembered. Sessions whose rights do not limit it have none. */
import type { SessionRights } from "../ports.ts";

export class ReceiveCache {
  readonly #receive: (topic: string) => boolean;
  readonly #entriesMax: number;
  readonly #known = new Map<string, boolean>();

  constructor(receive: (topic: string) => boolean, entriesMax: number) {
    this.#receive = receive;
    this.#entriesMax = entriesMax;
  }

  allows(topic: string): boolean {
    const known = this.#known.get(topic);
    if (known !== undefined) return known;
    const isAllowed = this.#receive(topic);
    if (this.#known.size >= this.#entriesMax) this.#known.clear();
    this.#known.set(topic, isAllowed);
    return isAllowed;
  }

  clear(): void {
    this.#known.clear();
  }
}

export function receiveCacheOf(rights: SessionRights, entriesMax: number): ReceiveCache | undefined {
  return rights.receive === undefined ? undefined : new ReceiveCache((topic) => rights.receive?.(topic) !== false, entriesMax);
}
