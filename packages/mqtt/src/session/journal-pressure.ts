/** Publishers whose messages must be stored are not read while the disk is behind: what waits for it is bounded. */
import type { Link } from "./link.ts";

export class JournalPressure {
  #held = new Set<Link>();

  hold(link: Link): void {
    if (this.#held.has(link)) return;
    this.#held.add(link);
    link.stopReading();
  }

  releaseAll(): void {
    const held = this.#held;
    this.#held = new Set();
    for (const link of held) link.continueReading();
  }
}
