/** What a connection is judged by, and the values it gives to variables and condition keys (AWS reference, policies 5.4, 5.5). */
import type { AwsAccount } from "./arn.ts";
import type { CertificateNames } from "./certificate-names.ts";

export type ConnectAttribute = "PersistentConnect" | "LastWill";

export interface PolicyContext {
  readonly account: AwsAccount;
  /** Absent for HTTPS: policies with `${iot:ClientId}` do not match there. */
  readonly clientId?: string;
  readonly sourceIp: string;
  /** SNI. */
  readonly domainName?: string;
  readonly thing?: {
    readonly name: string;
    readonly typeName?: string;
    readonly attributes: Readonly<Record<string, string>>;
    /** The certificate is attached to it. Without that only `IsAttached` has a value. */
    readonly isAttached: boolean;
  };
  readonly certificate?: CertificateNames;
  readonly connectAttributes?: readonly ConnectAttribute[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Texts of a key; absent: the context has no such key. */
export type ContextValues = (key: string) => readonly string[] | undefined;

const thingAttribute = /^iot:connection\.thing\.attributes\[(.*)\]$/is;
const certificateKey = /^iot:certificate\.(subject|issuer)\.(alternativename\.)?([a-z0-9]+)(?:\.(\d{1,3}|list))?$/i;

/** Names of keys are compared without case; names of thing attributes with it. */
export function createContextValues(context: PolicyContext): ContextValues {
  const { certificate } = context;
  // An attribute of a thing that the certificate is not attached to would let any client id borrow another's values.
  const thing = context.thing?.isAttached === true ? context.thing : undefined;
  const plain = new Map<string, () => readonly string[] | undefined>([
    ["iot:clientid", () => one(context.clientId)],
    ["aws:sourceip", () => one(context.sourceIp)],
    ["iot:domainname", () => one(context.domainName)],
    ["iot:connectattributes", () => context.connectAttributes],
    ["aws:currenttime", () => [new Date(context.now).toISOString()]],
    ["aws:epochtime", () => [String(Math.floor(context.now / 1000))]],
    ["iot:connection.thing.thingname", () => one(thing?.name)],
    ["iot:connection.thing.thingtypename", () => one(thing?.typeName)],
    // No such thing is "not attached", so that a Deny of unattached clients holds; without a client id there is no connection to tell of.
    [
      "iot:connection.thing.isattached",
      () => (context.clientId === undefined && context.thing === undefined ? undefined : [String(thing !== undefined)]),
    ],
    ["iot:certificate.serialnumber", () => one(certificate?.serialNumber)],
    ["iot:certificate.availablekeys", () => (certificate === undefined ? undefined : availableKeys(certificate))],
  ]);
  return (key) => {
    const ofPlain = plain.get(key.toLowerCase());
    if (ofPlain !== undefined) return ofPlain();
    const attribute = thingAttribute.exec(key)?.[1];
    if (attribute !== undefined) {
      return thing !== undefined && Object.hasOwn(thing.attributes, attribute) ? one(thing.attributes[attribute]) : undefined;
    }
    return certificate === undefined ? undefined : certificateValues(certificate, key);
  };
}

/** An empty text counts as none: in a resource it would widen what it stands beside. */
function one(value: string | undefined): readonly string[] | undefined {
  return value === undefined || value === "" ? undefined : [value];
}

const partNames = {
  subject: "subject",
  issuer: "issuer",
  "subject.alternativename": "subjectAlternative",
  "issuer.alternativename": "issuerAlternative",
} as const;

function certificateValues(certificate: CertificateNames, key: string): readonly string[] | undefined {
  const [, side = "", alternative, name = "", suffix] = certificateKey.exec(key) ?? [];
  const part = partNameOf(side, alternative);
  if (part === undefined) return undefined;
  const values = Object.entries(certificate[part]).find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1];
  if (values === undefined || values.length === 0) return undefined;
  return pick(alternative === undefined ? values.map(escapeSpecial) : values, suffix);
}

/** Attributes of names stand in policies with these escaped: `Example\\, Inc.` in JSON. */
function escapeSpecial(value: string): string {
  return value.replace(/[,"\\+=<>;]/g, "\\$&");
}

function pick(values: readonly string[], suffix: string | undefined): readonly string[] | undefined {
  if (suffix?.toLowerCase() === "list") return values;
  // AWS reference 5.4: the index counts from zero; no suffix is the first.
  return one(values[Number(suffix ?? 0)]);
}

function partNameOf(side: string, alternative: string | undefined): (typeof partNames)[keyof typeof partNames] | undefined {
  const name = `${side.toLowerCase()}${alternative === undefined ? "" : ".alternativename"}`;
  return name === "subject" || name === "issuer" || name === "subject.alternativename" || name === "issuer.alternativename"
    ? partNames[name]
    : undefined;
}

function availableKeys(certificate: CertificateNames): string[] {
  const of = (head: string, names: Readonly<Record<string, readonly string[]>>) => Object.keys(names).map((name) => `${head}.${name}`);
  return [
    ...of("iot:Certificate.Subject", certificate.subject),
    ...of("iot:Certificate.Issuer", certificate.issuer),
    ...of("iot:Certificate.Subject.AlternativeName", certificate.subjectAlternative),
    ...of("iot:Certificate.Issuer.AlternativeName", certificate.issuerAlternative),
    "iot:Certificate.SerialNumber",
  ];
}
