/** Takes Alink parameters apart: wrapped and bare values, times, lists of values [alibaba-device 5.2, 5.5, 5.8]. */
import type { MessageRefusal } from "./check-result.ts";
import { problemOf, type Refusal, type RefusalKind, refuse, vendorMessage, within } from "./refusal.ts";

export type Members = Readonly<Record<string, unknown>>;

export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `{"value":…,"time":…}`. No struct looks like this: both names are reserved [alibaba-device 5.2]. */
export function isWrapped(value: unknown): value is Members {
  if (!isMembers(value) || !Object.hasOwn(value, "value")) return false;
  for (const name of Object.keys(value)) if (name !== "value" && name !== "time") return false;
  return true;
}

export interface Unwrapped {
  readonly value: unknown;
  readonly time: number;
  /** The time was none; the time of arrival stands in for it. */
  readonly timeRefusal?: Refusal;
}

const timeKind: RefusalKind = {
  code: "thing_model.time_invalid",
  alibaba: 6326,
  words: "time format error",
  expected: "UTC milliseconds, a number or its digits",
};

export function unwrap(entry: unknown, receivedMilliseconds: number): Unwrapped {
  if (!isWrapped(entry)) return { value: entry, time: receivedMilliseconds };
  const { value, time } = entry;
  if (time === undefined || time === null) return { value, time: receivedMilliseconds };
  if (typeof time === "number" && Number.isSafeInteger(time) && time >= 0) return { value, time };
  if (typeof time === "string" && /^\d{1,15}$/.test(time)) return { value, time: Number(time) };
  return { value, time: receivedMilliseconds, timeRefusal: refuse(timeKind, time) };
}

const paramsKind: RefusalKind = {
  code: "thing_model.params_type",
  alibaba: 6301,
  words: "params format must be JSONObject/JSONArray",
  expected: "object",
};

export function refusalOf(refusal: Refusal): MessageRefusal {
  return { code: refusal.kind.alibaba, message: vendorMessage(refusal), problem: problemOf(refusal) };
}

export function refuseParams(params: unknown, expected = "object"): MessageRefusal {
  return refusalOf(refuse({ ...paramsKind, expected }, params));
}

const countWords = { 6104: "list size exceeds limit", 6106: "map size exceeds limit", 6356: "event size exceeds limit" } as const;

export function refuseCount(alibaba: keyof typeof countWords, path: string, received: number, maximum: number): MessageRefusal {
  const kind: RefusalKind = { code: "thing_model.params_too_many", alibaba, words: countWords[alibaba], expected: `<= ${maximum}` };
  const refusal = within(refuse(kind, received), path);
  return { code: alibaba, message: kind.words, problem: problemOf(refusal) };
}
