import type { Peers } from "./ports.ts";

/** Alone on one node: nothing is forwarded and every session is ours. */
export function createSinglePeer(): Peers {
  return { isAlone: true, forward: () => {}, claimSession: async () => {} };
}
