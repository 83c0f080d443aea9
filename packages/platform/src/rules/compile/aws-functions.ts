/** The functions of the AWS rule SQL [aws-iot 14.3], one row each, by lower-case name. What does not convert is Undefined. */
import { Buffer } from "node:buffer";
import { remainder } from "./aws-arithmetic.ts";
import { textFunctions } from "./aws-text-functions.ts";
import { isObject, isWhole, settle, toAwsText, toDecimal, toDouble, toInt } from "./aws-value.ts";
import { checkLength, type RuleFunction, type Run, runUuid } from "./functions.ts";
import { compileJodaFormat, compileJodaParser } from "./joda-time.ts";
import { parseJson, rawPayload, type SqlValue, type Value } from "./value.ts";

function row(argumentsMin: number, argumentsMax: number, run: Run): RuleFunction {
  return { argumentsMin, argumentsMax, takesNull: true, run };
}

/** Of doubles; what is not a real number is Undefined. */
function double(compute: (a: number) => number): RuleFunction {
  return row(1, 1, (_message, [value]) => {
    const number = toDouble(value);
    return number === undefined ? undefined : settle(compute(number));
  });
}

function doubles(compute: (a: number, b: number) => number): RuleFunction {
  return row(2, 2, (_message, [left, right]) => {
    const a = toDouble(left);
    const b = toDouble(right);
    return a === undefined || b === undefined ? undefined : settle(compute(a, b));
  });
}

/** An Int stays what it is, exactly; anything else is brought to one. */
function rounded(round: (a: number) => number): RuleFunction {
  return row(1, 1, (_message, [value]) => {
    const number = toDecimal(value);
    return number === undefined || isWhole(number) ? number : settle(round(Number(number)) + 0);
  });
}

/** 64 bits, two's complement. */
function bits(compute: (a: bigint, b: bigint) => bigint, count: 1 | 2 = 2): RuleFunction {
  return row(count, count, (_message, [left, right]) => {
    const a = toBits(left);
    const b = count === 1 ? 0n : toBits(right);
    return a === undefined || b === undefined ? undefined : settle(BigInt.asIntN(64, compute(a, b)));
  });
}

function toBits(value: SqlValue): bigint | undefined {
  const number = toDecimal(value);
  return number === undefined ? undefined : typeof number === "bigint" ? number : BigInt(Math.floor(number));
}

const halfAwayFromZero = (number: number): number => Math.sign(number) * Math.round(Math.abs(number));

/** Works on the digits: multiplying by a power of ten would round. */
function truncate(number: number, places: number): number {
  const [whole = "", fraction = ""] = number.toFixed(34).split(".");
  const shortest = String(number);
  const digits = /^-?\d+\.\d+$/.test(shortest) ? (shortest.split(".")[1] ?? "") : fraction;
  return Number(`${whole}.${digits.slice(0, places)}`) + 0;
}

const numberFunctions: Readonly<Record<string, RuleFunction>> = {
  abs: row(1, 1, (_message, [value]) => {
    const number = toDecimal(value);
    return typeof number === "bigint" && number < 0n ? -number : typeof number === "number" ? Math.abs(number) : number;
  }),
  acos: double(Math.acos),
  asin: double(Math.asin),
  atan: double(Math.atan),
  atan2: doubles(Math.atan2),
  bitand: bits((a, b) => a & b),
  bitor: bits((a, b) => a | b),
  bitxor: bits((a, b) => a ^ b),
  bitnot: bits((a) => ~a, 1),
  ceil: rounded(Math.ceil),
  cos: double(Math.cos),
  cosh: double(Math.cosh),
  exp: double(Math.exp),
  floor: rounded(Math.floor),
  ln: double(Math.log),
  log: double(Math.log10),
  mod: row(2, 2, (_message, [a, b]) => remainder(a, b)),
  nanvl: row(2, 2, (_message, [value, fallback]) => value ?? fallback),
  power: doubles((a, b) => a ** b),
  rand: row(0, 0, (message) => Number(message.random.bytes(8).readBigUInt64BE() >> 11n) / 2 ** 53),
  remainder: row(2, 2, (_message, [a, b]) => remainder(a, b)),
  round: rounded(halfAwayFromZero),
  sign: double((a) => Math.sign(a) + 0),
  sin: double(Math.sin),
  sinh: double(Math.sinh),
  sqrt: double(Math.sqrt),
  tan: double(Math.tan),
  tanh: double(Math.tanh),
  trunc: row(2, 2, (_message, [value, wanted]) => {
    const number = toDecimal(value);
    const places = typeof wanted === "string" ? undefined : toInt(wanted);
    if (number === undefined || places === undefined || isWhole(number)) return places === undefined ? undefined : number;
    return truncate(Number(number), Math.min(34, Math.max(0, places)));
  }),
};

const contextFunctions: Readonly<Record<string, RuleFunction>> = {
  accountid: {
    argumentsMin: 0,
    argumentsMax: 0,
    bind: (_constants, { accountId }) => {
      return () => accountId;
    },
  },
  clientid: row(0, 0, ({ publisher }) => publisher?.clientId ?? "n/a"),
  newuuid: row(0, 0, (message) => runUuid(message)),
  principal: row(0, 0, ({ publisher }) => publisher?.principal),
  sql_version: {
    argumentsMin: 0,
    argumentsMax: 0,
    bind: (_constants, { sqlVersion }) => {
      return () => sqlVersion;
    },
  },
  timestamp: row(0, 0, ({ time }) => time),
  topic: row(0, 1, ({ sourceTopic }, values) => {
    if (values.length === 0) return sourceTopic;
    const level = toInt(values[0]);
    return level === undefined ? undefined : sourceTopic.split("/")[level - 1];
  }),
  traceid: row(0, 0, (message) => message.traceId),
};

