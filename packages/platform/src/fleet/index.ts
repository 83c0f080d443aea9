export { createFleet, type FleetPorts } from "./create-fleet.ts";
export type * from "./fleet.ts";
export { defaultFleetLimits, type FleetLimits } from "./limits.ts";
export type { CertificateIssuer, FleetStore } from "./ports.ts";
