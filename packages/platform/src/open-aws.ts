/**
 * Wires the AWS dialect. `openAws` runs before the broker is made, which asks its gate; `bindAws` after the rooms that its
 * handlers speak to, and before the broker starts.
 */
import type { AwsAccount } from "@thingstead/dialects";
import type { Broker, Gatekeeper } from "@thingstead/mqtt";
import type { SessionListener } from "./access/index.ts";
import {
  type AwsAnswers,
  type AwsEvents,
  type AwsPublisher,
  type AwsRouter,
  type AwsUplinkHandlers,
  createAwsAnswers,
  createAwsEvents,
  createAwsPublisher,
  createAwsRouter,
} from "./bindings/index.ts";
import type { Clock, Random } from "./clock.ts";
import type { Settings } from "./config/index.ts";
import type { DeviceLog } from "./device-log/index.ts";
import type { DeviceServices } from "./device-services/index.ts";
import { createEventSwitches, type EventSwitches, type Fleet } from "./fleet/index.ts";
import type { openCertificates } from "./front-door/index.ts";
import type { Registry } from "./registry/index.ts";
import type { RuleEngine } from "./rules/index.ts";
import type { Store } from "./store/index.ts";

export interface OpenAwsPorts {
  settings: Settings;
  store: Store;
  registry: Registry;
  deviceLog: DeviceLog;
  rules: RuleEngine;
  /** Made later: the broker asks the gate, and the gate's watchers speak to the broker. */
  broker: () => Broker;
  /** Opened later: nothing is issued before the server is ready. */
  certificates: () => Awaited<ReturnType<typeof openCertificates>>;
  clock: Clock;
  random: Random;
  onFailure(error: unknown): void;
}

export interface Aws {
  readonly account: AwsAccount;
  readonly fleet: Fleet;
  readonly router: AwsRouter;
  readonly answers: AwsAnswers;
  readonly publisher: AwsPublisher;
  readonly events: AwsEvents;
  /** Which of them are published: asked and changed by the API. */
  readonly eventSwitches: EventSwitches;
  /** Decides on AWS clients and passes all others on. */
  gate(next: Gatekeeper): Gatekeeper;
  /** For the observer. */
  readonly listeners: readonly SessionListener[];
  close(): Promise<void>;
}

export async function openAws(ports: OpenAwsPorts & { fleet: Fleet }): Promise<Aws> {
  const { settings, rules, broker, clock, random, fleet, onFailure } = ports;
  const { region, accountId } = settings.aws;
  const router = createAwsRouter({ onFailure });
  const answers = createAwsAnswers({ broker, rules, clock, onFailure });
  const publisher = createAwsPublisher({ broker, rules, router, clock });
  const account: AwsAccount = { region, accountId };
  const eventSwitches = createEventSwitches({ records: fleet.records, clock });
  await eventSwitches.start();
  const events = createAwsEvents({ account, answers, switches: eventSwitches, clock, random, limits: settings.limits.awsEvents });
  fleet.onChange((change) => events.fleetChanged(change));
  return {
    account,
    fleet,
    router,
    answers,
    publisher,
    events,
    eventSwitches,
    gate: (next) => next,
    // After the gate's own.
    listeners: [events.listener],
    async close() {},
  };
}

export interface BindAwsPorts extends OpenAwsPorts {
  aws: Aws;
  deviceServices: DeviceServices;
}

/** Handlers of reserved topics, by family. */
export async function bindAws({ aws }: BindAwsPorts): Promise<void> {
  const families: readonly AwsUplinkHandlers[] = [
    // Shadows.
    // Jobs.
    // Provisioning by claim.
    // Basic ingest.
  ];
  for (const family of families) aws.router.add(family);
}
