/** Data types and their specs [alibaba-device 5.10]. */
import type { ChoiceType, DataType, NumberSpecs, Parameter } from "../model.ts";
import { setMember } from "../model.ts";
import { extraMembers, isJsonObject, type JsonObject, type ModelReader, ownMember, present } from "./model-reader.ts";
import { readDescription, readIdentifier, readName } from "./parse-names.ts";

/** What the type is part of: a struct holds no struct and an array no array, however deep. */
interface Nesting {
  readonly isInStruct: boolean;
  readonly isInArray: boolean;
}

const outside: Nesting = { isInStruct: false, isInArray: false };
const typeNames = ["int", "float", "double", "enum", "bool", "text", "date", "struct", "array"] as const;
const dataTypeMembers = ["type", "specs"];
const numberMembers = ["min", "max", "unit", "unitName", "step"];
const parameterMembers = ["identifier", "name", "desc", "required", "dataType"];

export const int32Min = -(2 ** 31);
export const int32Max = 2 ** 31 - 1;

export function readDataType(reader: ModelReader, value: unknown, path: string, nesting: Nesting = outside): DataType | undefined {
  const object = reader.object(value, path);
  if (object === undefined) return undefined;
  const given = ownMember(object, "type");
  const type = typeNames.find((name) => name === given);
  if (type === undefined) {
    reader.report("thing_model.data_type_unknown", `${path}.type`, given, typeNames.join(" | "));
    return undefined;
  }
  if ((type === "struct" && nesting.isInStruct) || (type === "array" && nesting.isInArray)) {
    const allowed = typeNames.filter((name) => name !== type).join(" | ");
    reader.report("thing_model.data_type_nested", `${path}.type`, given, allowed);
    return undefined;
  }
  const extra = extraMembers(object, dataTypeMembers);
  const givenSpecs = ownMember(object, "specs");
  // Some of the vendor's own programs write the empty object as an empty list.
  const isEmptyList = Array.isArray(givenSpecs) && givenSpecs.length === 0;
  const specs = isEmptyList && type !== "struct" ? {} : givenSpecs;
  const specsPath = `${path}.specs`;
  switch (type) {
    case "int":
    case "float":
    case "double":
      return { type, ...present("specs", readNumberSpecs(reader, specs, specsPath, type)), ...extra };
    case "bool":
    case "enum":
      return { type, ...present("specs", readChoices(reader, specs, specsPath, type, nesting)), ...extra };
    case "text":
      return { type, ...present("specs", readTextSpecs(reader, specs, specsPath)), ...extra };
    case "date":
      return { type, ...present("specs", specs === undefined ? undefined : reader.object(specs, specsPath)), ...extra };
    case "struct": {
      const members = readParameters(reader, specs, specsPath, reader.limits.structMembersMax, { ...nesting, isInStruct: true });
      if (specs === undefined) reader.reportText("thing_model.member_missing", specsPath, "", "array");
      return { type, specs: members, ...extra };
    }
    case "array": {
      const array = readArraySpecs(reader, specs, specsPath, { ...nesting, isInArray: true });
      return array === undefined ? undefined : { type, specs: array, ...extra };
    }
  }
}

/** A number as the vendor writes it: text. A JSON number is taken as its text; an empty text means no bound. */
function readNumberText(reader: ModelReader, specs: JsonObject, name: string, path: string, isWhole: boolean): string | undefined {
  const value = ownMember(specs, name);
  if (value === undefined) return undefined;
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text === "string") {
    if (text === "") return text;
    const number = Number(text);
    if (text.trim() !== "" && Number.isFinite(number) && (!isWhole || Number.isInteger(number))) return text;
  }
  reader.report("thing_model.number_invalid", `${path}.${name}`, value, isWhole ? "int" : "float");
  return undefined;
}

function readNumberSpecs(reader: ModelReader, value: unknown, path: string, type: "int" | "float" | "double"): NumberSpecs | undefined {
  if (value === undefined) return undefined;
  const specs = reader.object(value, path);
  if (specs === undefined) return undefined;
  const min = readNumberText(reader, specs, "min", path, type === "int");
  const max = readNumberText(reader, specs, "max", path, type === "int");
  const step = readNumberText(reader, specs, "step", path, false);
  if (min !== undefined && max !== undefined && min !== "" && max !== "" && Number(min) > Number(max))
    reader.reportText("thing_model.range_empty", path, `${min}..${max}`, "min <= max");
  if (type === "int") {
    const isOutside = (text: string | undefined) => text !== undefined && (Number(text) < int32Min || Number(text) > int32Max);
    if (isOutside(min)) reader.report("thing_model.number_invalid", `${path}.min`, min, `int >= ${int32Min}`);
    if (isOutside(max)) reader.report("thing_model.number_invalid", `${path}.max`, max, `int <= ${int32Max}`);
  }
  if (step !== undefined && step !== "" && Number(step) <= 0) reader.report("thing_model.step_unusual", `${path}.step`, step, "> 0");
  return {
    ...present("min", min),
    ...present("max", max),
    ...present("unit", reader.optionalText(specs, "unit", path)),
    ...present("unitName", reader.optionalText(specs, "unitName", path)),
    ...present("step", step),
    ...extraMembers(specs, numberMembers),
  };
}

