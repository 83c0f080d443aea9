/** Who may connect, and why not. Steps: dialect → registry → proof → enabled → keep-alive → admission. */
import { timingSafeEqual } from "node:crypto";
import type {
  CertificateClaim,
  Claim,
  ConnectRequest,
  DeviceTokenClaim,
  Dialect,
  DialectRefusal,
  KeepAlivePolicy,
  RegistrationClaim,
  TransportFacts,
} from "@thingstead/dialects";
import type { Admission, ConnectionFacts, ConnectPacket, ConnectRefusal, Gatekeeper, SessionBehaviour } from "@thingstead/mqtt";
import type { Clock, Random } from "../clock.ts";
import type { DeviceLog } from "../device-log/index.ts";
import type { Device, Product, Registry } from "../registry/index.ts";
import type { DeviceCertificateStore } from "./device-certificates.ts";
import { DeviceRights, type PayloadScripts, type PublishListeners, type SystemTopicHandler } from "./device-rights.ts";
import type { GatewayLimits, SessionLimits } from "./limits.ts";
import type { Registrar } from "./registrar.ts";
import { registrationAdmission } from "./registration-sessions.ts";
import type { SubDeviceRights } from "./sub-devices.ts";
import { type DeviceSubject, sessionIdOf } from "./subject.ts";
import { hashToken, isTokenForm, tokenBytes } from "./token-hash.ts";
import type { DeviceTokenStore, TokenStore } from "./tokens.ts";
import type { TopicBook, TopicPage } from "./topic-book.ts";

export interface GatekeeperPorts {
  /** Asked in this order; the first that recognises a client decides. */
  dialects: readonly Dialect[];
  registry: Pick<Registry, "findDevice" | "findProduct" | "peekDevice" | "peekProduct">;
  topicBook: TopicBook;
  tokens: Pick<TokenStore, "find">;
  deviceTokens: Pick<DeviceTokenStore, "find">;
  deviceCertificates: Pick<DeviceCertificateStore, "find">;
  registrar: Pick<Registrar, "register">;
  subDevices?: SubDeviceRights;
  deviceLog: Pick<DeviceLog, "write" | "wants">;
  grants: PublishListeners;
  systemTopics?: SystemTopicHandler;
  payloadScripts?: PayloadScripts;
  limits: SessionLimits;
  gatewayLimits: Pick<GatewayLimits, "gatewaySubscriptionsMax">;
  keepAlivePolicy: KeepAlivePolicy;
  clock: Pick<Clock, "now">;
  random: Random;
  /** Whom no dialect takes is asked here; absent: refused. */
  plain?: Gatekeeper;
  /** A store or a lookup failed while a device was waiting. */
  onFailure(error: unknown): void;
}

type Answer = Admission | ConnectRefusal;
type Refused = DialectRefusal;
/** What the registry says of a device, all of it at the same moment. */
interface Known {
  device: Device;
  product: Product | undefined;
  page: TopicPage;
}
type SignatureClaim = Extract<Claim, { kind: "device-signature" }>;
type Proof = { kind: "proven"; device: Device } | Refused;

/** As long as a real secret, so that an unknown device costs the time of a wrong signature. Nothing verifies with it. */
const dummySecret = "0".repeat(32);

/** No dialect took the client: the words every client understands. */
const unknownDialect = { returnCode: 5, reasonCode: 0x87 } as const;

