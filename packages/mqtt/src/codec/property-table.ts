/** MQTT 5 properties as data. [5.0 section 2.2.2.2, table 2-4] */
import type { Properties } from "./packet.ts";
import type { RuleName } from "./rules.ts";

/** Where a property may stand: a packet, or the will inside CONNECT. */
export const propertyOwners = {
  connect: 1 << 0,
  connack: 1 << 1,
  publish: 1 << 2,
  will: 1 << 3,
  puback: 1 << 4,
  pubrec: 1 << 5,
  pubrel: 1 << 6,
  pubcomp: 1 << 7,
  subscribe: 1 << 8,
  suback: 1 << 9,
  unsubscribe: 1 << 10,
  unsuback: 1 << 11,
  disconnect: 1 << 12,
  auth: 1 << 13,
} as const;

export type PropertyOwner = keyof typeof propertyOwners;

type PropertyKind = "byte" | "uint16" | "uint32" | "variable" | "string" | "binary" | "pair";

export interface PropertyRow {
  readonly id: number;
  readonly name: keyof Properties;
  readonly kind: PropertyKind;
  /** Bits of {@link propertyOwners}. */
  readonly owners: number;
  /** Owners in which it may stand more than once. */
  readonly repeatableIn: number;
  /** Range of a numeric value; the kind's own range when not narrower. */
  readonly min: number;
  readonly max: number;
  /** Rule broken by a value outside the range. */
  readonly rangeRule: RuleName;
}

const kindMax: Record<PropertyKind, number> = {
  byte: 1, // Every byte property of 5.0 is a flag.
  uint16: 65_535,
  uint32: 4_294_967_295,
  variable: 268_435_455,
  string: 65_535,
  binary: 65_535,
  pair: 65_535,
};

function ownersOf(owners: readonly PropertyOwner[]): number {
  return owners.reduce((bits, owner) => bits | propertyOwners[owner], 0);
}

function row(
  id: number,
  name: keyof Properties,
  kind: PropertyKind,
  owners: readonly PropertyOwner[],
  extra: { min?: number; rangeRule?: RuleName; repeatableIn?: readonly PropertyOwner[] } = {},
): PropertyRow {
  return {
    id,
    name,
    kind,
    owners: ownersOf(owners),
    repeatableIn: ownersOf(extra.repeatableIn ?? []),
    min: extra.min ?? 0,
    max: kindMax[kind],
    rangeRule: extra.rangeRule ?? "propertyOutOfRange",
  };
}

const every = Object.keys(propertyOwners).filter((name): name is PropertyOwner => name in propertyOwners);
const message = ["publish", "will"] as const;
const answers = ["connack", "puback", "pubrec", "pubrel", "pubcomp", "suback", "unsuback", "disconnect", "auth"] as const;
const authenticated = ["connect", "connack", "auth"] as const;

// biome-ignore format: a table reads best one row a line.
export const propertyTable: readonly PropertyRow[] = [
  row(0x01, "payloadFormatIndicator", "byte", message),
  row(0x02, "messageExpiryIntervalSeconds", "uint32", message),
  row(0x03, "contentType", "string", message),
  row(0x08, "responseTopic", "string", message),
  row(0x09, "correlationData", "binary", message),
  row(0x0b, "subscriptionIdentifiers", "variable", ["publish", "subscribe"], { min: 1, rangeRule: "subscriptionIdentifierZero", repeatableIn: ["publish"] }),
  row(0x11, "sessionExpiryIntervalSeconds", "uint32", ["connect", "connack", "disconnect"]),
  row(0x12, "assignedClientIdentifier", "string", ["connack"]),
  row(0x13, "serverKeepAliveSeconds", "uint16", ["connack"]),
  row(0x15, "authenticationMethod", "string", authenticated),
  row(0x16, "authenticationData", "binary", authenticated),
  row(0x17, "requestProblemInformation", "byte", ["connect"]),
  row(0x18, "willDelayIntervalSeconds", "uint32", ["will"]),
  row(0x19, "requestResponseInformation", "byte", ["connect"]),
  row(0x1a, "responseInformation", "string", ["connack"]),
  row(0x1c, "serverReference", "string", ["connack", "disconnect"]),
  row(0x1f, "reasonString", "string", answers),
  row(0x21, "receiveMaximum", "uint16", ["connect", "connack"], { min: 1 }),
  row(0x22, "topicAliasMaximum", "uint16", ["connect", "connack"]),
  row(0x23, "topicAlias", "uint16", ["publish"], { min: 1, rangeRule: "topicAliasZero" }),
  row(0x24, "maximumQoS", "byte", ["connack"]),
  row(0x25, "retainAvailable", "byte", ["connack"]),
  row(0x26, "userProperties", "pair", every, { repeatableIn: every }),
  row(0x27, "maximumPacketSizeBytes", "uint32", ["connect", "connack"], { min: 1 }),
  row(0x28, "wildcardSubscriptionAvailable", "byte", ["connack"]),
  row(0x29, "subscriptionIdentifierAvailable", "byte", ["connack"]),
  row(0x2a, "sharedSubscriptionAvailable", "byte", ["connack"]),
];
