import type { Clock } from "../clock.ts";

/** So many ids in one millisecond before the numbers run ahead of the clock; 13 + 6 digits make the vendor's 19. */
const idsPerMillisecond = 1_000_000n;

/** Decimal ids of 19 digits, growing, unique on this node across restarts as long as its clock does not go back. */
export function createMessageIds(clock: Pick<Clock, "now">): () => string {
  let last = 0n;
  return () => {
    const earliest = BigInt(Math.trunc(clock.now())) * idsPerMillisecond;
    last = earliest > last ? earliest : last + 1n;
    return last.toString().padStart(19, "0");
  };
}
