/** The first byte of every packet: type and flags. [3.1.1 section 2.2, 5.0 section 2.1] */
import type { ProtocolVersion } from "./packet.ts";
import { formatByte, type RuleName, violation } from "./rules.ts";

export const packetTypes = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

/** Packets whose flags are 0010; 3.1 called that "QoS 1" and let DUP be set when the packet is sent again. */
const flags0010: Readonly<Partial<Record<number, RuleName>>> = {
  [packetTypes.pubrel]: "pubrelFlags",
  [packetTypes.subscribe]: "subscribeFlags",
  [packetTypes.unsubscribe]: "unsubscribeFlags",
};

/** The rule a first byte breaks in every version, by first byte. */
const brokenRules: readonly (RuleName | undefined)[] = Array.from({ length: 256 }, (_, firstByte) => findBrokenRule(firstByte));

function findBrokenRule(firstByte: number): RuleName | undefined {
  const type = firstByte >> 4;
  const flags = firstByte & 0x0f;
  if (type === packetTypes.publish) {
    const qos = (flags >> 1) & 3;
    if (qos === 3) return "publishQosReserved";
    return qos === 0 && (flags & 0x08) !== 0 ? "duplicateOnQos0" : undefined;
  }
  const named = flags0010[type];
  if (named !== undefined) return (flags & 0x07) === 0x02 ? undefined : named;
  return type === 0 || flags !== 0 ? "firstByteIllegal" : undefined;
}

/** The rule that a first byte breaks in every version. The framer asks; it does not know the version. */
export function brokenRuleOf(firstByte: number): RuleName | undefined {
  return brokenRules[firstByte];
}

/** Throws for a first byte that `version` does not allow. */
export function checkFirstByteForVersion(firstByte: number, version: ProtocolVersion): void {
  const broken = brokenRules[firstByte];
  if (broken !== undefined) throw violation(broken, version, formatByte(firstByte));
  const type = firstByte >> 4;
  if (type === packetTypes.auth && version !== 5) throw violation("authBefore5", version, formatByte(firstByte));
  const named = flags0010[type];
  // Tolerated on 3.1 only: its clients set DUP on a repeated PUBREL, SUBSCRIBE or UNSUBSCRIBE.
  if (named !== undefined && version !== 3 && (firstByte & 0x0f) !== 0x02) throw violation(named, version, formatByte(firstByte));
}
