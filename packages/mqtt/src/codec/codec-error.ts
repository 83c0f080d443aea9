/** What a codec refusal is: one table of codes and one error class. The rules behind the codes are in `rules.ts`. */

interface CodecErrorKind {
  /** MQTT 5 reason code that CONNACK or DISCONNECT carries. */
  readonly reasonCode: number;
  /** CONNACK return code for 3.x where one fits; without it the connection just closes. */
  readonly returnCode?: 1 | 2;
}

/** Every code a {@link CodecError} can have. */
export const codecErrors = {
  "mqtt.malformed_packet": { reasonCode: 0x81 },
  "mqtt.string_invalid": { reasonCode: 0x81 },
  "mqtt.protocol_error": { reasonCode: 0x82 },
  "mqtt.protocol_name_invalid": { reasonCode: 0x84 },
  "mqtt.unsupported_version": { reasonCode: 0x84, returnCode: 1 },
  "mqtt.client_id_invalid": { reasonCode: 0x85, returnCode: 2 },
  "mqtt.topic_filter_invalid": { reasonCode: 0x8f },
  "mqtt.topic_name_invalid": { reasonCode: 0x90 },
  "mqtt.topic_alias_invalid": { reasonCode: 0x94 },
  "mqtt.packet_too_large": { reasonCode: 0x95 },
  /** Ours, not the peer's: a packet that no bytes can express. */
  "mqtt.cannot_encode": { reasonCode: 0x83 },
} as const satisfies Record<string, CodecErrorKind>;

export type CodecErrorCode = keyof typeof codecErrors;

/**
 * Bytes that break MQTT, or a packet that cannot be put into bytes.
 *
 * `clause` is the normative statement (`MQTT-3.1.0-2`) or, where the standard numbers none, the section (`MQTT-2.2.3`),
 * in the numbering of the version that was spoken. `received` is at most a few dozen characters and never a password.
 */
export class CodecError extends Error {
  readonly code: CodecErrorCode;
  readonly reasonCode: number;
  readonly returnCode?: 1 | 2;
  readonly clause: string;
  readonly received?: string;
  readonly expected?: string;

  constructor(code: CodecErrorCode, clause: string, details: { received?: string; expected?: string } = {}) {
    super(`${code} [${clause}]`);
    this.name = "CodecError";
    this.code = code;
    this.clause = clause;
    const kind: CodecErrorKind = codecErrors[code];
    this.reasonCode = kind.reasonCode;
    if (kind.returnCode !== undefined) this.returnCode = kind.returnCode;
    if (details.received !== undefined) this.received = details.received;
    if (details.expected !== undefined) this.expected = details.expected;
  }
}