export function createGatekeeper(ports: GatekeeperPorts): Gatekeeper {
  const behaviours = new Map<Dialect, SessionBehaviour>(
    ports.dialects.map((dialect) => [dialect, { ...dialect.behaviour, ...ports.limits }]),
  );

  /** Answers at once when nothing has to be looked up in the store. */
  function connect(packet: ConnectPacket, facts: ConnectionFacts): Answer | Promise<Answer> {
    return askFrom(0, packet, requestOf(packet), facts);
  }

  function askFrom(first: number, packet: ConnectPacket, request: ConnectRequest, facts: ConnectionFacts): Answer | Promise<Answer> {
    const transport = transportOf(facts);
    for (const [index, dialect] of ports.dialects.entries()) {
      if (index < first) continue;
      const identification = dialect.identify(request, transport);
      if (identification.kind === "notMine") continue;
      if (identification.kind === "refused") return connectRefusal(dialect, identification);
      const isGuessed = isGuess(identification);
      // What was never issued need not be looked for.
      if (isGuessed && identification.kind === "token" && !isTokenForm(identification.token)) continue;
      const answered = decide(dialect, identification, request, facts);
      if (!isGuessed) return answered;
      return Promise.resolve(answered).then((answer) => {
        return "code" in answer && answer.code === "access.token_invalid" ? askFrom(index + 1, packet, request, facts) : answer;
      });
    }
    if (ports.plain !== undefined) return ports.plain.connect(packet, facts);
    return {
      code: "access.dialect_unknown",
      received: `client id ${shown(packet.clientId)}, user name ${shown(packet.userName ?? "")}`,
      expected: `credentials of ${ports.dialects.map(({ name }) => name).join(", ")}`,
      ...unknownDialect,
    };
  }

  function decide(
    dialect: Dialect,
    claim: Claim | RegistrationClaim,
    request: ConnectRequest,
    facts: ConnectionFacts,
  ): Answer | Promise<Answer> {
    try {
      const answer = claim.kind === "device-signature" ? admitAtOnce(dialect, claim, request, facts) : undefined;
      if (answer === undefined) return decideLater(dialect, claim, request, facts);
      return "kind" in answer ? connectRefusal(dialect, answer) : answer;
    } catch (error) {
      return failed(dialect, error);
    }
  }

  /** Not the device's fault: it is told to come again. */
  function failed(dialect: Dialect, error: unknown): ConnectRefusal {
    ports.onFailure(error);
    return connectRefusal(dialect, { kind: "refused", code: "access.unavailable" });
  }

  /** Undefined: not all of it is in memory. */
  function admitAtOnce(
    dialect: Dialect,
    claim: SignatureClaim,
    request: ConnectRequest,
    facts: ConnectionFacts,
  ): Admission | Refused | undefined {
    const device = ports.registry.peekDevice(claim.productKey, claim.deviceName);
    const product = ports.registry.peekProduct(claim.productKey);
    const page = ports.topicBook.peek(claim.productKey);
    if (device === undefined || product === undefined || page === undefined) return undefined;
    const verdict = dialect.verify(claim, device.deviceSecret);
    return verdict.kind === "verified" ? enter(dialect, claim, request, facts, { device, product, page }) : verdict;
  }

  async function decideLater(
    dialect: Dialect,
    claim: Claim | RegistrationClaim,
    request: ConnectRequest,
    facts: ConnectionFacts,
  ): Promise<Answer> {
    try {
      const answer = claim.kind === "registration" ? await register(dialect, claim, facts) : await admit(dialect, claim, request, facts);
      return "kind" in answer ? connectRefusal(dialect, answer) : answer;
    } catch (error) {
      return failed(dialect, error);
    }
  }

  /** A client of another kind may look like one with a token; only where such clients are let in at all it is asked further. */
  function isGuess(claim: Claim | RegistrationClaim): boolean {
    return ports.plain !== undefined && claim.kind === "token" && claim.isGuess === true;
  }

  async function admit(dialect: Dialect, claim: Claim, request: ConnectRequest, facts: ConnectionFacts): Promise<Admission | Refused> {
    const proof = await prove(dialect, claim);
    if (proof.kind === "refused") return proof;
    const { productKey, deviceName, iotId } = proof.device;
    const page = ports.topicBook.peek(productKey) ?? (await ports.topicBook.open(productKey));
    const product = await ports.registry.findProduct(productKey);
    // Read last, after everything that may take time, so that a device disabled meanwhile does not slip in.
    const device = await ports.registry.findDevice(productKey, deviceName);
    if (device === undefined || device.iotId !== iotId)
      return { kind: "refused", code: "access.device_unknown", received: `${productKey}/${deviceName}` };
    return enter(dialect, claim, request, facts, { device, product, page });
  }

  /** The proof stands; the rest asks nobody. */
  function enter(
    dialect: Dialect,
    claim: Claim,
    request: ConnectRequest,
    facts: ConnectionFacts,
    { device, product, page }: Known,
  ): Admission | Refused {
    const { productKey, deviceName } = device;
    if (!device.isEnabled) return { kind: "refused", code: "access.device_disabled", received: `${productKey}/${deviceName}` };
    const keepAlive = dialect.keepAlive(request.keepAliveSeconds, ports.keepAlivePolicy);
    if (keepAlive.kind === "refused") return keepAlive;
    logRemarks(claim, device, request.clientId, facts);
    const isCertified = claim.kind === "certificate";
    if (isCertified !== (product?.authType === "x509")) {
      const [received, expected] = isCertified ? ["a certificate", "a secret"] : ["a secret", "a certificate"];
      return { kind: "refused", code: "access.credential_kind", received, expected };
    }
    return admissionOf(dialect, claim, device, page, keepAlive.seconds, product?.nodeType === "gateway");
  }

  function prove(dialect: Dialect, claim: Claim): Promise<Proof> {
    switch (claim.kind) {
      case "token":
        return proveToken(claim);
      case "device-token":
        return proveDeviceToken(claim);
      case "certificate":
        return proveCertificate(claim);
      case "device-signature":
        return proveSignature(dialect, claim);
    }
  }

  /** Credentials are handed over on a session of its own, which is good for nothing else (alibaba-device.md, 2.6). */
  async function register(dialect: Dialect, claim: RegistrationClaim, facts: ConnectionFacts): Promise<Admission | Refused> {
    const { registration } = dialect;
    if (registration === undefined) return { kind: "refused", code: "access.credential_kind" };
    const outcome = await ports.registrar.register(registration, claim, facts.remoteAddress);
    if (outcome.kind === "refused") return outcome;
    const { productKey, deviceName } = claim;
    const names = { productKey, deviceName };
    const message =
      outcome.kind === "secret"
        ? registration.announceSecret({ ...names, deviceSecret: outcome.device.deviceSecret })
        : registration.announceToken({ ...names, clientId: outcome.clientId, deviceToken: outcome.deviceToken });
    const sessionId = `registration/${productKey}/${deviceName}/${ports.random.bytes(tokenBytes).toString("hex")}`;
    return registrationAdmission(sessionId, { kind: "registration", dialect: dialect.name, ...names, message }, behaviourOf(dialect));
  }

  /** The handshake proved that the peer has the certificate's key; which device that is stands in the registry. */
  async function proveCertificate({ fingerprint, names }: CertificateClaim): Promise<Proof> {
    const certificate = await ports.deviceCertificates.find(fingerprint);
    const isTheirs = names === undefined || (names.productKey === certificate?.productKey && names.deviceName === certificate.deviceName);
    if (certificate === undefined || !isTheirs) return { kind: "refused", code: "access.certificate_unknown", received: fingerprint };
    if (certificate.expiresAt <= ports.clock.now()) {
      return { kind: "refused", code: "access.certificate_expired", received: new Date(certificate.expiresAt).toISOString() };
    }
    const device = await ports.registry.findDevice(certificate.productKey, certificate.deviceName);
    if (device === undefined) return { kind: "refused", code: "access.certificate_unknown", received: fingerprint };
    return { kind: "proven", device };
  }

  async function proveDeviceToken({ productKey, deviceName, clientMark, token }: DeviceTokenClaim): Promise<Proof> {
    const received = `${productKey}/${deviceName}, client id ${shown(clientMark)}, token of ${token.length} characters`;
    const tokenHash = isTokenForm(token) ? await ports.deviceTokens.find(productKey, deviceName, clientMark) : undefined;
    const device =
      tokenHash !== undefined && isSameText(hashToken(token), tokenHash)
        ? await ports.registry.findDevice(productKey, deviceName)
        : undefined;
    return device === undefined ? { kind: "refused", code: "access.device_token_invalid", received } : { kind: "proven", device };
  }

  async function proveSignature(dialect: Dialect, claim: SignatureClaim): Promise<Proof> {
    const device = await ports.registry.findDevice(claim.productKey, claim.deviceName);
    const verdict = dialect.verify(claim, device?.deviceSecret ?? dummySecret);
    if (device === undefined) {
      return {
        kind: "refused",
        code: "access.device_unknown",
        received: `${claim.productKey}/${claim.deviceName}`,
        expected: "a device of the registry",
      };
    }
    return verdict.kind === "verified" ? { kind: "proven", device } : verdict;
  }

  async function proveToken(claim: Extract<Claim, { kind: "token" }>): Promise<Proof> {
    const received = `iotId ${shown(claim.iotId)}, token of ${claim.token.length} characters`;
    // What was never issued is not looked for: a storm of generic clients would otherwise read the database once each.
    const token = isTokenForm(claim.token) ? await ports.tokens.find(hashToken(claim.token)) : undefined;
    if (token === undefined || !isSameText(token.iotId, claim.iotId)) return { kind: "refused", code: "access.token_invalid", received };
    const now = ports.clock.now();
    if (token.expiresAt <= now) {
      const [expiry, present] = [token.expiresAt, now].map((time) => new Date(time).toISOString());
      return { kind: "refused", code: "access.token_expired", received: `expired ${expiry}`, expected: `${present}` };
    }
    const device = await ports.registry.findDevice(token.productKey, token.deviceName);
    // A device created anew under the same names is another device.
    if (device === undefined || device.iotId !== token.iotId) return { kind: "refused", code: "access.token_device_gone", received };
    return { kind: "proven", device };
  }

  function behaviourOf(dialect: Dialect): SessionBehaviour {
    return behaviours.get(dialect) ?? { ...dialect.behaviour, ...ports.limits };
  }

  function admissionOf(
    dialect: Dialect,
    claim: Claim,
    device: Device,
    page: TopicPage,
    keepAliveSeconds: number,
    isGateway: boolean,
  ): Admission {
    const { productKey, deviceName, iotId } = device;
    const isNameless = claim.kind === "certificate" && claim.names === undefined;
    const greeting = isNameless ? dialect.announceIdentity?.({ productKey, deviceName }) : undefined;
    const traits = {
      ...dialect.traitsOf(claim.parameters),
      ...(isGateway ? { isGateway } : {}),
      ...(claim.kind === "certificate" ? { certificate: claim.fingerprint } : {}),
      ...(greeting === undefined ? {} : { greeting }),
    };
    const subject: DeviceSubject = { kind: "device", dialect: dialect.name, productKey, deviceName, iotId, ...traits };
    const behaviour = behaviourOf(dialect);
    return {
      sessionId: sessionIdOf(productKey, deviceName),
      rights: new DeviceRights(ports, dialect, subject, page),
      behaviour: isGateway ? { ...behaviour, subscriptionsMax: ports.gatewayLimits.gatewaySubscriptionsMax } : behaviour,
      keepAliveSeconds,
      subject,
      ...(traits.isAutoSubscribed === true ? { isAddressable: true } : {}),
    };
  }

  function logRemarks(claim: Claim, { productKey, deviceName }: Device, clientId: string, { remoteAddress }: ConnectionFacts): void {
    for (const remark of claim.remarks ?? []) {
      ports.deviceLog.write({ kind: "auth", isSuccess: true, productKey, deviceName, clientId, remoteAddress, ...remark });
    }
  }

  return { connect };
}

function connectRefusal(dialect: Dialect, { code, received, expected }: Refused): ConnectRefusal {
  return {
    code,
    ...(received === undefined ? {} : { received }),
    ...(expected === undefined ? {} : { expected }),
    ...dialect.refusalCodes(code),
  };
}

function requestOf(packet: ConnectPacket): ConnectRequest {
  const { protocolVersion, clientId, userName, password, keepAliveSeconds, isCleanStart } = packet;
  return {
    protocolVersion,
    clientId,
    keepAliveSeconds,
    isCleanStart,
    ...(userName === undefined ? {} : { userName }),
    ...(password === undefined ? {} : { password }),
  };
}

function transportOf({ carrier, tls }: ConnectionFacts): TransportFacts {
  return {
    isSecure: tls !== undefined,
    carrier,
    ...(tls?.serverName === undefined ? {} : { serverName: tls.serverName }),
    ...(tls?.clientCertificate === undefined ? {} : { clientCertificate: tls.clientCertificate }),
  };
}

function isSameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

const shownCharactersMax = 64;

function shown(text: string): string {
  return JSON.stringify(text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}…` : text);
}
