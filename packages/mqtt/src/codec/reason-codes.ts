/** Reason codes by packet. [5.0 section 2.4 and the table of each packet] */
import type { ByteReader } from "./byte-reader.ts";
import { formatByte, type RuleName, violation } from "./rules.ts";

interface ReasonRow {
  readonly codes: ReadonlySet<number>;
  readonly rule: RuleName;
}

function row(rule: RuleName, ...codes: readonly number[]): ReasonRow {
  return { rule, codes: new Set(codes) };
}

// biome-ignore format: a table reads best one row a line.
const reasons = {
  // [MQTT-3.2.2-8]
  connack: row("connackReason", 0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f),
  // 3.1.1 table 3.1; the same in 3.1.
  connackBefore5: row("connackReason", 0, 1, 2, 3, 4, 5),
  puback: row("pubackReason", 0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99),
  pubrec: row("pubrecReason", 0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99),
  pubrel: row("pubrelReason", 0x00, 0x92),
  pubcomp: row("pubcompReason", 0x00, 0x92),
  suback: row("subackReason", 0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2),
  // [MQTT-3.9.3-2] of 3.1.1. 3.1 defines no failure code, yet brokers answer 0x80 there as well.
  subackBefore5: row("subackReason", 0x00, 0x01, 0x02, 0x80),
  unsuback: row("unsubackReason", 0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91),
  // 0x8c is in the table of section 2.4 although section 3.14 leaves it out.
  disconnect: row("disconnectReason", 0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2),
  auth: row("authReason", 0x00, 0x18, 0x19),
} as const satisfies Record<string, ReasonRow>;

/** Reads a reason code that the packet may carry. */
export function readReasonCode(reader: ByteReader, owner: keyof typeof reasons): number {
  const code = reader.readByte();
  const { codes, rule } = reasons[owner];
  if (!codes.has(code)) throw violation(rule, reader.version, formatByte(code));
  return code;
}
