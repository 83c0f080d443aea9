/** Formats of the identity values (device protocol 1.1): checks for given ones, and new ones out of the random port. */
import type { Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { RegistryLimits } from "./limits.ts";
import type { DeviceNaming } from "./ports.ts";

interface ValueRule {
  code: string;
  pattern: RegExp;
  expected: string;
  /** Its value never appears in an error. */
  isSecret?: boolean;
}

const rules = {
  productKey: { code: "registry.invalid_product_key", pattern: /^[A-Za-z0-9]{1,20}$/, expected: "1 to 20 letters and digits" },
  productSecret: {
    code: "registry.invalid_product_secret",
    pattern: /^[\x21-\x7e]{1,64}$/,
    expected: "1 to 64 printable ASCII characters without spaces",
    isSecret: true,
  },
  deviceSecret: {
    code: "registry.invalid_device_secret",
    pattern: /^[\x21-\x7e]{1,64}$/,
    expected: "1 to 64 printable ASCII characters without spaces",
    isSecret: true,
  },
  iotId: {
    code: "registry.invalid_iot_id",
    pattern: /^[\x21-\x7e]{1,64}$/,
    expected: "1 to 64 printable ASCII characters without spaces",
  },
} as const satisfies Record<string, ValueRule>;

export function checkIdentityValue(kind: keyof typeof rules, value: string): string {
  return check(rules[kind], value);
}

/** Made once for a batch: compiling its pattern costs more than asking it. */
export function deviceNameCheck(limits: RegistryLimits, naming?: DeviceNaming): (value: string) => string {
  const code = "registry.invalid_device_name";
  if (naming !== undefined) return (value) => check({ code, pattern: naming.pattern, expected: naming.expected }, value);
  const { deviceNameCharactersMin: min, deviceNameCharactersMax: max } = limits;
  const rule: ValueRule = {
    code,
    pattern: new RegExp(`^[A-Za-z0-9\\-_@.:]{${min},${max}}$`),
    expected: `${min} to ${max} letters, digits, "-", "_", "@", "." or ":"`,
  };
  return (value) => check(rule, value);
}

function check(rule: ValueRule, value: string): string {
  if (rule.pattern.test(value)) return value;
  const received = rule.isSecret ? `${value.length} characters` : shown(value);
  throw new PlatformError(rule.code, { received, expected: rule.expected });
}

/** Text for people: control characters would disturb every list and log it appears in. */
export function checkText(code: string, value: string, charactersMin: number, charactersMax: number): string {
  const characters = [...value].length;
  const isBlank = charactersMin > 0 && value.trim() === "";
  // Half a surrogate pair cannot be stored: another text would come back.
  const isClean = !/\p{Cc}/u.test(value) && value.isWellFormed();
  if (characters >= charactersMin && characters <= charactersMax && !isBlank && isClean) return value;
  throw new PlatformError(code, {
    received: `${shown(value)} (${characters} characters)`,
    expected: `${charactersMin} to ${charactersMax} characters without control characters`,
  });
}

/** A value out of a fixed set, given by a program whose types nobody checked. */
export function checkChoice<T extends string | number>(code: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  throw new PlatformError(code, { received: shown(String(value)), expected: choices.join(", ") });
}

const shownCharactersMax = 80;

export function shown(value: string): string {
  return value.length > shownCharactersMax ? `"${value.slice(0, shownCharactersMax)}…"` : `"${value}"`;
}

const alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

function alphanumeric(random: Random, characters: number): string {
  // Bytes from 248 on are thrown away: 248 is a multiple of 62, so every character is equally likely.
  const unbiasedBytes = 256 - (256 % alphanumerics.length);
  let text = "";
  while (text.length < characters) {
    for (const byte of random.bytes(characters)) {
      if (byte < unbiasedBytes && text.length < characters) text += alphanumerics[byte % alphanumerics.length];
    }
  }
  return text;
}

/** Lengths and alphabets as the vendor's values have them. */
export const generate = {
  productKey: (random: Random) => `a1${alphanumeric(random, 9)}`,
  productSecret: (random: Random) => alphanumeric(random, 16),
  deviceName: (random: Random) => alphanumeric(random, 20),
  deviceSecret: (random: Random) => random.bytes(16).toString("hex"),
  iotId: (random: Random) => alphanumeric(random, 30),
  groupId: (random: Random) => alphanumeric(random, 16),
};
