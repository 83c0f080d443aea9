/** The functions of the rule SQL [alibaba-server 2.3], one row each. A null argument makes null unless the row says otherwise. */
import { createHash } from "node:crypto";
import { PlatformError } from "../../errors/index.ts";
import type { Constant } from "../sql/ast.ts";
import type { RuleMessage } from "./rule-message.ts";
import { compileTimeFormat } from "./time-format.ts";
import { finite, kindOf, type SqlValue, toNumber, toText, type Value } from "./value.ts";

export interface FunctionSettings {
  /** Local time of `timestamp(fmt)`: minutes east of UTC. The vendor's mainland regions are at +480. */
  offsetMinutes: number;
  /** `accountid()` of AWS. */
  accountId?: string;
}

/** What the compiler adds to the settings. */
export interface FunctionScope extends FunctionSettings {
  textCharactersMax: number;
  /** Of an AWS rule. */
  sqlVersion?: string;
}

export type Run = (message: RuleMessage, values: readonly SqlValue[]) => SqlValue;

export interface RuleFunction {
  argumentsMin: number;
  argumentsMax: number;
  /** Takes `*`: alone, in place of arguments; as the raw payload; as the parsed one. */
  takesStar?: "only" | "bytes" | "row";
  /** Sees null and Undefined itself. */
  takesNull?: true;
  run?: Run;
  /** For rows whose arguments must be constants: binds them once, or says what is wrong with them. */
  bind?: (constants: readonly (Constant | undefined)[], scope: FunctionScope) => Run | { problem: string };
}

function numeric(count: 1 | 2, compute: (a: number, b: number) => number): RuleFunction {
  return {
    argumentsMin: count,
    argumentsMax: count,
    run: (_message, [a = null, b = null]) => finite(compute(toNumber(a) ?? 0, toNumber(b) ?? 0)),
  };
}

function textual(count: 1 | 2, compute: (a: string, b: string) => Value): RuleFunction {
  return {
    argumentsMin: count,
    argumentsMax: count,
    run: (_message, [a = null, b = null]) => compute(toText(a) ?? "", toText(b) ?? ""),
  };
}

function facts(read: (message: RuleMessage) => Value): RuleFunction {
  return { argumentsMin: 0, argumentsMax: 0, run: read };
}

function clockFunction(offsetOf: (settings: FunctionSettings) => number): RuleFunction {
  return {
    argumentsMin: 0,
    argumentsMax: 1,
    bind: ([format], settings) => {
      if (format === undefined) return (message) => message.time;
      const write = typeof format === "string" ? compileTimeFormat(format) : undefined;
      if (write === undefined) return { problem: "the time format is not one of yMdDEuaHkKhmsSZXz with '…' around fixed text" };
      const offset = offsetOf(settings);
      return (message) => write(message.time, offset);
    },
  };
}

/** Names of the vendor to names of node:crypto. MD2 is not among them: no maintained library offers it. */
const digests: Readonly<Record<string, string>> = {
  MD5: "md5",
  SHA1: "sha1",
  "SHA-1": "sha1",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
};

/** Names of the vendor (Java charsets) to labels of the Encoding standard. */
const encodings: Readonly<Record<string, string>> = {
  "utf-8": "utf-8",
  utf8: "utf-8",
  gbk: "gbk",
  gb2312: "gbk",
  gb18030: "gb18030",
  "utf-16be": "utf-16be",
  "utf-16le": "utf-16le",
};

