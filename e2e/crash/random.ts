/** A small seeded generator (mulberry32): the moments of a run can be asked for again. */
export interface SeededRandom {
  /** At least `least`, below `below`. */
  between(least: number, below: number): number;
}

export function createRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { between: (least, below) => least + Math.floor(next() * (below - least)) };
}
