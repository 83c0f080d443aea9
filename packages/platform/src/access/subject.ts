/** Who a session belongs to: the engine hands it back with every event. */
export interface DeviceSubject {
  readonly kind: "device";
  readonly dialect: string;
  readonly productKey: string;
  readonly deviceName: string;
  readonly iotId: string;
  /** A sub-device: whose connection it uses. */
  readonly gateway?: { readonly productKey: string; readonly deviceName: string; readonly iotId: string };
  /** `_ss=1`: what the cloud sends of its own accord reaches it without a SUBSCRIBE (alibaba-device.md, 4.4). */
  readonly isAutoSubscribed?: true;
  /** `ext` bit 0: takes requests on `/ext/rrpc/…` (2.1, 8.4). */
  readonly acceptsCustomRrpc?: true;
  /** Of a product whose devices have others behind them. */
  readonly isGateway?: true;
  /** Fingerprint of the certificate that opened the connection. */
  readonly certificate?: string;
  /** Pushed unsubscribed as soon as it is connected. */
  readonly greeting?: { readonly topic: string; readonly payload: Uint8Array };
}

/** The identity a session is bound to; never the MQTT client id, which two devices may share. */
export function sessionIdOf(productKey: string, deviceName: string): string {
  return `${productKey}/${deviceName}`;
}

export function isDeviceSubject(subject: unknown): subject is DeviceSubject {
  return typeof subject === "object" && subject !== null && "kind" in subject && subject.kind === "device";
}

/** A connection that exists to hand over credentials. */
export interface RegistrationSubject {
  readonly kind: "registration";
  readonly dialect: string;
  readonly productKey: string;
  readonly deviceName: string;
  readonly message: { readonly topic: string; readonly payload: Uint8Array };
}

export function isRegistrationSubject(subject: unknown): subject is RegistrationSubject {
  return typeof subject === "object" && subject !== null && "kind" in subject && subject.kind === "registration";
}

/** Who speaks in a session that is named by its client id: a certificate, an access key, or whom an authorizer let in. */
export type ThingClientPrincipal =
  | { readonly kind: "certificate"; readonly id: string }
  | { readonly kind: "access-key"; readonly id: string }
  | { readonly kind: "authorizer"; readonly name: string; readonly id: string };

/** A client of the certificate kind; which thing it is, if any, follows from its client id or its certificate. */
export interface ThingClientSubject {
  readonly kind: "thing-client";
  readonly dialect: string;
  readonly clientId: string;
  readonly principal: ThingClientPrincipal;
  /** The thing's device, for the log and the status. */
  readonly device?: { readonly productKey: string; readonly deviceName: string; readonly iotId: string; readonly isExclusive: boolean };
  /** UUID of this connection, in events. */
  readonly connectionId: string;
  readonly remoteAddress: string;
}

export function isThingClientSubject(subject: unknown): subject is ThingClientSubject {
  return typeof subject === "object" && subject !== null && "kind" in subject && subject.kind === "thing-client";
}

const thingClientPrefix = "aws/client";

/** `aws/client/<client id>`: one session for a client id, whoever speaks in it. */
export function thingClientSessionIdOf(clientId: string): string {
  return `${thingClientPrefix}/${clientId}`;
}

/** A generic MQTT client. */
export interface ClientSubject {
  readonly kind: "client";
  readonly dialect: string;
  readonly clientId: string;
  /** Absent: anonymous. */
  readonly userName?: string;
}

const plainPrefix = "plain";

/** `plain/<user>/<client id>`, with no user name for an anonymous client; user names have no slash. */
export function clientSessionIdOf(userName: string, clientId: string): string {
  return `${plainPrefix}/${userName}/${clientId}`;
}

export function isClientSubject(subject: unknown): subject is ClientSubject {
  return typeof subject === "object" && subject !== null && "kind" in subject && subject.kind === "client";
}

/** Whose session it is, for log entries. Device ids have one slash, ids of plain clients at least two. */
export function ownerOf(sessionId: string): { productKey: string; deviceName: string } | { clientId: string } | undefined {
  const [first, second, ...rest] = sessionId.split("/");
  if (first === undefined || second === undefined) return undefined;
  return rest.length === 0 ? { productKey: first, deviceName: second } : { clientId: rest.join("/") };
}
