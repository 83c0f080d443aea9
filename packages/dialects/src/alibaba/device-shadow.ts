/** The device's side of its shadow: what it sends on `/shadow/update` and reads on `/shadow/get`. Source: alibaba-device.md, 8.1. */

export type ShadowState = Readonly<Record<string, unknown>>;

/** `reply` answers a request, `control` tells that a program changed what is desired. */
export interface ShadowMessage {
  method: "reply" | "control";
  isSuccess: boolean;
  /** 400…409, 500 when it is no success. */
  errorCode: number;
  errorMessage: string;
  reported: ShadowState;
  desired: ShadowState;
  /** Undefined when the message has none. */
  version: number | undefined;
  clientToken: string | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function formatShadowGet(clientToken: string): Uint8Array {
  return encoder.encode(JSON.stringify({ method: "get", clientToken }));
}

/** A reported value of null deletes nothing here: that is {@link formatShadowDelete}. `clearsDesired` may stand alone. */
export function formatShadowUpdate(update: {
  reported?: ShadowState;
  clearsDesired?: boolean;
  version: number;
  clientToken: string;
}): Uint8Array {
  const { reported, clearsDesired = false, version, clientToken } = update;
  const state = { ...(reported === undefined ? {} : { reported }), ...(clearsDesired ? { desired: "null" } : {}) };
  return encoder.encode(JSON.stringify({ method: "update", state, version, clientToken }));
}

/** Without `names` all reported values are deleted. The vendor's null is the text `null`. */
export function formatShadowDelete(request: { names?: readonly string[]; version: number; clientToken: string }): Uint8Array {
  const { names, version, clientToken } = request;
  const reported = names === undefined ? "null" : Object.fromEntries(names.map((name) => [name, "null"]));
  return encoder.encode(JSON.stringify({ method: "delete", state: { reported }, version, clientToken }));
}

function membersOf(value: unknown): ShadowState {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
}

/** Undefined for anything that is neither a reply nor a control message. */
export function readShadowMessage(payload: Uint8Array): ShadowMessage | undefined {
  let message: ShadowState;
  try {
    message = membersOf(JSON.parse(decoder.decode(payload)));
  } catch {
    return undefined;
  }
  const { method, clientToken } = message;
  if (method !== "reply" && method !== "control") return undefined;
  const inner = membersOf(message.payload);
  const state = membersOf(inner.state);
  const content = membersOf(inner.content);
  const isSuccess = inner.status === "success";
  return {
    method,
    isSuccess,
    errorCode: isSuccess ? 0 : (numberOf(content.errorcode) ?? 500),
    errorMessage: typeof content.errormessage === "string" ? content.errormessage : "",
    reported: membersOf(state.reported),
    desired: membersOf(state.desired),
    // A reply to an update has it inside, a document beside.
    version: numberOf(message.version) ?? numberOf(inner.version),
    clientToken: typeof clientToken === "string" ? clientToken : undefined,
  };
}
