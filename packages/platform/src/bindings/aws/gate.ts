/** Who is an AWS client, and may it connect. Steps: which credentials → proof → client id → policies → admission. */
import { awsBehaviour, awsClientIdFault, awsKeepAliveOf, isAwsHost, isSigV4Signed } from "@thingstead/dialects";
import type { Admission, ConnectionFacts, ConnectPacket, ConnectRefusal, Gatekeeper, Refusal, SessionBehaviour } from "@thingstead/mqtt";
import { type ThingClientSubject, thingClientSessionIdOf } from "../../access/index.ts";
import type { Random } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import { drawUuid } from "../../fleet/index.ts";
import type { Registry } from "../../registry/index.ts";
import type { AuthorizerClients } from "./authorizer-client.ts";
import type { CertificateClients } from "./certificate-client.ts";
import {
  type ConnectContext,
  connectContextOf,
  isRefusal,
  type Permissions,
  type ProofRefusal,
  type ProvenClient,
  splitTarget,
} from "./client.ts";
import type { AwsSessionLimits } from "./limits.ts";
import { AwsRights, type AwsRightsPorts, policyRefusal, publishFault } from "./rights.ts";
import type { AwsSessionBook } from "./session-book.ts";
import type { SignedClients } from "./signed-client.ts";

export interface AwsGatePorts {
  /** Whoever is no AWS client is asked here. */
  next: Gatekeeper;
  certificateClients: CertificateClients;
  signedClients: SignedClients;
  authorizerClients: AuthorizerClients;
  registry: Pick<Registry, "peekDevice">;
  productKey: string;
  book: AwsSessionBook;
  rights: AwsRightsPorts;
  random: Random;
  limits: AwsSessionLimits;
  /** A host name of our own under which these clients come, in lower case; empty: none. */
  endpoint: string;
  /** How an MQTT 3.1.1 client is told that it may not connect. */
  deniedConnect: "connack-5" | "close";
  deniedSubscribe: "suback" | "close";
  /** Its policies refused the CONNECT, or the topic of its will. */
  connectFailed(client: ThingClientSubject): void;
  onFailure(error: unknown): void;
}

type Answer = Admission | ConnectRefusal;

/** CONNACK codes of refusals; those that are not here mean "not authorized". */
const connackCodes: Readonly<Record<string, Pick<ConnectRefusal, "returnCode" | "reasonCode">>> = {
  "access.protocol_level": { returnCode: 1, reasonCode: 0x84 },
  "access.client_id_malformed": { returnCode: 2, reasonCode: 0x85 },
  "access.unavailable": { returnCode: 3, reasonCode: 0x88 },
};
const notAuthorized = 0x87;

