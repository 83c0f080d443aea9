/**
 * Wires the AWS dialect. `openAws` runs before the broker is made, which asks its gate; `bindAws` after the rooms that its
 * handlers speak to, and before the broker starts.
 */
import { type AwsAccount, readPolicy } from "@thingstead/dialects";
import type { Broker, Gatekeeper } from "@thingstead/mqtt";
import type { PublishListeners, SessionListener } from "./access/index.ts";
import {
  type AwsAnswers,
  type AwsEvents,
  type AwsPublisher,
  type AwsRouter,
  type AwsUplinkHandlers,
  type CertificateClients,
  createAwsAnswers,
  createAwsEvents,
  createAwsPublisher,
  createAwsRouter,
  createAwsTaps,
} from "./bindings/index.ts";
import type { Clock, Random } from "./clock.ts";
import type { Settings } from "./config/index.ts";
import type { DeviceLog } from "./device-log/index.ts";
import type { DeviceServices } from "./device-services/index.ts";
import type { PlatformError } from "./errors/index.ts";
import { createEventSwitches, createFleet, type EventSwitches, type Fleet } from "./fleet/index.ts";
import type { openCertificates } from "./front-door/index.ts";
import { openAwsGate, refuseProvisioning } from "./open-aws-gate.ts";
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
  /** Undefined: no such access key. */
  secretOf(accessKeyId: string): string | undefined;
  clock: Clock;
  random: Random;
  report(problem: PlatformError): void;
  onFailure(error: unknown): void;
}

export interface Aws {
  readonly account: AwsAccount;
  readonly fleet: Fleet;
  readonly router: AwsRouter;
  readonly answers: AwsAnswers;
  readonly publisher: AwsPublisher;
  /** Rules, and handlers of reserved topics: for everybody's grants, whatever the dialect. */
  readonly taps: PublishListeners;
  readonly events: AwsEvents;
  /** Which of them are published: asked and changed by the API. */
  readonly eventSwitches: EventSwitches;
  /** Decides on AWS clients and passes all others on. */
  gate(next: Gatekeeper): Gatekeeper;
  /** For the observer. */
  readonly listeners: readonly SessionListener[];
  close(): Promise<void>;
}
  /** Who a certificate is, for requests over HTTPS. */
  readonly certificateClients: CertificateClients;

export async function openAws(ports: OpenAwsPorts): Promise<Aws> {
  const { settings, registry, rules, broker, clock, random, onFailure } = ports;
  const { region, accountId } = settings.aws;
  const account: AwsAccount = { region, accountId };
  const fleet = openFleet(ports);
  await fleet.start();
  const router = createAwsRouter({ onFailure });
  const taps = createAwsTaps(rules, router);
  const answers = createAwsAnswers({ broker, rules, clock, onFailure });
  const publisher = createAwsPublisher({ broker, rules, router, clock });
  const eventSwitches = createEventSwitches({ records: fleet.records, clock });
  await eventSwitches.start();
  const events = createAwsEvents({ account, answers, switches: eventSwitches, clock, random, limits: settings.limits.awsEvents });
  fleet.onChange((change) => events.fleetChanged(change));
  const gate = openAwsGate({
    settings,
    account,
    fleet,
    registry,
    broker,
    answers,
    events,
    taps,
    secretOf: ports.secretOf,
    // Just-in-time provisioning by a CA's template goes here.
    provision: refuseProvisioning,
    clock,
    random,
    onFailure,
  });
  return {
    account,
    fleet,
    router,
    answers,
    publisher,
    taps,
    events,
    eventSwitches,
    gate: gate.gate,
    listeners: [gate.listener, events.listener],
    async close() {
      await gate.close();
      await fleet.close();
    },
    certificateClients: gate.certificateClients,
  };
}

function openFleet({ settings, store, registry, certificates, clock, random, report }: OpenAwsPorts): Fleet {
  const { fleet: limits } = settings.limits;
  return createFleet({
    registry,
    store: store.fleet,
    issuer: {
      createKeysAndCertificate: () => certificates().issueDeviceKeysAndCertificate(),
      signRequest: (csrPem) => certificates().signCertificateRequest(csrPem),
    },
    checkPolicy(document) {
      const reading = readPolicy(document, { documentCharactersMax: limits.policyDocumentCharactersMax });
      if (reading.kind === "policy") return undefined;
      return `${reading.path === "" ? "the document" : reading.path} is ${reading.received}, expected ${reading.expected}`;
    },
    clock,
    random,
    limits,
    report,
  });
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
