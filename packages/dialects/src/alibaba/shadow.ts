/** The cloud's side of the device shadow: what comes on `/shadow/update` and goes out on `/shadow/get`. Source: alibaba-device.md, 8.1. */
import { parseMessageJson } from "./message-json.ts";

type Members = Readonly<Record<string, unknown>>;

interface Token {
  /** Echoed as it came. */
  clientToken?: string | number;
}

export type ShadowRequest = Token &
  (
    | { kind: "get" }
    /** An attribute of null in `reported` is forgotten. */
    | { kind: "update"; reported?: Members; clearsDesired: boolean; version: number }
    /** `all`, or the attributes to delete as the members that are null; objects inside lead further down. */
    | { kind: "delete"; reported: "all" | Members; version: number }
    | { kind: "refused"; code: ShadowCode; message: string }
  );

/** Codes of 8.1; 429 is the common one of 5.11. */
export type ShadowCode = 400 | 401 | 402 | 403 | 404 | 405 | 406 | 407 | 408 | 409 | 429 | 500;

/** Values, and beside them when each was set: `{ timestamp }` in seconds. */
export interface ShadowContent {
  reported: Members;
  desired: Members;
  reportedTimes: Members;
  desiredTimes: Members;
  version: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const clientTokenCharactersMax = 256;

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The vendor's null is the text `null`; the JSON null is taken as well. */
function isNull(value: unknown): boolean {
  return value === null || value === "null";
}

/** Deeper than any shadow: what lies below names nothing. */
const depthMax = 16;

/** Attributes to delete with JSON nulls, whichever way they were written. */
function withNulls(members: Members, depth = 1): Members {
  const entries = Object.entries(members);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (isNull(value)) return [name, null];
      return [name, isMembers(value) && depth < depthMax ? withNulls(value, depth + 1) : value];
    }),
  );
}

export function readShadowRequest(payload: Uint8Array): ShadowRequest {
  let message: unknown;
  try {
    message = parseMessageJson(decoder.decode(payload));
  } catch {
    return { kind: "refused", code: 400, message: "the message is not json" };
  }
  if (!isMembers(message)) return { kind: "refused", code: 400, message: "the message is not a json object" };
  const token = readToken(message.clientToken);
  const refuse = (code: ShadowCode, text: string): ShadowRequest => ({ kind: "refused", code, message: text, ...token });
  const { method, state, version } = message;
  if (method === undefined || method === null || method === "") return refuse(401, "method is missing");
  if (method === "get") return { kind: "get", ...token };
  if (method !== "update" && method !== "delete") return refuse(406, "method is none of get, update, delete");
  if (!isMembers(state)) return refuse(402, "state is missing");
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < -1) {
    return refuse(403, "version is not a whole number of -1 or more");
  }
  const { reported } = state;
  if (method === "delete") {
    if (isNull(reported) && "reported" in state) return { kind: "delete", reported: "all", version, ...token };
    if (!isMembers(reported)) return refuse(404, "state.reported is missing");
    if (Object.keys(reported).length === 0) return refuse(405, "state.reported is empty");
    return { kind: "delete", reported: withNulls(reported), version, ...token };
  }
  // What is desired is the programs': a device can only forget it.
  const clearsDesired = "desired" in state && isNull(state.desired);
  if (reported === undefined && clearsDesired) return { kind: "update", clearsDesired, version, ...token };
  if (!isMembers(reported)) return refuse(404, "state.reported is missing");
  if (Object.keys(reported).length === 0) return refuse(405, "state.reported is empty");
  return { kind: "update", reported, clearsDesired, version, ...token };
}

function readToken(value: unknown): Token {
  if (typeof value === "string" && value.length <= clientTokenCharactersMax) return { clientToken: value };
  return typeof value === "number" ? { clientToken: value } : {};
}

function format(message: Members, { clientToken }: Token): Uint8Array {
  return encoder.encode(JSON.stringify(clientToken === undefined ? message : { ...message, clientToken }));
}

/** An update or a delete was done. */
export function formatShadowDone(token: Token, version: number, nowSeconds: number): Uint8Array {
  return format({ method: "reply", payload: { status: "success", version }, timestamp: nowSeconds }, token);
}

export function formatShadowRefusal(token: Token, code: ShadowCode, errormessage: string, nowSeconds: number): Uint8Array {
  const content = { errorcode: String(code), errormessage };
  return format({ method: "reply", payload: { status: "error", content }, timestamp: nowSeconds }, token);
}

/** Desired values are left out when there are none, as nothing is to be done then. */
function payloadOf({ reported, desired, reportedTimes, desiredTimes }: Omit<ShadowContent, "version">): Members {
  const hasDesired = Object.keys(desired).length > 0;
  return {
    status: "success",
    state: { reported, ...(hasDesired ? { desired } : {}) },
    metadata: { reported: reportedTimes, ...(Object.keys(desiredTimes).length > 0 ? { desired: desiredTimes } : {}) },
  };
}

/** The answer to a get. */
export function formatShadowDocument(token: Token, content: ShadowContent, nowSeconds: number): Uint8Array {
  return format({ method: "reply", payload: payloadOf(content), version: content.version, timestamp: nowSeconds }, token);
}

/** A program changed what is desired. */
export function formatShadowControl(content: ShadowContent, nowSeconds: number): Uint8Array {
  return format({ method: "control", payload: payloadOf(content), version: content.version, timestamp: nowSeconds }, {});
}
