/** Wires the gate of AWS clients: how they prove who they are, what they may do, and who cuts them. */
import type { AwsAccount } from "@thingstead/dialects";
import type { Broker, Gatekeeper, Refusal } from "@thingstead/mqtt";
import type { PublishListeners, SessionListener } from "./access/index.ts";
import {
  type AwsAnswers,
  type AwsEvents,
  type CertificateClients,
  createAuthorizerClients,
  createAwsGate,
  createAwsSessionBook,
  createAwsWatcher,
  createCertificateClients,
  createJustInTime,
  createPolicyBook,
  createSignedClients,
} from "./bindings/index.ts";
import type { Clock, Random } from "./clock.ts";
import type { Settings } from "./config/index.ts";
import type { CertificateAuthority, Fleet } from "./fleet/index.ts";
import type { Registry } from "./registry/index.ts";
import { createAddressPolicy, createHttpWebhookSender } from "./rules/index.ts";

export interface OpenAwsGatePorts {
  settings: Settings;
  account: AwsAccount;
  fleet: Fleet;
  registry: Registry;
  broker: () => Broker;
  answers: AwsAnswers;
  events: Pick<AwsEvents, "connectFailed">;
  /** Who listens to what the clients publish. */
  taps: PublishListeners;
  /** Undefined: no such access key. */
  secretOf(accessKeyId: string): string | undefined;
  /** Runs the template of a CA for a certificate that is not registered yet. */
  provision(certificatePem: string, authority: CertificateAuthority): Promise<void>;
  clock: Clock;
  random: Random;
  onFailure(error: unknown): void;
}

export interface AwsGateParts {
  /** For requests over HTTPS. */
  certificateClients: CertificateClients;
  gate(next: Gatekeeper): Gatekeeper;
  listener: SessionListener;
  close(): Promise<void>;
}

export function openAwsGate(ports: OpenAwsGatePorts): AwsGateParts {
  const { settings, account, fleet, registry, broker, answers, clock, random, onFailure } = ports;
  const limits = settings.limits.awsAccess;
  const { deniedConnect, deniedSubscribe, subscribeQos2 } = settings.aws;
  const book = createAwsSessionBook({ broker, clock, onFailure });
  const watcher = createAwsWatcher({ fleet, registry, book, broker, clock, limits, onFailure });
  const policyBook = createPolicyBook({ account, clock, limits, onFailure });
  const justInTime = createJustInTime({ account, fleet, answers, provision: ports.provision, clock });
  const sender = createHttpWebhookSender({ clock, addressPolicy: createAddressPolicy(settings.rules), limits: settings.limits.rules });

  async function ask({ url, body }: { url: string; body: Uint8Array }): Promise<{ status: number; body: string } | Refusal> {
    const outcome = await sender.send({
      url,
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
      timeoutMilliseconds: limits.authorizerMilliseconds,
      answerBytesMax: limits.authorizerAnswerBytesMax,
    });
    if (outcome.isDelivered) return { status: outcome.status, body: outcome.answer?.toString() ?? "" };
    return { code: outcome.code, received: outcome.reason, expected: "an answer of the authorizer" };
  }

  const certificateClients = createCertificateClients({ fleet, policyBook, justInTime, clock });
  return {
    certificateClients,
    gate: (next) =>
      createAwsGate({
        next,
        certificateClients,
        signedClients: createSignedClients({ account, secretOf: ports.secretOf, clock, limits }),
        authorizerClients: createAuthorizerClients({ records: fleet.records, ask, policyBook, random, limits }),
        registry,
        productKey: fleet.productKey,
        book,
        rights: { listeners: ports.taps, limits, subscribeQos2 },
        random,
        limits: settings.limits.awsSession,
        endpoint: settings.aws.endpoint.toLowerCase().replace(/:\d+$/, ""),
        deniedConnect,
        deniedSubscribe,
        connectFailed: ports.events.connectFailed,
        onFailure,
      }),
    listener: book,
    async close() {
      watcher.close();
      book.close();
      await sender.close();
    },
  };
}
