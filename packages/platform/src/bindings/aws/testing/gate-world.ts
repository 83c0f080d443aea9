/** A gate over a fleet in memory, for tests. */
import type { AwsAccount } from "@thingstead/dialects";
import type { Admission, ConnectionFacts, ConnectPacket, ConnectRefusal, Refusal } from "@thingstead/mqtt";
import { createFakeClock } from "../../../fake-clock.ts";
import type { Authorizer, FleetCertificate, FleetChange, PrincipalFacts } from "../../../fleet/index.ts";
import { type AskWebhook, createAuthorizerClients } from "../authorizer-client.ts";
import { createCertificateClients } from "../certificate-client.ts";
import { type AwsGatePorts, createAwsGate } from "../gate.ts";
import { defaultAwsAccessLimits, defaultAwsSessionLimits } from "../limits.ts";
import { createPolicyBook } from "../policies.ts";
import { createAwsSessionBook } from "../session-book.ts";
import { createSignedClients } from "../signed-client.ts";
import { createAwsWatcher } from "../watcher.ts";

export const account: AwsAccount = { region: "us-east-2", accountId: "123456789012" };

export const policyOf = (...statements: object[]) => ({
  name: "p",
  versionId: "1",
  document: JSON.stringify({ Version: "2012-10-17", Statement: statements }),
});
export const everything = policyOf({ Effect: "Allow", Action: "iot:*", Resource: "*" });

const connectPacket = (change: Partial<ConnectPacket> = {}): ConnectPacket => ({
  type: "connect",
  protocolVersion: 4,
  clientId: "c1",
  isCleanStart: true,
  keepAliveSeconds: 60,
  ...change,
});

export const factsOf = (certificateId?: string, tls: Partial<NonNullable<ConnectionFacts["tls"]>> = {}): ConnectionFacts => ({
  remoteAddress: "192.0.2.1",
  remotePort: 1,
  localPort: 8883,
  carrier: "tcp",
  tls: {
    version: "TLSv1.2",
    cipher: "x",
    ...(certificateId === undefined ? {} : { clientCertificate: { fingerprint: certificateId, subject: "CN=x", isAuthorized: false } }),
    ...tls,
  },
});

