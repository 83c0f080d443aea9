/** Reads members out of unknown JSON and collects what is wrong with them, without ever throwing. */
import { describe, type ThingModelErrorCode, type ThingModelProblem } from "../errors.ts";
import type { ThingModelLimits } from "../limits.ts";
import { setMember } from "../model.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function ownMember(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** The path of a member; the root has no name. */
export function place(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

export class ModelReader {
  readonly limits: Readonly<ThingModelLimits>;
  readonly problems: ThingModelProblem[] = [];

  constructor(limits: Readonly<ThingModelLimits>) {
    this.limits = limits;
  }

  report(code: ThingModelErrorCode, path: string, received: unknown, expected: string): void {
    this.reportText(code, path, describe(received), expected);
  }

  /** As `report`, for what was received in words of our own. */
  reportText(code: ThingModelErrorCode, path: string, received: string, expected: string): void {
    const { problemsMax } = this.limits;
    if (this.problems.length > problemsMax) return;
    if (this.problems.length === problemsMax) {
      this.problems.push({ code: "thing_model.too_many_problems", path: "", received: "", expected: String(problemsMax) });
      return;
    }
    this.problems.push({ code, path, received, expected });
  }

  object(value: unknown, path: string): JsonObject | undefined {
    if (isJsonObject(value)) return value;
    if (value === undefined) this.reportText("thing_model.member_missing", path, "", "object");
    else this.report("thing_model.type_wrong", path, value, "object");
    return undefined;
  }

  /** A list; absent is empty, more than `countMax` entries is a problem and the rest is not read. */
  list(value: unknown, path: string, countMax: number): readonly unknown[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.report("thing_model.type_wrong", path, value, "array");
      return [];
    }
    if (value.length <= countMax) return value;
    this.reportText("thing_model.too_many", path, String(value.length), `<= ${countMax}`);
    return value.slice(0, countMax);
  }

  optionalText(object: JsonObject, name: string, path: string): string | undefined {
    const value = ownMember(object, name);
    if (value === undefined || typeof value === "string") return value;
    this.report("thing_model.type_wrong", place(path, name), value, "string");
    return undefined;
  }

  text(object: JsonObject, name: string, path: string): string {
    const value = ownMember(object, name);
    if (typeof value === "string") return value;
    if (value === undefined) this.reportText("thing_model.member_missing", place(path, name), "", "string");
    else this.report("thing_model.type_wrong", place(path, name), value, "string");
    return "";
  }

  optionalFlag(object: JsonObject, name: string, path: string): boolean | undefined {
    const value = ownMember(object, name);
    if (value === undefined || typeof value === "boolean") return value;
    this.report("thing_model.type_wrong", place(path, name), value, "true | false");
    return undefined;
  }

  /** One of a few words; absent gives `fallback`, and is a problem when there is none. */
  word<T extends string>(object: JsonObject, name: string, path: string, words: readonly T[], fallback?: T): T | undefined {
    const value = ownMember(object, name);
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    if (value === undefined && fallback !== undefined) return fallback;
    if (value === undefined) this.reportText("thing_model.member_missing", place(path, name), "", words.join(" | "));
    else this.report("thing_model.word_invalid", place(path, name), value, words.join(" | "));
    return undefined;
  }
}

/** The members that are not in `known`, ready to be spread into a node; nothing when there are none. */
export function extraMembers(object: JsonObject, known: readonly string[]): { extra?: JsonObject } {
  const extra: Record<string, unknown> = {};
  let hasAny = false;
  for (const name of Object.keys(object)) {
    if (known.includes(name)) continue;
    setMember(extra, name, object[name]);
    hasAny = true;
  }
  return hasAny ? { extra } : {};
}

/** Spreads a member only when it is there, so that absent stays absent. */
export function present<K extends string, T>(name: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: T });
}
