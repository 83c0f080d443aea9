/** A registry on a real store in memory, with faked time, for the tests of this folder. */
import { afterEach, beforeEach, expect } from "vitest";
import { systemRandom } from "../../clock.ts";
import type { PlatformError } from "../../errors/index.ts";
import { createFakeClock, type FakeClock } from "../../fake-clock.ts";
import { openStore, type Store } from "../../store/index.ts";
import { createRegistry, type Registry, type RegistryChange, type RegistryLimits, type RegistryStore } from "../index.ts";

export interface Bench {
  clock: FakeClock;
  store: Store;
  registry: Registry;
  /** What the registries of this test told their listeners, and their reporter. */
  changes: RegistryChange[];
  reports: PlatformError[];
  /** Another registry on the same store, with other limits or a store that behaves differently. */
  make(limits?: Partial<RegistryLimits>, over?: Partial<RegistryStore>): Registry;
}

/** Fresh for every test of the file; call once at its top. */
export function useBench(): Bench {
  const bench = {} as Bench;
  beforeEach(async () => {
    bench.clock = createFakeClock(1_000);
    bench.store = await openStore({ dataDir: ":memory:", masterKey: Buffer.alloc(32, 1) });
    bench.changes = [];
    bench.reports = [];
    bench.make = (limits = {}, over = {}) => {
      const made = createRegistry({
        store: { ...bench.store.registry, ...over },
        clock: bench.clock,
        random: systemRandom,
        limits,
        report: (problem) => bench.reports.push(problem),
      });
      made.onChange((change) => bench.changes.push(change));
      return made;
    };
    bench.registry = bench.make();
  });
  afterEach(() => bench.store.close());
  return bench;
}

export function code(name: string): unknown {
  return expect.objectContaining({ code: name });
}
