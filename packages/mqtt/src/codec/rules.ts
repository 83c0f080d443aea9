/**
 * Every rule the codec enforces, as data: the code of the refusal, the clause in the numbering of 3.1.1 (also used for 3.1)
 * and of 5.0, and what would have been right. A dash means the version does not know the rule.
 */
import { CodecError, type CodecErrorCode } from "./codec-error.ts";
import type { ProtocolVersion } from "./packet.ts";

type RuleRow = readonly [code: CodecErrorCode, clause311: string, clause5: string, expected: string];

export const rules = {
  // Fixed header
  firstByteIllegal: ["mqtt.malformed_packet", "MQTT-2.2.2-2", "MQTT-2.1.3-1", "a packet type with the flags defined for it"],
  publishQosReserved: ["mqtt.malformed_packet", "MQTT-3.3.1-4", "MQTT-3.3.1-4", "QoS 0, 1 or 2"],
  duplicateOnQos0: ["mqtt.malformed_packet", "MQTT-3.3.1-2", "MQTT-3.3.1-2", "DUP 0 when QoS is 0"],
  pubrelFlags: ["mqtt.malformed_packet", "MQTT-3.6.1-1", "MQTT-3.6.1-1", "flags 0010"],
  subscribeFlags: ["mqtt.malformed_packet", "MQTT-3.8.1-1", "MQTT-3.8.1-1", "flags 0010"],
  unsubscribeFlags: ["mqtt.malformed_packet", "MQTT-3.10.1-1", "MQTT-3.10.1-1", "flags 0010"],
  authBefore5: ["mqtt.malformed_packet", "MQTT-2.2.1", "-", "packet type 1 to 14"],
  // Only the framer finds these two, and it does not know the version.
  remainingLengthTooLong: ["mqtt.malformed_packet", "-", "MQTT-1.5.5", "1 to 4 length bytes"],
  packetTooLarge: ["mqtt.packet_too_large", "-", "MQTT-3.2.2-15", "a packet within the server's maximum"],

  // Fields
  truncated: ["mqtt.malformed_packet", "MQTT-2.2.3", "MQTT-2.1.4", "a remaining length that covers every field"],
  trailingBytes: ["mqtt.malformed_packet", "MQTT-2.2.3", "MQTT-2.1.4", "no bytes after the last field"],
  stringNotUtf8: ["mqtt.string_invalid", "MQTT-1.5.3-1", "MQTT-1.5.4-1", "well-formed UTF-8"],
  stringHasNull: ["mqtt.string_invalid", "MQTT-1.5.3-2", "MQTT-1.5.4-2", "no U+0000"],
  variableByteInteger: ["mqtt.malformed_packet", "-", "MQTT-1.5.5-1", "a variable byte integer in its shortest form, at most 4 bytes"],
  packetIdZero: ["mqtt.protocol_error", "MQTT-2.3.1-1", "MQTT-2.2.1-3", "a packet identifier from 1 to 65535"],

  // CONNECT
  protocolName: ["mqtt.protocol_name_invalid", "MQTT-3.1.2-1", "MQTT-3.1.2-1", "MQTT or MQIsdp"],
  protocolLevel: ["mqtt.unsupported_version", "MQTT-3.1.2-2", "MQTT-3.1.2-2", "MQIsdp with level 3, MQTT with level 4 or 5"],
  connectReservedFlag: ["mqtt.malformed_packet", "MQTT-3.1.2-3", "MQTT-3.1.2-3", "reserved connect flag 0"],
  willQosReserved: ["mqtt.malformed_packet", "MQTT-3.1.2-14", "MQTT-3.1.2-12", "will QoS 0, 1 or 2"],
  willQosWithoutWill: ["mqtt.malformed_packet", "MQTT-3.1.2-13", "MQTT-3.1.2-11", "will QoS 0 when the will flag is 0"],
  willRetainWithoutWill: ["mqtt.malformed_packet", "MQTT-3.1.2-15", "MQTT-3.1.2-13", "will retain 0 when the will flag is 0"],
  passwordWithoutUserName: ["mqtt.malformed_packet", "MQTT-3.1.2-22", "-", "no password without a user name"],
  clientIdEmpty: ["mqtt.client_id_invalid", "MQTT-3.1.3-8", "-", "a client identifier, or on 3.1.1 clean session 1"],
  authenticationMethodMissing: ["mqtt.protocol_error", "-", "MQTT-3.1.2.11.10", "an authentication method beside authentication data"],

  // Topics
  topicEmpty: ["mqtt.topic_name_invalid", "MQTT-4.7.3-1", "MQTT-4.7.3-1", "a topic of at least one character"],
  topicMissing: ["mqtt.protocol_error", "-", "MQTT-3.3.2.1", "a topic name or a topic alias"],
  topicHasWildcard: ["mqtt.topic_name_invalid", "MQTT-3.3.2-2", "MQTT-3.3.2-2", "a topic name without + and #"],
  responseTopicHasWildcard: ["mqtt.topic_name_invalid", "-", "MQTT-3.3.2-14", "a response topic without + and #"],
  filterEmpty: ["mqtt.topic_filter_invalid", "MQTT-4.7.3-1", "MQTT-4.7.3-1", "a topic filter of at least one character"],
  filterInvalid: ["mqtt.topic_filter_invalid", "MQTT-4.7.1-2", "MQTT-4.7.1-1", "# alone in the last level, + alone in its level"],
  sharedFilterInvalid: ["mqtt.topic_filter_invalid", "MQTT-4.8.2-1", "MQTT-4.8.2-1", "$share/group/filter, no wildcard in the group"],

  // Properties
  propertyUnknown: ["mqtt.malformed_packet", "-", "MQTT-2.2.2.2", "a property of MQTT 5.0"],
  propertyMisplaced: ["mqtt.malformed_packet", "-", "MQTT-2.2.2.2", "a property defined for this packet"],
  propertyRepeated: ["mqtt.protocol_error", "-", "MQTT-2.2.2.2", "the property at most once"],
  propertyOutOfRange: ["mqtt.protocol_error", "-", "MQTT-2.2.2.2", "a value in the property's range"],
  subscriptionIdentifierZero: ["mqtt.protocol_error", "-", "MQTT-3.8.2.1.2", "a subscription identifier from 1 to 268435455"],
  topicAliasZero: ["mqtt.topic_alias_invalid", "-", "MQTT-3.3.2-8", "a topic alias from 1 to 65535"],

  // SUBSCRIBE, UNSUBSCRIBE, AUTH
  subscribeEmpty: ["mqtt.protocol_error", "MQTT-3.8.3-3", "MQTT-3.8.3-2", "at least one topic filter"],
  subscriptionOptionsReserved: ["mqtt.malformed_packet", "MQTT-3.8.3-4", "MQTT-3.8.3-5", "reserved option bits 0"],
  subscriptionQosReserved: ["mqtt.protocol_error", "MQTT-3.8.3-4", "MQTT-3.8.3.1", "QoS 0, 1 or 2"],
  retainHandlingReserved: ["mqtt.protocol_error", "-", "MQTT-3.8.3.1", "retain handling 0, 1 or 2"],
  noLocalOnShared: ["mqtt.protocol_error", "-", "MQTT-3.8.3-4", "No Local 0 on a shared subscription"],
  unsubscribeEmpty: ["mqtt.protocol_error", "MQTT-3.10.3-2", "MQTT-3.10.3-2", "at least one topic filter"],
  authMethodAbsent: ["mqtt.protocol_error", "-", "MQTT-3.15.2.2.2", "an authentication method"],

  // Answers
  connackFlagsReserved: ["mqtt.malformed_packet", "MQTT-3.2.2.1", "MQTT-3.2.2-1", "acknowledge flags 0 or 1"],
  sessionPresentOnRefusal: ["mqtt.protocol_error", "MQTT-3.2.2-4", "MQTT-3.2.2-6", "session present 0 with a refusal"],
  connackReason: ["mqtt.protocol_error", "MQTT-3.2.2-6", "MQTT-3.2.2-8", "a code defined for CONNACK"],
  pubackReason: ["mqtt.protocol_error", "-", "MQTT-3.4.2-1", "a reason code defined for PUBACK"],
  pubrecReason: ["mqtt.protocol_error", "-", "MQTT-3.5.2-1", "a reason code defined for PUBREC"],
  pubrelReason: ["mqtt.protocol_error", "-", "MQTT-3.6.2-1", "a reason code defined for PUBREL"],
  pubcompReason: ["mqtt.protocol_error", "-", "MQTT-3.7.2-1", "a reason code defined for PUBCOMP"],
  subackReason: ["mqtt.protocol_error", "MQTT-3.9.3-2", "MQTT-3.9.3-2", "a code defined for SUBACK"],
  unsubackReason: ["mqtt.protocol_error", "-", "MQTT-3.11.3-2", "a reason code defined for UNSUBACK"],
  disconnectReason: ["mqtt.protocol_error", "-", "MQTT-3.14.2-1", "a reason code defined for DISCONNECT"],
  authReason: ["mqtt.protocol_error", "-", "MQTT-3.15.2-1", "a reason code defined for AUTH"],
  subackEmpty: ["mqtt.protocol_error", "MQTT-3.9.3", "MQTT-3.9.3", "one code for each topic filter"],
  unsubackEmpty: ["mqtt.protocol_error", "-", "MQTT-3.11.3", "one reason code for each topic filter"],
} as const satisfies Record<string, RuleRow>;

export type RuleName = keyof typeof rules;

/** Longest `received` text an error carries: enough to recognise the value, too short to flood a log. */
const receivedCharactersMax = 96;

/** The error for a broken rule. `received` must not be a secret. */
export function violation(name: RuleName, version: ProtocolVersion, received?: string): CodecError {
  const [code, clause311, clause5, expected]: RuleRow = rules[name];
  const clause = version === 5 ? clause5 : clause311;
  if (received === undefined) return new CodecError(code, clause, { expected });
  const shown = received.length > receivedCharactersMax ? `${received.slice(0, receivedCharactersMax)}…` : received;
  return new CodecError(code, clause, { received: shown, expected });
}

/** A byte for an error text. */
export function formatByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