function isBase64(scheme: SqlValue): boolean {
  return scheme === "base64";
}

const payloadFunctions: Readonly<Record<string, RuleFunction>> = {
  get: { ...row(2, 2, (_message, [from, key]) => getFrom(from, key)), takesStar: "row" },
  isnull: row(1, 1, (_message, [value]) => value === null),
  isundefined: row(1, 1, (_message, [value]) => value === undefined),
  encode: {
    takesStar: "bytes",
    ...row(2, 2, ({ bytes }, [value, scheme]) => {
      if (!isBase64(scheme)) return undefined;
      if (value === rawPayload) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
      const text = toAwsText(value);
      return text === undefined ? undefined : Buffer.from(text).toString("base64");
    }),
  },
  decode: row(2, 2, (_message, [value, scheme]) => {
    const text = toAwsText(value);
    if (text === undefined || !isBase64(scheme)) return undefined;
    // The guide: what cannot be decoded is null.
    if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) return null;
    const decoded = Buffer.from(text, "base64").toString();
    try {
      return parseJson(decoded);
    } catch {
      return decoded;
    }
  }),
  transform: {
    takesStar: "row",
    ...row(3, 3, (_message, [mode, object, array]) => {
      if (mode !== "enrichArray" || !isObject(object) || !Array.isArray(array) || !array.every(isObject)) return undefined;
      return array.map((element): Value => Object.assign(Object.create(null), element, object));
    }),
  },
  get_thing_shadow: {
    argumentsMin: 2,
    argumentsMax: 3,
    takesNull: true,
    // The last argument is a role, which has no meaning here.
    run: (message, values) => {
      const [thing, shadow] = values;
      if (typeof thing !== "string") return undefined;
      if (values.length === 2) return message.shadow(thing, undefined);
      return typeof shadow === "string" ? message.shadow(thing, shadow) : undefined;
    },
  },
};

function getFrom(from: SqlValue, key: SqlValue): SqlValue {
  if (isObject(from)) return typeof key === "string" && Object.hasOwn(from, key) ? from[key] : undefined;
  if (typeof from !== "string" && !Array.isArray(from)) return undefined;
  const index = toInt(key);
  return index === undefined || index < 0 ? undefined : from[index];
}

const timeFunctions: Readonly<Record<string, RuleFunction>> = {
  parse_time: {
    argumentsMin: 2,
    argumentsMax: 3,
    takesNull: true,
    bind: ([pattern, , zone]) => {
      const write = typeof pattern === "string" ? compileJodaFormat(pattern) : undefined;
      if (write === undefined)
        return { problem: "the pattern is not a constant text of the letters G C Y x w e E y D M d a K h H k m s S z Z" };
      return (_message, [, time, given]) => {
        const milliseconds = toDouble(time);
        const name = zone === undefined ? "UTC" : toAwsText(given);
        return milliseconds === undefined || name === undefined ? undefined : write(milliseconds, name);
      };
    },
  },
  time_to_epoch: {
    argumentsMin: 2,
    argumentsMax: 2,
    takesNull: true,
    bind: ([, pattern]) => {
      const read = typeof pattern === "string" ? compileJodaParser(pattern) : undefined;
      if (read === undefined) return { problem: "the pattern is not a constant text of the letters G y u M d E a h H k K m s S z Z V X x" };
      return (_message, [text]) => (typeof text === "string" ? read(text) : undefined);
    },
  },
};

const concat: RuleFunction = {
  argumentsMin: 0,
  argumentsMax: 50,
  takesNull: true,
  bind: (_constants, { textCharactersMax }) => {
    return (_message, values) => {
      if (values.length < 2) return values[0];
      if (values.some(Array.isArray)) {
        const items: Value[] = values.flatMap((value) => (Array.isArray(value) ? value : value === undefined ? [] : [value]));
        checkLength(items.length, textCharactersMax);
        return items;
      }
      const texts = values.map(toAwsText);
      if (texts.includes(undefined)) return undefined;
      checkLength(
        texts.reduce((sum, text = "") => sum + text.length, 0),
        textCharactersMax,
      );
      return texts.join("");
    };
  },
};

const table: Readonly<Record<string, RuleFunction>> = {
  ...numberFunctions,
  ...contextFunctions,
  ...payloadFunctions,
  ...timeFunctions,
  ...textFunctions,
  concat,
};

/** They reach services that are not here: refused when the rule is compiled. */
const external: ReadonlySet<string> = new Set(["aws_lambda", "get_dynamodb", "get_secret", "machinelearning_predict", "get_registry_data"]);

/** Names are matched in any letter case. */
export function findAwsFunction(name: string): RuleFunction | { refusal: string } | undefined {
  const key = name.toLowerCase();
  if (external.has(key)) return { refusal: `function ${name} calls a service of the vendor's that this server does not have` };
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
