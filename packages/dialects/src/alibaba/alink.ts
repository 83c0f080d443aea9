/** The envelope of thing messages (Alink): reading leniently, writing completely. Source: alibaba-device.md, 5.1. */
import { parseMessageJson } from "./message-json.ts";

/** As the sender wrote it: echoed with the same JSON type. */
export type AlinkId = string | number;

export interface AlinkRequest {
  kind: "request";
  id: AlinkId;
  method?: string;
  version?: string;
  params: unknown;
  /** False when the sender wants no reply (`sys.ack` 0). */
  wantsReply: boolean;
}

export interface AlinkReply {
  kind: "reply";
  id: AlinkId;
  code: number;
  message?: string;
  data: unknown;
}

/** `code` is one of 5.11; `id` is there when it could be read, so that the refusal finds its request. */
export interface AlinkRefusal {
  kind: "refused";
  code: number;
  message: string;
  id?: AlinkId;
}

export const alinkLimits = {
  /** An id is echoed, so it is bounded; ten digits by the document, but SDKs put topics into it. */
  idCharactersMax: 256,
} as const;

const decoder = new TextDecoder("utf-8", { fatal: true });

function refuse(code: number, message: string, id?: AlinkId): AlinkRefusal {
  return { kind: "refused", code, message, ...(id === undefined ? {} : { id }) };
}

/** Undefined for anything but a JSON object of a depth that can be written again. */
function readObject(payload: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value = parseMessageJson(decoder.decode(payload));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const notJson = refuse(6207, "payload is not a json object");

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readId(value: unknown): AlinkId | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return typeof value === "string" && value.length <= alinkLimits.idCharactersMax ? value : undefined;
}

/** Sloppy clients send the text of a JSON object or array: `"{}"`. */
function readParams(value: unknown): unknown {
  if (typeof value !== "string") return value ?? {};
  try {
    const inner = parseMessageJson(value);
    return typeof inner === "object" && inner !== null ? inner : value;
  } catch {
    return value;
  }
}

function readWantsReply(sys: unknown): boolean {
  if (!isRecord(sys)) return true;
  return sys.ack !== 0 && sys.ack !== "0" && sys.ack !== false;
}

/** Reads a request of a device (or of the platform, on the device's side). A missing id is read as an empty one. */
export function readAlinkRequest(payload: Uint8Array): AlinkRequest | AlinkRefusal {
  const read = readObject(payload);
  return read === undefined ? notJson : readAlinkMembers(read);
}

/** The same for a message that is an object already, such as a script's result. */
export function readAlinkMembers(members: Readonly<Record<string, unknown>>): AlinkRequest | AlinkRefusal {
  const id = readId(members.id ?? "");
  if (id === undefined) return refuse(460, `id must be a string of at most ${alinkLimits.idCharactersMax} characters or a number`);
  const { method, version } = members;
  return {
    kind: "request",
    id,
    ...(typeof method === "string" ? { method } : {}),
    ...(typeof version === "string" ? { version } : {}),
    params: readParams(members.params),
    wantsReply: readWantsReply(members.sys),
  };
}

/** Reads an answer. `code` is accepted as a number or its digits. */
export function readAlinkReply(payload: Uint8Array): AlinkReply | AlinkRefusal {
  const read = readObject(payload);
  return read === undefined ? notJson : readAlinkReplyMembers(read);
}

export function readAlinkReplyMembers(members: Readonly<Record<string, unknown>>): AlinkReply | AlinkRefusal {
  const id = readId(members.id);
  if (id === undefined) return refuse(460, "id is missing or neither text nor number");
  const code = typeof members.code === "string" && /^\d{1,9}$/.test(members.code) ? Number(members.code) : members.code;
  if (typeof code !== "number" || !Number.isInteger(code)) return refuse(460, "code is not a whole number", id);
  const { message } = members;
  return { kind: "reply", id, code, ...(typeof message === "string" ? { message } : {}), data: members.data ?? {} };
}

const encoder = new TextEncoder();

/** C SDK 3 needs `id`, `code` and `data`, Link SDK 4 also `message`: all are always there. Keys in the vendor's order. */
export function formatAlinkReply(reply: { id: AlinkId; code: number; data?: unknown; message?: string; method?: string }): Uint8Array {
  return encoder.encode(JSON.stringify(alinkReplyObject(reply)));
}

export function alinkReplyObject({
  id,
  code,
  data = {},
  message = "success",
  method,
}: {
  id: AlinkId;
  code: number;
  data?: unknown;
  message?: string;
  method?: string;
}): Record<string, unknown> {
  return { code, data, id, message, ...(method === undefined ? {} : { method }), version: "1.0" };
}

/** A request of the platform's: ids are decimal texts, `version` is `1.0.0` as the seed's cloud writes it. */
export function formatAlinkRequest(request: { id: string; method: string; params: unknown }): Uint8Array {
  return encoder.encode(JSON.stringify(alinkRequestObject(request)));
}

export function alinkRequestObject({ id, method, params }: { id: string; method: string; params: unknown }): Record<string, unknown> {
  return { method, id, params, version: "1.0.0" };
}
