/**
 * Wires the AWS dialect. `openAws` runs before the broker is made, which asks its gate; `bindAws` after the rooms that its
 * handlers speak to, and before the broker starts.
 */
import { type AwsAccount, readPolicy } from "@thingstead/dialects";
import type { Broker, Gatekeeper } from "@thingstead/mqtt";
import type { PublishListeners, SessionListener } from "./access/index.ts";
import type { AwsOperationPorts } from "./api/index.ts";
import {
  type AwsAnswers,
  type AwsDepartures,
  type AwsEvents,
  type AwsPublisher,
  type AwsRouter,
  type AwsUplinkHandlers,
  type CertificateClients,
  createAwsAnswers,
  createAwsDepartures,
  createAwsEvents,
  createAwsPublisher,
  createAwsRouter,
  createAwsTaps,
  createBasicIngestHandlers,
  createMetricsHandlers,
  createProvisioningHandlers,
  createRuleTrail,
  type RuleTrail,
} from "./bindings/index.ts";
import type { Clock, Random } from "./clock.ts";
import type { Settings } from "./config/index.ts";
import type { DeviceLog } from "./device-log/index.ts";
import type { DeviceServices, FleetJobs } from "./device-services/index.ts";
import type { PlatformError } from "./errors/index.ts";
import { createEventSwitches, createFleet, type EventSwitches, type Fleet, type Provisioning } from "./fleet/index.ts";
import type { openCertificates } from "./front-door/index.ts";
import { openAwsData, openShadowHandlers } from "./open-aws-data.ts";
import { openAwsGate } from "./open-aws-gate.ts";
import { openProvisioning } from "./open-aws-provisioning.ts";
import { openFleetJobs } from "./open-fleet-jobs.ts";
import type { Registry } from "./registry/index.ts";
import type { RuleContext, RuleEngine } from "./rules/index.ts";
import type { Store } from "./store/index.ts";

export interface OpenAwsPorts {
  settings: Settings;
  store: Store;
  registry: Registry;
  deviceLog: DeviceLog;
  rules: RuleEngine;
  ruleContext: RuleContext;
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
  readonly trail: RuleTrail;
  readonly answers: AwsAnswers;
  readonly publisher: AwsPublisher;
  /** Rules, and handlers of reserved topics: for everybody's grants, whatever the dialect. */
  readonly taps: PublishListeners;
  readonly events: AwsEvents;
  /** Which of them are published: asked and changed by the API. */
  readonly eventSwitches: EventSwitches;
  readonly provisioning: Provisioning;
  /** Decides on AWS clients and passes all others on. */
  gate(next: Gatekeeper): Gatekeeper;
  /** Who a certificate is, for requests over HTTPS. */
  readonly certificateClients: CertificateClients;
  /** AWS clients that went lately. */
  readonly departures: AwsDepartures;
  /** For the observer. */
  readonly listeners: readonly SessionListener[];
  close(): Promise<void>;
}

export async function openAws(ports: OpenAwsPorts): Promise<Aws> {
  const { settings, registry, rules, broker, clock, random, onFailure } = ports;
  const { region, accountId, foreignArns } = settings.aws;
  const account: AwsAccount = { region, accountId, acceptsForeignArns: foreignArns === "accept" };
  const fleet = openFleet(ports);
  await fleet.start();
  const trail = createRuleTrail();
  const router = createAwsRouter({ trail, onFailure });
  const taps = createAwsTaps(rules, router);
  const answers = createAwsAnswers({ broker, rules, trail, clock, onFailure });
  const publisher = createAwsPublisher({ broker, rules, router, clock });
  const eventSwitches = createEventSwitches({ records: fleet.records, clock });
  await eventSwitches.start();
  const events = createAwsEvents({
    account,
    answers,
    switches: eventSwitches,
    clock,
    random,
    limits: settings.limits.awsEvents,
    onFailure,
  });
  fleet.onChange((change) => events.fleetChanged(change));
  const provisioning = await openProvisioning({ settings, account, fleet, clock, random, onFailure });
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
    provision: async (certificatePem, authority) => void (await provisioning.runJustInTime(authority, certificatePem)),
    clock,
    random,
    onFailure,
  });
  const departures = createAwsDepartures({ clock, limits: settings.limits.awsDepartures });
  return {
    account,
    fleet,
    router,
    trail,
    answers,
    publisher,
    taps,
    events,
    eventSwitches,
    provisioning,
    gate: gate.gate,
    certificateClients: gate.certificateClients,
    departures,
    listeners: [gate.listener, departures, events.listener],
    async close() {
      await gate.close();
      await provisioning.close();
      await fleet.close();
    },
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

/** What works on its own from then on. */
export interface AwsRooms {
  /** For the API. */
  readonly fleetJobs: FleetJobs;
  readonly data: AwsOperationPorts["data"];
  close(): Promise<void>;
}

/** Handlers of reserved topics, by family. */
export async function bindAws({ aws, broker, deviceLog, onFailure, ...ports }: BindAwsPorts): Promise<AwsRooms> {
  const { fleetJobs, handlers: jobHandlers } = await openFleetJobs({ ...ports, ...aws, deviceLog, onFailure });
  const families: readonly AwsUplinkHandlers[] = [
    openShadowHandlers({ ...ports, aws, deviceLog }),
    jobHandlers,
    createProvisioningHandlers({ provisioning: aws.provisioning, answers: aws.answers, broker, deviceLog, onFailure }),
    createMetricsHandlers({ answers: aws.answers, deviceLog, productKey: aws.fleet.productKey, clock: ports.clock }),
    createBasicIngestHandlers({ ...ports, ...aws, deviceLog, context: ports.ruleContext }),
  ];
  for (const family of families) aws.router.add(family);
  return {
    fleetJobs,
    data: openAwsData({ ...ports, aws, broker }),
    close: () => fleetJobs.close(),
  };
}