export function createAwsGate(ports: AwsGatePorts): Gatekeeper {
  const { next, book, onFailure } = ports;
  const behaviour: SessionBehaviour = {
    ...awsBehaviour,
    ...ports.limits,
    onSubscribeRefused: ports.deniedSubscribe === "close" ? "disconnect" : "answer",
  };

  /** It asked for one of the vendor's host names or ours for these clients, or for a protocol that only the vendor's devices speak. */
  function isAddressedToAws({ tls }: ConnectionFacts): boolean {
    const name = tls?.serverName;
    return tls?.alpn === "x-amzn-mqtt-ca" || (name !== undefined && (isAwsHost(name) || name === ports.endpoint));
  }

  async function decide(packet: ConnectPacket, facts: ConnectionFacts): Promise<Answer> {
    try {
      const changesSeen = book.changes;
      const context = connectContextOf(packet, facts);
      const proof = await prove(packet, facts, context);
      if (proof === undefined) return await next.connect(packet, facts);
      if (isRefusal(proof)) return refuse(packet, proof);
      return enter(packet, facts, proof, changesSeen);
    } catch (error) {
      onFailure(error);
      const code = error instanceof PlatformError ? error.code : "access.unavailable";
      return refuse(packet, code === "access.unavailable" ? { code } : { code: "access.unavailable", received: code });
    }
  }

  /** Undefined: no AWS client, or none that can be told apart from others. */
  async function prove(
    packet: ConnectPacket,
    facts: ConnectionFacts,
    context: ConnectContext,
  ): Promise<ProvenClient | ProofRefusal | undefined> {
    const { tls, upgrade } = facts;
    if (isSigned(facts)) return ports.signedClients.prove(facts, context);
    if (tls?.clientCertificate !== undefined) {
      const proof = await ports.certificateClients.prove(tls.clientCertificate, context);
      if (proof !== undefined) return proof;
    }
    if (ports.authorizerClients.isNamed(packet, upgrade)) return ports.authorizerClients.prove(packet, facts, context);
    if (!isAddressedToAws(facts)) return undefined;
    if (tls?.clientCertificate !== undefined)
      return { code: "access.certificate_unregistered", received: tls.clientCertificate.fingerprint };
    return ports.authorizerClients.prove(packet, facts, context);
  }

  function enter(packet: ConnectPacket, facts: ConnectionFacts, client: ProvenClient, changesSeen: number): Answer {
    const { permissions } = client;
    const { clientId } = packet;
    const subject = subjectOf(packet, facts, client);
    const denied = connectFault(packet, permissions);
    if (denied !== undefined) {
      if (denied.code === "access.policy_denied") ports.connectFailed(subject);
      return refuse(packet, denied);
    }
    const { device } = subject;
    if (device !== undefined && ports.registry.peekDevice(device.productKey, device.deviceName)?.isEnabled === false) {
      return refuse(packet, { code: "access.device_disabled", received: device.deviceName });
    }
    const rights = new AwsRights(ports.rights, permissions.policies);
    const sessionId = thingClientSessionIdOf(clientId);
    const { lifetimeSeconds, refreshSeconds } = client;
    book.admit({
      sessionId,
      subject,
      changesSeen,
      async refresh() {
        const found = await client.look();
        if (isRefusal(found)) return found;
        rights.replace(found.policies);
        return undefined;
      },
      ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
      ...(refreshSeconds === undefined ? {} : { refreshSeconds }),
    });
    return { sessionId, rights, behaviour, keepAliveSeconds: awsKeepAliveOf(packet.keepAliveSeconds), subject };
  }

  /** The thing is the client's only when its certificate is attached to it: anybody may choose a client id. */
  function subjectOf({ clientId }: ConnectPacket, { remoteAddress }: ConnectionFacts, client: ProvenClient): ThingClientSubject {
    const { thing } = client.permissions;
    const base = {
      kind: "thing-client",
      dialect: "aws",
      clientId,
      principal: client.principal,
      connectionId: drawUuid(ports.random),
      remoteAddress,
    } as const;
    if (thing?.isAttached !== true) return base;
    const { name, id, isExclusive } = thing;
    return { ...base, device: { productKey: ports.productKey, deviceName: name, iotId: id, isExclusive } };
  }

  /** What the client may not do before it has done anything: connect, leave this will, keep this name. */
  function connectFault({ protocolVersion, clientId, will }: ConnectPacket, { policies }: Permissions): Refusal | undefined {
    // AWS reference 6.1: levels 4 and 5 only.
    if (protocolVersion === 3) return { code: "access.protocol_level", received: "MQTT 3.1", expected: "MQTT 3.1.1 or 5.0" };
    const malformed = awsClientIdFault(clientId);
    if (malformed !== undefined) return { code: "access.client_id_malformed", ...malformed };
    const denied = policyRefusal(policies, "iot:Connect", `client/${clientId}`);
    if (denied !== undefined || will === undefined) return denied;
    const resource = `topic/${will.topic}`;
    return (
      publishFault(will.topic, ports.rights.limits) ??
      policyRefusal(policies, "iot:Publish", resource) ??
      (will.isRetained ? policyRefusal(policies, "iot:RetainPublish", resource) : undefined)
    );
  }

  function refuse({ protocolVersion }: ConnectPacket, refusal: ProofRefusal): ConnectRefusal {
    const codes = connackCodes[refusal.code];
    const isQuiet = codes === undefined && protocolVersion !== 5 && ports.deniedConnect === "close";
    return {
      ...refusal,
      returnCode: codes?.returnCode ?? 5,
      reasonCode: codes?.reasonCode ?? refusal.reasonCode ?? notAuthorized,
      ...(isQuiet ? { isSilent: true } : {}),
    };
  }

  return {
    connect(packet, facts) {
      const { tls, upgrade } = facts;
      const isCandidate =
        isSigned(facts) ||
        tls?.clientCertificate !== undefined ||
        isAddressedToAws(facts) ||
        ports.authorizerClients.isNamed(packet, upgrade);
      return isCandidate ? decide(packet, facts) : next.connect(packet, facts);
    },
    ...(next.authenticate === undefined ? {} : { authenticate: (packet, facts) => next.authenticate?.(packet, facts) }),
  };
}

const webSocketPath = "/mqtt";

/** AWS reference 2.2: a WebSocket on `/mqtt` whose upgrade was signed. */
function isSigned({ upgrade }: ConnectionFacts): boolean {
  if (upgrade === undefined) return false;
  const { path, rawQuery } = splitTarget(upgrade.target);
  return path === webSocketPath && isSigV4Signed({ headers: upgrade.headers, rawQuery });
}
