/** Messages of provisioning over MQTT (AWS reference, fleet provisioning), as JSON or CBOR with the same members. */
import { decode, encode } from "cborg";
import { isNestedTooDeep } from "../alibaba/message-json.ts";

export const provisioningFormats = ["json", "cbor"] as const;
export type ProvisioningFormat = (typeof provisioningFormats)[number];

/** Members of a request; undefined when it is no object of the format. An empty payload has none. */
export function decodeProvisioningRequest(format: ProvisioningFormat, payload: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  if (payload.length === 0) return {};
  const value = format === "json" ? parseJson(payload) : parseCbor(payload);
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) ? { ...value } : undefined;
}

function parseJson(payload: Uint8Array): unknown {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("utf8");
  if (isNestedTooDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseCbor(payload: Uint8Array): unknown {
  try {
    return decode(payload, { allowUndefined: false, rejectDuplicateMapKeys: true });
  } catch {
    // Also what is nested until the stack ends.
    return undefined;
  }
}

export function encodeProvisioningAnswer(format: ProvisioningFormat, answer: object): Uint8Array {
  return format === "json" ? Buffer.from(JSON.stringify(answer)) : encode(answer);
}