export function createGateWorld(options: Partial<Pick<AwsGatePorts, "deniedConnect" | "deniedSubscribe">> = {}) {
  const clock = createFakeClock(1_700_000_000_000);
  const certificates = new Map<string, FleetCertificate>();
  const principals = new Map<string, PrincipalFacts>();
  const authorizers = new Map<string, Authorizer>();
  const disabled = new Set<string>();
  const kicks: { sessionId: string; code: string | undefined }[] = [];
  const forgotten: string[] = [];
  const failures: unknown[] = [];
  const failedConnects: string[] = [];
  const fleetListeners: ((change: FleetChange) => void)[] = [];
  const registryListeners: ((change: { kind: "device.disabled"; productKey: string; deviceName: string }) => void)[] = [];
  const asked: string[] = [];
  const webhook: { answer: Awaited<ReturnType<AskWebhook>> } = { answer: { code: "rules.webhook_unreachable" } };
  const hooks: { beforeFacts?: () => void } = {};

  const fleet = {
    productKey: "aws",
    certificates: {
      peek: (id: string) => certificates.get(id),
      find: async (id: string) => certificates.get(id),
    },
    authorities: { issuerOf: async () => undefined },
    async factsOf(id: string) {
      hooks.beforeFacts?.();
      return principals.get(id) ?? { policies: [] };
    },
    onChange: (listener: (change: FleetChange) => void) => void fleetListeners.push(listener),
  };
  const registry = {
    peekDevice: (_: string, deviceName: string) => ({ isEnabled: !disabled.has(deviceName) }),
    onChange: (listener: (typeof registryListeners)[number]) => void registryListeners.push(listener),
  };
  const broker = {
    kick(sessionId: string, _: string, refusal?: Refusal) {
      kicks.push({ sessionId, code: refusal?.code });
      return true;
    },
    forgetGrants: (sessionId?: string) => void forgotten.push(sessionId ?? "all"),
  };
  const limits = defaultAwsAccessLimits;
  const onFailure = (error: unknown) => void failures.push(error);
  const book = createAwsSessionBook({ broker: () => broker, clock, onFailure });
  const policyBook = createPolicyBook({ account, clock, limits, onFailure });
  const random = { bytes: (count: number) => Buffer.alloc(count, 7) };
  const unusable = () => Promise.reject(new Error("no just-in-time registration here"));
  const gate = createAwsGate({
    next: { connect: () => ({ code: "next", returnCode: 5, reasonCode: 0x87 }) },
    certificateClients: createCertificateClients({
      fleet: fleet as unknown as Parameters<typeof createCertificateClients>[0]["fleet"],
      policyBook,
      justInTime: { register: unusable, announce: unusable },
      clock,
    }),
    signedClients: createSignedClients({ account, secretOf: () => undefined, clock, limits }),
    authorizerClients: createAuthorizerClients({
      records: { find: async (family, name) => (family === "authorizers" ? authorizers.get(name) : undefined) },
      async ask({ url, body }) {
        asked.push(`${url} ${Buffer.from(body)}`);
        return webhook.answer;
      },
      policyBook,
      random,
      limits,
    }),
    registry: registry as unknown as AwsGatePorts["registry"],
    productKey: "aws",
    book,
    rights: { listeners: { tapsFor: () => [] }, limits, subscribeQos2: "grant-1" },
    random,
    limits: defaultAwsSessionLimits,
    endpoint: "iot.example.com",
    deniedConnect: "connack-5",
    deniedSubscribe: "suback",
    connectFailed: ({ clientId }) => void failedConnects.push(clientId),
    onFailure,
    ...options,
  });
  const watcher = createAwsWatcher({
    fleet: fleet as unknown as Parameters<typeof createAwsWatcher>[0]["fleet"],
    registry: registry as unknown as Parameters<typeof createAwsWatcher>[0]["registry"],
    book,
    broker: () => broker,
    clock,
    limits,
    onFailure,
  });

  /** What the engine tells of an admission. */
  function open(admission: Admission): { close(): void } {
    const { sessionId, subject } = admission;
    const facts = factsOf();
    const connection = { clientId: "c1", protocolVersion: 4, keepAliveSeconds: 60, isSessionPresent: false } as const;
    book.connected?.({ sessionId, subject, facts, ...connection });
    return { close: () => book.disconnected?.({ sessionId, subject, facts, reason: "client_disconnect", lastPacketAt: 0 }) };
  }

  async function connect(packet: Partial<ConnectPacket> = {}, facts = factsOf("c")): Promise<Admission | ConnectRefusal> {
    return gate.connect(connectPacket(packet), facts);
  }

  async function admit(packet: Partial<ConnectPacket> = {}, facts = factsOf("c")): Promise<Admission> {
    const answer = await connect(packet, facts);
    if ("code" in answer) throw new Error(answer.code);
    return answer;
  }

  function addCertificate(id: string, change: Partial<FleetCertificate> = {}, facts: PrincipalFacts = { policies: [everything] }): void {
    const times = { notBefore: 0, notAfter: clock.now() + 1_000_000_000, createdAt: 0, modifiedAt: 0 };
    certificates.set(id, { id, status: "ACTIVE", pem: "", mode: "DEFAULT", ...times, ...change });
    principals.set(id, facts);
  }
  addCertificate("c");

  return {
    clock,
    gate,
    book,
    watcher,
    connect,
    admit,
    open,
    addCertificate,
    authorizers,
    disabled,
    kicks,
    forgotten,
    failures,
    failedConnects,
    asked,
    webhook,
    hooks,
    tellFleet: (change: FleetChange) => {
      for (const listener of fleetListeners) listener(change);
    },
    tellRegistry: (deviceName: string) => {
      for (const listener of registryListeners) listener({ kind: "device.disabled", productKey: "aws", deviceName });
    },
  };
}
