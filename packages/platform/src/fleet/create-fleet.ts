import type { Clock, Random } from "../clock.ts";
import type { PlatformError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import type { Fleet } from "./fleet.ts";
import type { FleetLimits } from "./limits.ts";
import type { CertificateIssuer, FleetStore } from "./ports.ts";

export interface FleetPorts {
  registry: Registry;
  store: FleetStore;
  issuer: CertificateIssuer;
  /** What is wrong with a policy document; undefined when nothing is. */
  checkPolicy(document: string): string | undefined;
  clock: Clock;
  random: Random;
  limits?: Partial<FleetLimits>;
  /** Hears of what no caller can be told: `fleet.listener_failed`. */
  report?: (problem: PlatformError) => void;
}

export function createFleet(_ports: FleetPorts): Fleet {
  throw new Error("the fleet is being built");
}
