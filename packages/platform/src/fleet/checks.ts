/** What names, attributes, descriptions and tags may be (AW 4, 5). */
import { PlatformError } from "../errors/index.ts";
import type { AttributeChange, Attributes } from "./fleet.ts";
import type { FleetLimits } from "./limits.ts";

const shownCharactersMax = 80;

export function shown(value: string): string {
  return value.length > shownCharactersMax ? `"${value.slice(0, shownCharactersMax)}…"` : `"${value}"`;
}

const namePattern = /^[a-zA-Z0-9:_-]+$/;
const policyNamePattern = /^[\w+=,.@-]+$/;

/** Of a thing, a type or a group. */
export function checkName(name: string, { nameCharactersMax }: FleetLimits): string {
  return checkBy(namePattern, `1 to ${nameCharactersMax} letters, digits, ":", "_" or "-"`, nameCharactersMax, name);
}

export function checkPolicyName(name: string, { policyNameCharactersMax }: FleetLimits): string {
  const expected = `1 to ${policyNameCharactersMax} letters, digits, "_", "+", "=", ",", ".", "@" or "-"`;
  return checkBy(policyNamePattern, expected, policyNameCharactersMax, name);
}

function checkBy(pattern: RegExp, expected: string, charactersMax: number, name: string): string {
  if (name.length <= charactersMax && pattern.test(name)) return name;
  throw new PlatformError("fleet.invalid_name", { received: shown(name), expected });
}

export function checkDescription(description: string, { descriptionCharactersMax }: FleetLimits): string {
  const isClean = !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(description) && description.isWellFormed();
  if (isClean && description.length <= descriptionCharactersMax) return description;
  const expected = `at most ${descriptionCharactersMax} printable characters`;
  throw new PlatformError("fleet.invalid_description", { received: shown(description), expected });
}

const keyPattern = /^[a-zA-Z0-9_.,@/:#-]+$/;
const valuePattern = /^[a-zA-Z0-9_.,@/:#=[\]-]*$/;

/** What the attributes are after the change; an empty value removes its key. Throws `fleet.invalid_attributes`. */
export function applyAttributes(before: Attributes, change: AttributeChange, attributesMax: number, limits: FleetLimits): Attributes {
  const given = Object.entries(change.attributes ?? {});
  for (const [key, value] of given) checkAttribute(key, value, limits);
  if (change.merge !== true && change.attributes === undefined) return before;
  const after = new Map([...(change.merge === true ? Object.entries(before) : []), ...given].filter(([, value]) => value !== ""));
  for (const [key, value] of given) if (value === "") after.delete(key);
  return checkCount(Object.fromEntries(after), attributesMax);
}

export function checkCount(attributes: Attributes, attributesMax: number): Attributes {
  const count = Object.keys(attributes).length;
  if (count <= attributesMax) return attributes;
  throw new PlatformError("fleet.invalid_attributes", { received: `${count} attributes`, expected: `at most ${attributesMax}` });
}

function checkAttribute(key: string, value: string, limits: FleetLimits): void {
  checkAttributeKey(key, limits);
  if (value.length <= limits.attributeValueCharactersMax && valuePattern.test(value)) return;
  throw new PlatformError("fleet.invalid_attributes", {
    received: `${key} = ${shown(value)}`,
    expected: `values of at most ${limits.attributeValueCharactersMax} letters, digits or "_.,@/:#=[]-"`,
  });
}

export function checkAttributeKey(key: string, { attributeKeyCharactersMax }: FleetLimits): void {
  if (key.length <= attributeKeyCharactersMax && keyPattern.test(key)) return;
  const expected = `keys of 1 to ${attributeKeyCharactersMax} letters, digits or "_.,@/:#-"`;
  throw new PlatformError("fleet.invalid_attributes", { received: shown(key), expected });
}

/** Equal in content, whatever the order of the keys. */
export function hasSameEntries(one: Attributes, other: Attributes): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key) && one[key] === other[key]);
}

/** Throws `fleet.version_conflict`. */
export function checkVersion(object: { name: string; version: number }, expectedVersion: number | undefined): void {
  if (expectedVersion === undefined || expectedVersion === object.version) return;
  throw new PlatformError("fleet.version_conflict", { name: object.name, received: expectedVersion, expected: object.version });
}
