/** A client broke a rule that needs more than its packet to see: which one, what came and what was expected. */
import type { CloseReason, Refusal } from "../ports.ts";

interface SessionErrorKind {
  /** MQTT 5 reason code of the DISCONNECT. */
  readonly reasonCode: number;
  readonly reason: CloseReason;
}

const sessionErrors = {
  "mqtt.connect_expected": { reasonCode: 0x82, reason: "protocol_error" },
  "mqtt.second_connect": { reasonCode: 0x82, reason: "protocol_error" },
  "mqtt.acknowledgement_mismatch": { reasonCode: 0x82, reason: "protocol_error" },
  "mqtt.packet_not_allowed": { reasonCode: 0x82, reason: "protocol_error" },
  "mqtt.authentication_method_changed": { reasonCode: 0x82, reason: "protocol_error" },
  "mqtt.authentication_not_expected": { reasonCode: 0x82, reason: "protocol_error" },
  "mqtt.session_expiry_invalid": { reasonCode: 0x82, reason: "protocol_error" },
  "mqtt.subscription_identifier_not_allowed": { reasonCode: 0x82, reason: "protocol_error" },
  "mqtt.topic_alias_unknown": { reasonCode: 0x82, reason: "protocol_error" },
  "mqtt.topic_alias_invalid": { reasonCode: 0x94, reason: "protocol_error" },
  "mqtt.topic_name_invalid": { reasonCode: 0x90, reason: "protocol_error" },
  "mqtt.receive_maximum_exceeded": { reasonCode: 0x93, reason: "protocol_error" },
  "mqtt.retain_not_supported": { reasonCode: 0x9a, reason: "protocol_error" },
  "mqtt.qos_not_supported": { reasonCode: 0x9b, reason: "protocol_error" },
  "mqtt.subscription_identifiers_not_supported": { reasonCode: 0xa1, reason: "protocol_error" },
  "mqtt.answer_too_large": { reasonCode: 0x95, reason: "packet_too_large" },
  "mqtt.held_bytes_exceeded": { reasonCode: 0x97, reason: "quota_exceeded" },
} as const satisfies Record<string, SessionErrorKind>;

export type SessionErrorCode = keyof typeof sessionErrors;

export class SessionError extends Error {
  readonly code: SessionErrorCode;
  readonly clause: string;
  readonly reasonCode: number;
  readonly closeReason: CloseReason;
  readonly received: string;
  readonly expected: string;

  constructor(code: SessionErrorCode, clause: string, received: string, expected: string) {
    super(`${code} [${clause}]`);
    this.name = "SessionError";
    this.code = code;
    this.clause = clause;
    const kind: SessionErrorKind = sessionErrors[code];
    this.reasonCode = kind.reasonCode;
    this.closeReason = kind.reason;
    this.received = received;
    this.expected = expected;
  }
}

/** The event form of a broken rule: the clause stands before what was expected. */
export function refusalOf(error: { code: string; clause: string; received?: string; expected?: string }): Refusal {
  return {
    code: error.code,
    ...(error.received === undefined ? {} : { received: error.received }),
    expected: error.expected === undefined ? `[${error.clause}]` : `[${error.clause}] ${error.expected}`,
  };
}

/** What an MQTT 5 client is told when the server closes. [MQTT-3.14.2.1] */
export const disconnectReasonCodes: Readonly<Record<CloseReason, number>> = {
  client_disconnect: 0x00,
  connection_closed: 0x80,
  keep_alive_timeout: 0x8d,
  taken_over: 0x8e,
  protocol_error: 0x82,
  packet_too_large: 0x95,
  connect_timeout: 0x80,
  refused: 0x87,
  kicked: 0x98,
  quota_exceeded: 0x97,
  server_shutdown: 0x8b,
  internal_error: 0x83,
};

const reasonCharactersMax = 512;

/** A refusal as a Reason String: for people who read what their client received. */
export function formatRefusal({ code, received, expected }: Refusal): string {
  const text = `${code}${received === undefined ? "" : `; received ${received}`}${expected === undefined ? "" : `; expected ${expected}`}`;
  // [MQTT-1.5.4-2] A string has no U+0000, and half a character is none.
  return text.slice(0, reasonCharactersMax).toWellFormed().replaceAll("\0", "\ufffd");
}
