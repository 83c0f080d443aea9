/** A fleet on a real store in memory, with faked time and certificates made beforehand, for the tests of this folder. */
import { afterEach, beforeEach, expect } from "vitest";
import vectors from "../../../../../conformance/aws/certificates.json" with { type: "json" };
import { systemRandom } from "../../clock.ts";
import type { PlatformError } from "../../errors/index.ts";
import { createFakeClock, type FakeClock } from "../../fake-clock.ts";
import { createRegistry, type Registry } from "../../registry/index.ts";
import { openStore, type Store } from "../../store/index.ts";
import { createFleet, type Fleet, type FleetChange, type FleetLimits, thingNaming, thingProductKey } from "../index.ts";

export const pems = vectors.certificates;

export interface Bench {
  clock: FakeClock;
  store: Store;
  registry: Registry;
  fleet: Fleet;
  changes: FleetChange[];
  reports: PlatformError[];
  /** Another fleet on the same store and registry. */
  make(limits: Partial<FleetLimits>): Fleet;
}

/** Fresh for every test of the file; call once at its top. */
export function useBench(): Bench {
  const bench = {} as Bench;
  beforeEach(async () => {
    bench.clock = createFakeClock(1_000);
    bench.store = await openStore({ dataDir: ":memory:", masterKey: Buffer.alloc(32, 1) });
    bench.changes = [];
    bench.reports = [];
    bench.registry = createRegistry({
      store: bench.store.registry,
      clock: bench.clock,
      random: systemRandom,
      namings: { [thingProductKey]: thingNaming },
    });
    bench.make = (limits) => {
      const fleet = createFleet({
        registry: bench.registry,
        store: bench.store.fleet,
        issuer: {
          createKeysAndCertificate: async () => ({ certificatePem: pems.rsa, publicKeyPem: "public", privateKeyPem: "private" }),
          signRequest: async () => pems.p256,
        },
        checkPolicy: (document) => (document.includes("Statement") ? undefined : "no Statement"),
        clock: bench.clock,
        random: systemRandom,
        limits,
        report: (problem) => bench.reports.push(problem),
      });
      fleet.onChange((change) => bench.changes.push(change));
      return fleet;
    };
    bench.fleet = bench.make({});
    await bench.fleet.start();
  });
  afterEach(async () => {
    await bench.registry.close();
    await bench.store.close();
  });
  return bench;
}

export async function refusal(answer: Promise<unknown>): Promise<string> {
  const error = await answer.then(
    () => "nothing was refused",
    (cause: PlatformError) => cause.code ?? String(cause),
  );
  expect(typeof error).toBe("string");
  return error;
}
