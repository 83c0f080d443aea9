/** From nothing to a device that may connect: a thing, its credential and a policy of the least rights, all or none. */
import { type AwsAccount, leastPolicy } from "@thingstead/dialects";
import { PlatformError } from "../errors/index.ts";
import { shown } from "./checks.ts";
import { createTurns } from "./context.ts";
import type { Attributes, Fleet, FleetCertificate, Policy, Thing } from "./fleet.ts";

/** What the new policy allows: these MQTT filters, or everything; or one that exists is attached. */
type QuickStartPolicy = { topics: readonly string[] } | { allowsEverything: true } | { policyName: string };

/** A certificate for a key that the device keeps, or one that it has already, whoever issued it. */
type QuickStartCredential = { csr: string } | { certificate: string };

interface QuickStartWish {
  thingName: string;
  /** Absent: the thing's name. With another one the certificate is exclusive to the thing. */
  clientId?: string;
  typeName?: string;
  attributes?: Attributes;
  groupNames?: readonly string[];
  /** Absent: the topics below the thing's name. */
  policy?: QuickStartPolicy;
  /** Absent: keys are made here. */
  credential?: QuickStartCredential;
}

export interface QuickStarted {
  thing: Thing;
  clientId: string;
  /** ACTIVE, attached to the thing. */
  certificate: FleetCertificate;
  /** Of keys made here: told once and kept nowhere. */
  keys?: { publicKeyPem: string; privateKeyPem: string };
  /** Attached to the certificate. */
  policy: Policy;
}

export interface QuickStart {
  /**
   * Throws `fleet.thing_taken`, `fleet.invalid_topic`, `fleet.invalid_client_id` and what things, certificates and policies throw; nothing
   * of it stays then.
   */
  start(wish: QuickStartWish): Promise<QuickStarted>;
}

export interface QuickStartPorts {
  fleet: Pick<Fleet, "things" | "groups" | "certificates" | "policies">;
  account: AwsAccount;
  /** Hears of what could not be taken back. */
  onFailure(error: unknown): void;
}

const clientIdBytesMax = 128;
const topicBytesMax = 256;

export function createQuickStart({ fleet, account, onFailure }: QuickStartPorts): QuickStart {
  const { things, groups, certificates, policies } = fleet;
  // What one has found free no other takes meanwhile.
  const inTurn = createTurns();

  async function run(wish: QuickStartWish, undo: (() => Promise<unknown>)[]): Promise<QuickStarted> {
    const { thingName, clientId = thingName, typeName, attributes, groupNames = [], credential } = wish;
    checkClientId(clientId);
    if ((await things.find(thingName)) !== undefined) throw new PlatformError("fleet.thing_taken", { name: thingName });
    // Asked first: a thing that comes and goes is told to whoever follows the registry's events.
    for (const group of groupNames) await groups.get(group);
    const policy = await findPolicy(wish, clientId, undo);
    const thing = await things.create({
      name: thingName,
      ...(typeName === undefined ? {} : { typeName }),
      ...(attributes === undefined ? {} : { attributes }),
    });
    undo.push(() => things.delete(thingName));
    for (const group of groupNames) await groups.addThing(group, thingName);
    const { certificate, keys } = await makeCertificate(credential);
    const principal = { kind: "certificate", id: certificate.id } as const;
    undo.push(async () => {
      await certificates.setStatus(certificate.id, "INACTIVE");
      await certificates.delete(certificate.id, true);
    });
    await policies.attach(policy.name, principal);
    await things.attachPrincipal(thingName, principal, clientId === thingName ? "NON_EXCLUSIVE_THING" : "EXCLUSIVE_THING");
    return { thing, clientId, certificate, policy, ...(keys === undefined ? {} : { keys }) };
  }

  async function makeCertificate(credential: QuickStartCredential | undefined): Promise<Pick<QuickStarted, "certificate" | "keys">> {
    if (credential === undefined) {
      const { certificate, ...keys } = await certificates.createWithKeys("ACTIVE");
      return { certificate, keys };
    }
    if ("csr" in credential) return { certificate: await certificates.createFromRequest(credential.csr, "ACTIVE") };
    return { certificate: await certificates.register(credential.certificate, { status: "ACTIVE", isCaRequired: false }) };
  }

  async function findPolicy(
    { thingName, policy: wish = { topics: [`${thingName}/#`] } }: QuickStartWish,
    clientId: string,
    undo: (() => Promise<unknown>)[],
  ): Promise<Policy> {
    if ("policyName" in wish) return policies.get(wish.policyName);
    const name = policyNameOf(thingName);
    const document = "topics" in wish ? leastPolicy(account, { clientId, thingName, filters: wish.topics.map(checkTopic) }) : everything;
    const isNew = !(await isPolicy(name));
    const policy = await policies.create(name, document);
    if (isNew) undo.push(() => policies.delete(name));
    return policy;
  }

  async function isPolicy(name: string): Promise<boolean> {
    try {
      await policies.get(name);
      return true;
    } catch (error) {
      if (error instanceof PlatformError && error.code === "fleet.policy_not_found") return false;
      throw error;
    }
  }

  return {
    start: (wish) =>
      inTurn(async () => {
        const undo: (() => Promise<unknown>)[] = [];
        try {
          return await run(wish, undo);
        } catch (error) {
          for (const step of undo.reverse()) await step().catch(onFailure);
          throw error;
        }
      }),
  };
}

const everything = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "iot:*", Resource: "*" }] });

/** Names of policies have no colon, names of things no full stop: no two things share a policy. */
const policyNameOf = (thingName: string): string => thingName.replaceAll(":", ".");

function checkClientId(clientId: string): void {
  const bytes = Buffer.byteLength(clientId);
  if (bytes >= 1 && bytes <= clientIdBytesMax && !/[+#\p{Cc}]/u.test(clientId)) return;
  const expected = `1 to ${clientIdBytesMax} bytes without "+", "#" and control characters`;
  throw new PlatformError("fleet.invalid_client_id", { received: shown(clientId), expected });
}

/** [MQTT-4.7.1-1, 4.7.1-2] */
function checkTopic(topic: string): string {
  const levels = topic.split("/");
  const isWhole = levels.every((level, index) => !/[+#]/.test(level) || level === "+" || (level === "#" && index === levels.length - 1));
  const bytes = Buffer.byteLength(topic);
  if (isWhole && bytes >= 1 && bytes <= topicBytesMax && !/\p{Cc}/u.test(topic)) return topic;
  const expected = `a topic or filter of 1 to ${topicBytesMax} bytes, such as a/b, a/+/b or a/#`;
  throw new PlatformError("fleet.invalid_topic", { received: shown(topic), expected });
}