function lookUp(table: Readonly<Record<string, string>>, name: Constant | undefined, fold: (text: string) => string): string | undefined {
  const key = typeof name === "string" ? fold(name) : "";
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** 0-based, end exclusive; borders outside the text are moved inside; start > end gives the empty text. */
const runSubstring: Run = (_message, [target = null, from = null, to = null]) => {
  if (typeof target !== "string" && typeof target !== "number" && typeof target !== "bigint") {
    throw new PlatformError("rules.value_kind", { expected: "text or a number", received: kindOf(target) });
  }
  const text = String(target);
  const start = Math.max(0, Math.trunc(toNumber(from) ?? 0));
  const end = to === null ? text.length : Math.min(text.length, Math.trunc(toNumber(to) ?? 0));
  return start >= end ? "" : text.slice(start, end);
};

/** Before the text is made: a short payload can ask for a very long one. */
export function checkLength(received: number, maximum: number): void {
  if (received > maximum) throw new PlatformError("rules.result_too_large", { received, maximum });
}

export function runUuid({ random }: Pick<RuleMessage, "random">): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function bytesOf(message: RuleMessage): Buffer {
  return Buffer.from(message.bytes.buffer, message.bytes.byteOffset, message.bytes.byteLength);
}

const table: Readonly<Record<string, RuleFunction>> = {
  abs: numeric(1, Math.abs),
  asin: numeric(1, Math.asin),
  cos: numeric(1, Math.cos),
  cosh: numeric(1, Math.cosh),
  sin: numeric(1, Math.sin),
  sinh: numeric(1, Math.sinh),
  tan: numeric(1, Math.tan),
  tanh: numeric(1, Math.tanh),
  exp: numeric(1, Math.exp),
  floor: numeric(1, Math.floor),
  power: numeric(2, (a, b) => a ** b),
  mod: numeric(2, (a, b) => a % b),
  // The vendor does not say which argument is the base; here log(n, m) is the logarithm of n to the base m.
  log: {
    argumentsMin: 1,
    argumentsMax: 2,
    run: (_message, [n = null, base]) => finite(Math.log(toNumber(n) ?? 0) / (base === undefined ? 1 : Math.log(toNumber(base) ?? 0))),
  },
  rand: facts((message) => Number(message.random.bytes(8).readBigUInt64BE() >> 11n) / 2 ** 53),
  nanvl: { argumentsMin: 2, argumentsMax: 2, takesNull: true, run: (_message, [value = null, fallback = null]) => value ?? fallback },

  lower: textual(1, (s) => s.toLowerCase()),
  upper: textual(1, (s) => s.toUpperCase()),
  concat: {
    argumentsMin: 2,
    argumentsMax: 10,
    bind: (_constants, { textCharactersMax }) => {
      return (_message, values) => {
        const texts = values.map((value) => toText(value ?? null) ?? "");
        checkLength(
          texts.reduce((sum, text) => sum + text.length, 0),
          textCharactersMax,
        );
        return texts.join("");
      };
    },
  },
  replace: {
    argumentsMin: 3,
    argumentsMax: 3,
    bind: (_constants, { textCharactersMax }) => {
      return (_message, values) => {
        const [text = "", search = "", replacement = ""] = values.map((value) => toText(value ?? null) ?? "");
        if (search === "") return text;
        const pieces = text.split(search);
        checkLength(text.length + (pieces.length - 1) * (replacement.length - search.length), textCharactersMax);
        return pieces.join(replacement);
      };
    },
  },
  endswith: textual(2, (s, suffix) => s.endsWith(suffix)),
  substring: { argumentsMin: 2, argumentsMax: 3, run: runSubstring },
  crypto: {
    argumentsMin: 2,
    argumentsMax: 2,
    bind: ([, algorithm]) => {
      const digest = lookUp(digests, algorithm, (name) => name.toUpperCase());
      if (digest === undefined) return { problem: `the algorithm is not one of ${Object.keys(digests).join(", ")}` };
      return (_message, [value = null]) =>
        createHash(digest)
          .update(toText(value) ?? "")
          .digest("hex");
    },
  },

  newuuid: facts(runUuid),
  timestamp: clockFunction((settings) => settings.offsetMinutes),
  timestamp_utc: clockFunction(() => 0),
  devicename: facts((message) => message.device?.deviceName ?? ""),
  productkey: facts((message) => message.device?.productKey ?? ""),
  messageid: facts((message) => message.id),
  topic: {
    argumentsMin: 0,
    argumentsMax: 1,
    run: (message, [level]) => {
      if (level === undefined) return message.topic;
      // Levels count from 1 and the empty one before the first slash does not count.
      const levels = message.topic.replace(/^\//, "").split("/");
      return levels[Math.trunc(toNumber(level) ?? 0) - 1] ?? null;
    },
  },
  payload: {
    argumentsMin: 0,
    argumentsMax: 1,
    bind: ([name = "utf-8"]) => {
      const label = lookUp(encodings, name, (text) => text.toLowerCase());
      if (label === undefined) return { problem: `the encoding is not one of ${Object.keys(encodings).join(", ")}` };
      const decoder = new TextDecoder(label);
      return (message) => decoder.decode(message.bytes);
    },
  },
  to_base64: { argumentsMin: 0, argumentsMax: 0, takesStar: "only", run: (message) => bytesOf(message).toString("base64") },
  to_hex: { argumentsMin: 0, argumentsMax: 0, takesStar: "only", run: (message) => bytesOf(message).toString("hex") },
};

/** In the vendor's list and not here: refused when the rule is compiled, never answered wrongly. */
const notOffered: ReadonlySet<string> = new Set(["attribute", "thingpropertyflatmap"]);

/** Names are matched in any letter case. */
export function findFunction(name: string): RuleFunction | { refusal: string } | undefined {
  const key = name.toLowerCase();
  if (notOffered.has(key)) return { refusal: `function ${name} is not offered` };
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