function isChoiceKey(key: string, type: ChoiceType["type"]): boolean {
  if (type === "bool") return key === "0" || key === "1";
  return /^(0|-?[1-9]\d{0,9})$/.test(key) && Number(key) >= int32Min && Number(key) <= int32Max;
}

function readChoices(
  reader: ModelReader,
  value: unknown,
  path: string,
  type: ChoiceType["type"],
  nesting: Nesting,
): Readonly<Record<string, string>> | undefined {
  // Elements of an array may leave their labels out; a bool can do without them.
  if (value === undefined && (type === "bool" || nesting.isInArray)) return undefined;
  const specs = reader.object(value, path);
  if (specs === undefined) return undefined;
  const keys = Object.keys(specs);
  const { enumItemsMax } = reader.limits;
  if (keys.length > enumItemsMax) {
    reader.reportText("thing_model.too_many", path, String(keys.length), `<= ${enumItemsMax}`);
    return undefined;
  }
  if (type === "enum" && keys.length === 0) reader.reportText("thing_model.too_many", path, "0", `1..${enumItemsMax}`);
  const choices: Record<string, string> = {};
  for (const key of keys) {
    const label = specs[key];
    if (!isChoiceKey(key, type)) reader.report("thing_model.choice_invalid", path, key, type === "bool" ? "0 | 1" : "int");
    else if (typeof label !== "string") reader.report("thing_model.type_wrong", `${path}.${key}`, label, "string");
    else setMember(choices, key, label);
  }
  return choices;
}

/** A count as text, from 1 to `countMax`. */
function readCount(reader: ModelReader, specs: JsonObject, name: string, path: string, countMax: number): string | undefined {
  const value = ownMember(specs, name);
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text === "string" && /^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= countMax) return text;
  if (value === undefined) reader.reportText("thing_model.member_missing", `${path}.${name}`, "", `1..${countMax}`);
  else reader.report("thing_model.number_invalid", `${path}.${name}`, value, `1..${countMax}`);
  return undefined;
}

function readTextSpecs(reader: ModelReader, value: unknown, path: string) {
  if (value === undefined) return undefined;
  const specs = reader.object(value, path);
  if (specs === undefined) return undefined;
  const hasLength = Object.hasOwn(specs, "length");
  const length = hasLength ? readCount(reader, specs, "length", path, reader.limits.textBytesMax) : undefined;
  return { ...present("length", length), ...extraMembers(specs, ["length"]) };
}

function readArraySpecs(reader: ModelReader, value: unknown, path: string, nesting: Nesting) {
  const specs = reader.object(value, path);
  if (specs === undefined) return undefined;
  const size = readCount(reader, specs, "size", path, reader.limits.arrayElementsMax);
  const item = readDataType(reader, ownMember(specs, "item"), `${path}.item`, nesting);
  if (size === undefined || item === undefined) return undefined;
  return { size, item, ...extraMembers(specs, ["size", "item"]) };
}

/** Parameters of an event or service, or members of a struct. */
export function readParameters(
  reader: ModelReader,
  value: unknown,
  path: string,
  countMax: number,
  nesting: Nesting = outside,
): readonly Parameter[] {
  const parameters: Parameter[] = [];
  const taken = new Set<string>();
  reader.list(value, path, countMax).forEach((entry, index) => {
    const place = `${path}[${index}]`;
    if (!isJsonObject(entry)) {
      reader.report("thing_model.type_wrong", place, entry, "object");
      return;
    }
    const identifier = readIdentifier(reader, entry, place, taken, { isReservedRefused: true });
    const name = readName(reader, entry, place);
    const desc = readDescription(reader, entry, place);
    const required = reader.optionalFlag(entry, "required", place);
    const dataType = readDataType(reader, ownMember(entry, "dataType"), `${place}.dataType`, nesting);
    if (identifier === undefined || dataType === undefined) return;
    parameters.push({
      identifier,
      name,
      ...present("desc", desc),
      ...present("required", required),
      dataType,
      ...extraMembers(entry, parameterMembers),
    });
  });
  return parameters;
}
