/**
 * The contract of a dialect: how one cloud speaks on the wire. Dialects are pure: no sockets, no clock, no registry.
 * The platform looks a device up between `identify` and `verify`; the device SDK and the modem use the same folders'
 * other functions from the other side of the wire.
 */

/** A "no" with its reasons; `code` is API, `received`/`expected` are for the device log and never contain a secret. */
export interface DialectRefusal {
  kind: "refused";
  code: string;
  received?: string;
  expected?: string;
}

/** What the transport layer knows, as far as a dialect may care. */
export interface TransportFacts {
  isSecure: boolean;
  carrier: "tcp" | "websocket";
  serverName?: string;
  clientCertificate?: { fingerprint: string; subject: string; isAuthorized: boolean };
}

export interface ConnectRequest {
  protocolVersion: 3 | 4 | 5;
  clientId: string;
  userName?: string;
  password?: Uint8Array;
  keepAliveSeconds: number;
  isCleanStart: boolean;
}

/** Something odd that was accepted all the same; goes to the device log. */
export interface Remark {
  code: string;
  received?: string;
  expected?: string;
}

/** Who the peer claims to be and what must be looked up to check it. */
export type Claim =
  /** Prove with the device's secret: `verify(claim, secret)`. `clientMark` = the free part of the client id. */
  | {
      kind: "device-signature";
      productKey: string;
      deviceName: string;
      clientMark: string;
      parameters: Readonly<Record<string, string>>;
      signature: string;
      remarks?: readonly Remark[];
    }
  /** Prove with a token issued earlier (HTTPS pre-auth). */
  | {
      kind: "token";
      iotId: string;
      token: string;
      /** Nothing but a user name of the right shape speaks for it: where it is no token of ours, others may be asked. */
      isGuess?: boolean;
      clientMark: string;
      parameters: Readonly<Record<string, string>>;
      remarks?: readonly Remark[];
    }
  | DeviceTokenClaim
  | CertificateClaim;

/** Asks for credentials with the product's secret. `self`: nobody need have registered the device before. */
export interface RegistrationClaim {
  kind: "registration";
  mode: "known" | "self";
  productKey: string;
  deviceName: string;
  signMethod: string;
  signature: string;
  signedText: string;
  clientMark: string;
  parameters: Readonly<Record<string, string>>;
}

/** Prove with the token that a device which registered itself was given under this client id (`clientMark`). */
export interface DeviceTokenClaim {
  kind: "device-token";
  productKey: string;
  deviceName: string;
  token: string;
  clientMark: string;
  parameters: Readonly<Record<string, string>>;
  remarks?: readonly Remark[];
}

/** Proven by the TLS handshake: the certificate's holder has its key. Names are absent at a first connection. */
export interface CertificateClaim {
  kind: "certificate";
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  fingerprint: string;
  names?: DeviceNames;
  clientMark: string;
  parameters: Readonly<Record<string, string>>;
  remarks?: readonly Remark[];
}

/** `notMine` lets the next dialect try. */
export type Identification = Claim | RegistrationClaim | DialectRefusal | { kind: "notMine" };

/** Structurally the engine's SessionBehaviour; dialects may not import the engine, so the platform fills in the limits. */
export interface DialectBehaviour {
  qosMax: 0 | 1 | 2;
  onQosAboveMax: "disconnect" | "drop";
  retain: "store" | "deliver" | "refuse";
  will: "publish" | "ignore";
  wildcards: boolean;
  sharedSubscriptions: boolean;
  deliveryQos: "minimum" | "publisher";
  onPublishRefused: "acknowledge" | "disconnect";
  onSubscribeRefused?: "answer" | "disconnect";
  onPayloadTooLarge?: "drop" | "disconnect";
  onCarrierGoodbye?: "lost" | "disconnect";
  hashMatchesParent?: boolean;
  retainedForWildcards?: boolean;
  subscriptionIdentifiers?: boolean;
  isSessionSharedByVersions?: boolean;
  messageExpirySeconds?: { min: number; max: number };
}

export type Operation = "PUB" | "SUB" | "ALL";

/** One custom topic class of a product: a template with `${productKey}` and `${deviceName}` in it. */
export interface TopicClass {
  template: string;
  operation: Operation;
}

export type TopicDecision =
  /** `topic` = the topic to route (suffixes stripped); `system` names the row of the system topic table, if it is one. */
  { kind: "allowed"; topic: string; system?: string } | DialectRefusal;

/** What one device may do on topics, compiled at connect. Synchronous, no allocation beyond the answer. */
export interface TopicRights {
  publish(topic: string): TopicDecision;
  subscribe(filter: string): TopicDecision;
}

export interface RefusalCodes {
  /** CONNACK return code for MQTT 3.1/3.1.1. */
  returnCode: 1 | 2 | 3 | 4 | 5;
  /** CONNACK reason code for MQTT 5. */
  reasonCode: number;
}

export interface KeepAlivePolicy {
  minimumSeconds: number;
  maximumSeconds: number;
  /** `clamp` counts a longer wish as the maximum; `refuse` refuses it. Shorter than the minimum is always refused. */
  aboveMaximum: "clamp" | "refuse";
}

