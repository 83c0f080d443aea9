/** Identifiers, names and descriptions [alibaba-device 5.10]. */
import { type JsonObject, type ModelReader, ownMember } from "./model-reader.ts";

/**
 * Taken by the envelope and the generated functions. `property` names the level of `thing.event.property.post`, and `__proto__`
 * would be no member at all in JavaScript.
 */
const reserved = ["set", "get", "post", "property", "event", "time", "value", "__proto__"];

interface IdentifierRules {
  readonly isReservedRefused: boolean;
  /** The module the function belongs to; its prefix may be written. Absent in parameters, where no prefix is allowed. */
  readonly module?: { readonly blockId: string | undefined };
}

/** An identifier that is well-formed, free and not reserved; else undefined and a problem. */
export function readIdentifier(
  reader: ModelReader,
  object: JsonObject,
  path: string,
  taken: Set<string>,
  rules: IdentifierRules,
): string | undefined {
  const place = `${path}.identifier`;
  const value = ownMember(object, "identifier");
  const { identifierCharactersMax, blockIdCharactersMax } = reader.limits;
  if (typeof value !== "string") {
    if (value === undefined) reader.reportText("thing_model.member_missing", place, "", "string");
    else reader.report("thing_model.type_wrong", place, value, "string");
    return undefined;
  }
  const colon = rules.module === undefined ? -1 : value.indexOf(":");
  const prefix = colon < 0 ? undefined : value.slice(0, colon);
  const bare = value.slice(colon + 1);
  const blockId = rules.module?.blockId;
  const isPrefixRight = prefix === undefined || (blockId === undefined ? isBlockId(prefix, blockIdCharactersMax) : prefix === blockId);
  if (!isPrefixRight || !/^\w+$/.test(bare) || bare.length > identifierCharactersMax) {
    reader.report("thing_model.identifier_invalid", place, value, `[A-Za-z0-9_]{1,${identifierCharactersMax}}`);
    return undefined;
  }
  if (rules.isReservedRefused && reserved.includes(bare)) {
    reader.report("thing_model.identifier_reserved", place, value, `not ${reserved.join(" | ")}`);
    return undefined;
  }
  // In a module `x` and `module:x` are one identifier.
  const key = blockId !== undefined && prefix === undefined ? `${blockId}:${bare}` : value;
  if (taken.has(key)) {
    reader.report("thing_model.identifier_taken", place, value, "unique");
    return undefined;
  }
  taken.add(key);
  return value;
}

export function isBlockId(text: string, charactersMax: number): boolean {
  return /^\w+$/.test(text) && text.length <= charactersMax && text !== "__proto__";
}

/**
 * A name. The vendor's rule is a warning only: its own English exports break it, and a fleet must be able to move in.
 * Nothing in a model is found by its name.
 */
export function readName(reader: ModelReader, object: JsonObject, path: string): string {
  const name = reader.text(object, "name", path);
  if (typeof ownMember(object, "name") === "string") checkName(reader, name, `${path}.name`);
  return name;
}

export function checkName(reader: ModelReader, name: string, place: string): void {
  const { nameCharactersMax } = reader.limits;
  const characters = [...name].length;
  if (characters > nameCharactersMax)
    reader.reportText("thing_model.text_long", place, `${characters} characters`, `<= ${nameCharactersMax}`);
  else if (!/^[\p{L}\p{N}][\p{L}\p{M}\p{N}\-_/. ()（）]*$/u.test(name))
    reader.report("thing_model.name_unusual", place, name, `[\\p{L}\\p{N}-_/.]{1,${nameCharactersMax}}`);
}

export function readDescription(reader: ModelReader, object: JsonObject, path: string, name = "desc"): string | undefined {
  const description = reader.optionalText(object, name, path);
  if (description === undefined) return undefined;
  const { descriptionCharactersMax } = reader.limits;
  const characters = [...description].length;
  if (characters > descriptionCharactersMax)
    reader.reportText("thing_model.text_long", `${path}.${name}`, `${characters} characters`, `<= ${descriptionCharactersMax}`);
  return description;
}
