/** Opens the jobs of the fleet: over whose things, who is told, and what things ask over MQTT. */
import type { AwsAccount } from "@thingstead/dialects";
import { type AwsAnswers, type AwsJobEvents, type AwsUplinkHandlers, createJobHandlers, createJobTargets } from "./bindings/index.ts";
import type { Clock } from "./clock.ts";
import type { Settings } from "./config/index.ts";
import type { DeviceLog } from "./device-log/index.ts";
import { createFleetJobs, type FleetJobs } from "./device-services/index.ts";
import type { Fleet } from "./fleet/index.ts";
import type { Store } from "./store/index.ts";

export interface OpenFleetJobsPorts {
  settings: Settings;
  store: Pick<Store, "fleetJobs">;
  fleet: Fleet;
  account: AwsAccount;
  answers: AwsAnswers;
  events: AwsJobEvents;
  deviceLog: DeviceLog;
  clock: Clock;
  onFailure(error: unknown): void;
}

export async function openFleetJobs(ports: OpenFleetJobsPorts): Promise<{ fleetJobs: FleetJobs; handlers: AwsUplinkHandlers }> {
  const { settings, store, fleet } = ports;
  const limits = settings.limits.fleetJobs;
  const fleetJobs = createFleetJobs({ ...ports, store: store.fleetJobs, targets: createJobTargets(fleet), limits });
  const handlers = createJobHandlers({ ...ports, jobs: fleetJobs, productKey: fleet.productKey, bounds: limits });
  await fleetJobs.start();
  return { fleetJobs, handlers };
}
