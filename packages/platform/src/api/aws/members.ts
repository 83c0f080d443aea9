/** Reads members of JSON bodies and of queries: what has the wrong type is refused by its name, with what came and what was expected. */
import { PlatformError } from "../../errors/index.ts";

/** A JSON object; `null` in a member stands for its absence. */
export type Members = Readonly<Record<string, unknown>>;

const receivedCharactersMax = 100;

function describeReceived(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > receivedCharactersMax ? `${text.slice(0, receivedCharactersMax)}…` : text;
}

export function refuseMember(member: string, received: unknown, expected: string): never {
  throw new PlatformError("aws.member_invalid", { member, received: describeReceived(received), expected });
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The member's own name in errors: `thingTypeProperties.searchableAttributes`. */
const placeOf = (place: string, name: string) => (place === "" ? name : `${place}.${name}`);

/** One JSON object under its place in the body. */
export class MemberReader {
  readonly #members: Members;
  readonly #place: string;

  constructor(members: Members, place = "") {
    this.#members = members;
    this.#place = place;
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.#members, name) ? (this.#members[name] ?? undefined) : undefined;
  }

  refuse(name: string, expected: string): never {
    return refuseMember(placeOf(this.#place, name), this.#value(name), expected);
  }

  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  text(name: string): string | undefined {
    const value = this.#value(name);
    if (value === undefined || typeof value === "string") return value;
    return this.refuse(name, "a string");
  }

  requiredText(name: string): string {
    const text = this.text(name);
    return text === undefined || text === "" ? this.refuse(name, "a string that is not empty") : text;
  }

  flag(name: string): boolean | undefined {
    const value = this.#value(name);
    if (value === undefined || typeof value === "boolean") return value;
    return this.refuse(name, "true or false");
  }

  integer(name: string, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}): number | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) return value;
    return this.refuse(name, `a whole number from ${min} to ${max}`);
  }

  /** Fractions allowed. */
  number(name: string): number | undefined {
    const value = this.#value(name);
    if (value === undefined || (typeof value === "number" && Number.isFinite(value))) return value;
    return this.refuse(name, "a number");
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    return choices.find((choice) => choice === value) ?? this.refuse(name, `one of ${choices.join(", ")}`);
  }

  object(name: string): MemberReader | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    return isObject(value) ? new MemberReader(value, placeOf(this.#place, name)) : this.refuse(name, "an object");
  }

  requiredObject(name: string): MemberReader {
    return this.object(name) ?? this.refuse(name, "an object");
  }

  /** What it holds, as it came. */
  raw(name: string): Members | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    return isObject(value) ? value : this.refuse(name, "an object");
  }

  textMap(name: string): Record<string, string> | undefined {
    const value = this.raw(name);
    if (value === undefined) return undefined;
    const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string");
    if (entries.length !== Object.keys(value).length) return this.refuse(name, "an object of strings");
    return Object.fromEntries(entries);
  }

  textList(name: string): string[] | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item): item is string => typeof item === "string")) return value;
    return this.refuse(name, "a list of strings");
  }

  objectList(name: string): MemberReader[] | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every(isObject)) return this.refuse(name, "a list of objects");
    return value.map((item, at) => new MemberReader(item, `${placeOf(this.#place, name)}[${at}]`));
  }

  names(): string[] {
    return Object.keys(this.#members);
  }
}

export function queryText(query: URLSearchParams, name: string): string | undefined {
  const value = query.get(name);
  return value === null || value === "" ? undefined : value;
}

export function queryFlag(query: URLSearchParams, name: string): boolean | undefined {
  const value = queryText(query, name);
  if (value === undefined) return undefined;
  if (value.toLowerCase() === "true") return true;
  if (value.toLowerCase() === "false") return false;
  return refuseMember(name, value, "true or false");
}

export function queryInteger(query: URLSearchParams, name: string, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}): number | undefined {
  const value = queryText(query, name);
  if (value === undefined) return undefined;
  const number = /^-?\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  return number >= min && number <= max ? number : refuseMember(name, value, `a whole number from ${min} to ${max}`);
}

export function queryChoice<T extends string>(query: URLSearchParams, name: string, choices: readonly T[]): T | undefined {
  const value = queryText(query, name);
  if (value === undefined) return undefined;
  return choices.find((choice) => choice === value) ?? refuseMember(name, value, `one of ${choices.join(", ")}`);
}
