/** Text and hash functions of the AWS rule SQL [aws-iot 14.3]. */
import { createHash } from "node:crypto";
import { toAwsText, toInt } from "./aws-value.ts";
import { checkLength, type RuleFunction, type Run } from "./functions.ts";
import { compileRegexp, type Regexp } from "./linear-regexp.ts";
import { md2 } from "./md2.ts";
import type { SqlValue } from "./value.ts";

function textual(count: 1 | 2, compute: (a: string, b: string) => SqlValue): RuleFunction {
  return {
    argumentsMin: count,
    argumentsMax: count,
    takesNull: true,
    run: (_message, [left, right]) => {
      const a = toAwsText(left);
      const b = count === 1 ? "" : toAwsText(right);
      return a === undefined || b === undefined ? undefined : compute(a, b);
    },
  };
}

function padded(pad: (text: string, spaces: string) => string): RuleFunction {
  return {
    argumentsMin: 2,
    argumentsMax: 2,
    takesNull: true,
    run: (_message, [value, wanted]) => {
      const text = toAwsText(value);
      const count = toInt(wanted);
      return text === undefined || count === undefined ? undefined : pad(text, " ".repeat(Math.min(1000, Math.max(0, count))));
    },
  };
}

function hashed(algorithm: string): RuleFunction {
  return textual(1, (text) => createHash(algorithm).update(text).digest("hex"));
}

/** A constant pattern is compiled with the rule and must be right; one from the message that is not makes Undefined. */
function matching(
  count: 2 | 3,
  use: (text: string, pattern: Regexp, values: readonly SqlValue[], textCharactersMax: number) => SqlValue,
): RuleFunction {
  return {
    argumentsMin: count,
    argumentsMax: count,
    takesNull: true,
    bind: ([, pattern], { textCharactersMax }) => {
      const known = typeof pattern === "string" ? compileRegexp(pattern) : undefined;
      if (known !== undefined && "problem" in known) return known;
      const run: Run = (_message, values) => {
        const text = toAwsText(values[0]);
        const given = known ?? compileGiven(values[1]);
        return text === undefined || given === undefined ? undefined : use(text, given, values, textCharactersMax);
      };
      return run;
    },
  };
}

function compileGiven(value: SqlValue): Regexp | undefined {
  const text = toAwsText(value);
  const compiled = text === undefined ? undefined : compileRegexp(text);
  return compiled === undefined || "problem" in compiled ? undefined : compiled;
}

export const textFunctions: Readonly<Record<string, RuleFunction>> = {
  chr: {
    argumentsMin: 1,
    argumentsMax: 1,
    takesNull: true,
    run: (_message, [value]) => {
      const code = toInt(value);
      return code === undefined || code < 0 || code > 127 ? undefined : String.fromCharCode(code);
    },
  },
  endswith: textual(2, (text, end) => text.endsWith(end)),
  indexof: textual(2, (text, part) => text.indexOf(part)),
  length: textual(1, (text) => text.length),
  lower: textual(1, (text) => text.toLowerCase()),
  lpad: padded((text, spaces) => spaces + text),
  ltrim: textual(1, (text) => text.trimStart()),
  numbytes: textual(1, (text) => Buffer.byteLength(text)),
  regexp_matches: matching(2, (text, pattern) => pattern.test(text)),
  regexp_replace: matching(3, (text, pattern, values, textCharactersMax) => {
    const replacement = toAwsText(values[2]);
    if (replacement === undefined) return undefined;
    const result = pattern.replace(text, replacement, textCharactersMax);
    checkLength(result.length, textCharactersMax);
    return result;
  }),
  regexp_substr: matching(2, (text, pattern) => pattern.first(text)),
  replace: {
    argumentsMin: 3,
    argumentsMax: 3,
    takesNull: true,
    bind: (_constants, { textCharactersMax }) => {
      return (_message, values) => {
        const [text, search, replacement] = values.map(toAwsText);
        if (text === undefined || search === undefined || replacement === undefined) return undefined;
        if (search === "") return text;
        const pieces = text.split(search);
        checkLength(text.length + (pieces.length - 1) * (replacement.length - search.length), textCharactersMax);
        return pieces.join(replacement);
      };
    },
  },
  rpad: padded((text, spaces) => text + spaces),
  rtrim: textual(1, (text) => text.trimEnd()),
  startswith: textual(2, (text, start) => text.startsWith(start)),
  substring: {
    argumentsMin: 2,
    argumentsMax: 3,
    takesNull: true,
    run: (_message, values) => {
      const text = toAwsText(values[0]);
      const from = toInt(values[1]);
      const to = values.length < 3 ? Number.POSITIVE_INFINITY : toInt(values[2]);
      if (text === undefined || from === undefined || to === undefined) return undefined;
      const start = Math.max(0, from);
      return start >= to ? "" : text.slice(start, Math.max(0, to));
    },
  },
  trim: textual(1, (text) => text.trim()),
  upper: textual(1, (text) => text.toUpperCase()),
  md2: textual(1, (text) => md2(Buffer.from(text))),
  md5: hashed("md5"),
  sha1: hashed("sha1"),
  sha224: hashed("sha224"),
  sha256: hashed("sha256"),
  sha384: hashed("sha384"),
  sha512: hashed("sha512"),
};
