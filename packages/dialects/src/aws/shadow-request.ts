/** Reads what is published on `…/shadow/{get,update,delete}` or sent over HTTP (AWS reference, 11.1 to 11.3). */
import { hasNullInArray, isShadowNode, nestingOf, parseShadowJson, type ShadowNode } from "./shadow-json.ts";
import type { ThingShadowNameLimits, ThingShadowRefusal, ThingShadowRefusalReason } from "./shadow-refusals.ts";

export interface ThingShadowLimits extends ThingShadowNameLimits {
  /** State of a document as JSON, times not counted. */
  documentBytesMax: number;
  /** A request as it came. */
  requestBytesMax: number;
  /** Objects and arrays below `desired` and `reported`, these included. */
  nestingMax: number;
  clientTokenBytesMax: number;
}

/** The vendor's (AWS reference, 8 and 19). */
export const defaultThingShadowLimits: ThingShadowLimits = {
  documentBytesMax: 8 * 1024,
  requestBytesMax: 16 * 1024,
  nestingMax: 8,
  clientTokenBytesMax: 64,
  thingNameCharactersMax: 128,
  shadowNameCharactersMax: 64,
};

export interface ThingShadowUpdate {
  readonly kind: "update";
  /** As requested: null forgets a member or a whole section. */
  readonly state: { readonly desired?: ShadowNode | null; readonly reported?: ShadowNode | null };
  /** The version that must be the stored one; absent: any. */
  readonly version?: number;
  readonly clientToken?: string;
}

/** A get or a delete. */
export interface ThingShadowQuestion {
  readonly kind: "question";
  readonly version?: number;
  readonly clientToken?: string;
}

export type ThingShadowRefused = { readonly kind: "refused" } & ThingShadowRefusal;

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();
const receivedCharactersMax = 100;

/** A device may nest so deeply that what was read cannot be written. */
function shortened(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? "nothing").slice(0, receivedCharactersMax);
  } catch {
    return "something nested too deeply";
  }
}

function refused(reason: ThingShadowRefusalReason, rest: Omit<ThingShadowRefusal, "reason"> = {}): ThingShadowRefused {
  return { kind: "refused", reason, ...rest };
}

/** The members are the device's own: what they are called says nothing of what was read. */
type MembersReading = { readonly kind: "members"; readonly members: ShadowNode } | ThingShadowRefused;

/** The request's members, or why it has none. */
function readMembers(payload: Uint8Array, limits: ThingShadowLimits): MembersReading {
  if (payload.length > limits.requestBytesMax) {
    return refused("too_large", { received: `${payload.length} bytes`, expected: `at most ${limits.requestBytesMax} bytes` });
  }
  let text: string;
  try {
    text = decoder.decode(payload);
  } catch {
    return refused("not_utf8", { received: `${payload.length} bytes that are not UTF-8`, expected: "UTF-8" });
  }
  try {
    const value = parseShadowJson(text);
    if (isShadowNode(value)) return { kind: "members", members: value };
  } catch {
    // Answered as what is JSON and no object.
  }
  return refused("not_json", { received: text.slice(0, receivedCharactersMax), expected: "a JSON object" });
}

interface Common {
  version?: number;
  clientToken?: string;
}

function readCommon(members: ShadowNode, limits: ThingShadowLimits): { kind: "common"; common: Common } | ThingShadowRefused {
  const { clientToken, version } = members;
  const common: Common = {};
  if (clientToken !== undefined) {
    if (typeof clientToken !== "string" || encoder.encode(clientToken).length > limits.clientTokenBytesMax) {
      return refused("client_token_invalid", {
        received: shortened(clientToken),
        expected: `text of ${limits.clientTokenBytesMax} bytes at most`,
      });
    }
    common.clientToken = clientToken;
  }
  if (version !== undefined) {
    if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 0) {
      return refused("version_invalid", { ...common, received: shortened(version), expected: "a whole number of 0 or more" });
    }
    common.version = version;
  }
  return { kind: "common", common };
}

/** Of `get` and `delete`: nothing at all, or an object. */
export function readThingShadowQuestion(payload: Uint8Array, limits: ThingShadowLimits): ThingShadowQuestion | ThingShadowRefused {
  if (payload.length === 0) return { kind: "question" };
  const reading = readMembers(payload, limits);
  if (reading.kind === "refused") return reading;
  const read = readCommon(reading.members, limits);
  return read.kind === "refused" ? read : { kind: "question", ...read.common };
}

const sections = ["desired", "reported"] as const;

/** Of `update`. Members beside `state`, `version` and `clientToken` are passed over. */
export function readThingShadowUpdate(payload: Uint8Array, limits: ThingShadowLimits): ThingShadowUpdate | ThingShadowRefused {
  const reading = readMembers(payload, limits);
  if (reading.kind === "refused") return reading;
  const { members } = reading;
  const read = readCommon(members, limits);
  if (read.kind === "refused") return read;
  const { common } = read;
  const no = (reason: ThingShadowRefusalReason, received: unknown, expected: string): ThingShadowRefused =>
    refused(reason, {
      ...(common.clientToken === undefined ? {} : { clientToken: common.clientToken }),
      received: shortened(received),
      expected,
    });
  if (!Object.hasOwn(members, "state")) return no("state_missing", Object.keys(members), "state");
  const { state } = members;
  if (!isShadowNode(state)) return no("state_not_object", state, "an object");
  const unknown = Object.keys(state).find((name) => name !== "desired" && name !== "reported");
  if (unknown !== undefined) return no("node_invalid", unknown, "desired, reported");
  for (const section of sections) {
    const node = state[section];
    if (node === undefined || node === null) continue;
    if (!isShadowNode(node)) return no(`${section}_not_object`, node, "an object or null");
    if (nestingOf(node, limits.nestingMax) > limits.nestingMax) return no("too_deep", section, `at most ${limits.nestingMax} levels`);
    if (hasNullInArray(node)) return no("node_invalid", node, "no null inside an array");
  }
  return { kind: "update", state: state as ThingShadowUpdate["state"], ...common };
}