export interface DeviceNames {
  productKey: string;
  deviceName: string;
}

/** A request for a token, readable but not yet checked: `signedText` must carry `signature` under the device's secret. */
export interface PreAuthClaim extends DeviceNames {
  kind: "pre-auth";
  clientMark: string;
  signMethod: string;
  signature: string;
  signedText: string;
}

/** Authentication before the connection (HTTPS), answered in the cloud's own words. */
export interface PreAuthDialect {
  /** How long a token is good for. */
  readonly tokenSeconds: number;
  read(fields: Readonly<Record<string, string>>): PreAuthClaim | DialectRefusal;
  verify(claim: PreAuthClaim, deviceSecret: string): { kind: "verified" } | DialectRefusal;
  /** The JSON body of a success; member order is part of the protocol. */
  grant(answer: { iotId: string; token: string; host: string; port: number }): object;
  /** The JSON body of a refusal with this code. */
  refuse(code: string): object;
}

/** Registration with the product's secret, answered in the cloud's own words. */
export interface RegistrationDialect {
  read(fields: Readonly<Record<string, string>>): RegistrationClaim | DialectRefusal;
  verify(claim: RegistrationClaim, productSecret: string): { kind: "verified" } | DialectRefusal;
  /** The JSON body of a success over HTTPS; member order is part of the protocol. */
  grant(answer: DeviceNames & { deviceSecret: string }): object;
  refuse(code: string): object;
  /** What is pushed over MQTT, unsubscribed. */
  announceSecret(answer: DeviceNames & { deviceSecret: string }): { topic: string; payload: Uint8Array };
  announceToken(answer: DeviceNames & { clientId: string; deviceToken: string }): { topic: string; payload: Uint8Array };
  /** The JSON body that tells a device where to connect. */
  bootstrap(answer: { host: string; port: number }): object;
}

/** How a device wants to be served, from what it says at connecting. */
export interface ConnectTraits {
  /** What the cloud sends of its own accord reaches it without a SUBSCRIBE. */
  isAutoSubscribed?: true;
  /** Takes requests on its custom topics while the caller waits. */
  acceptsCustomRrpc?: true;
}

export interface Dialect {
  readonly name: string;
  readonly behaviour: DialectBehaviour;
  identify(request: ConnectRequest, transport: TransportFacts): Identification;
  /** Checks a `device-signature` claim. A mismatch tells the text that was signed, never the key. Constant-time compare. */
  verify(claim: Extract<Claim, { kind: "device-signature" }>, deviceSecret: string): { kind: "verified" } | DialectRefusal;
  keepAlive(requestedSeconds: number, policy: KeepAlivePolicy): { kind: "accepted"; seconds: number } | DialectRefusal;
  refusalCodes(code: string): RefusalCodes;
  /** The device that a CONNECT with this user name speaks of, proven or not: names a refusal in the device log. */
  claimedDevice(userName: string): DeviceNames | undefined;
  /** The device whose custom topic this is; undefined for system topics and for topics that are none of this dialect's. */
  topicOwner(topic: string): DeviceNames | undefined;
  /** The device that a topic or filter of any family names. */
  deviceOf(topic: string): DeviceNames | undefined;
  traitsOf(parameters: Readonly<Record<string, string>>): ConnectTraits;
  /** Whether the cloud sends this topic to devices that are subscribed automatically. */
  isAutomatic(topic: string): boolean;
  /** Topics of a request whose caller waits. */
  readonly rrpcTopics?: {
    request(productKey: string, deviceName: string, messageId: string): string;
    /** On a topic of the device's own; the response comes on the same one. */
    custom(messageId: string, topic: string): string;
  };
  readonly broadcastTopics?: {
    /** To one device, unasked. */
    request(productKey: string, deviceName: string, messageId: string): string;
    /** The product of a topic that devices subscribe; undefined for any other topic. */
    productOf(topic: string): string | undefined;
  };
  readonly preAuth?: PreAuthDialect;
  readonly registration?: RegistrationDialect;
  /** What tells a device that came with nothing but a certificate who it is; pushed unsubscribed. */
  announceIdentity?(names: DeviceNames): { topic: string; payload: Uint8Array };
  compileRights(productKey: string, deviceName: string, classes: readonly TopicClass[]): TopicRights;
}

/** One right of a generic client on topics: `%u` in the filter stands for its user name, `%c` for its client id. */
export interface TopicRight {
  filter: string;
  operation: Operation;
}

/** A generic MQTT client: no device of a product. */
export interface ClientNames {
  clientId: string;
  /** Absent: anonymous. */
  userName?: string;
}

/** How generic MQTT clients are let in: they speak no cloud's words, so their rights come from lists alone. */
export interface PlainDialect extends Pick<Dialect, "name" | "behaviour" | "refusalCodes"> {
  /** Rights of an anonymous client: everything but what only the server writes. */
  readonly anonymousRights: TopicRights;
  compileRights(names: Required<ClientNames>, rights: readonly TopicRight[]): TopicRights;
}
