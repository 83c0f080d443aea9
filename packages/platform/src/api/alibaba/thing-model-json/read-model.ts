/** The vendor's model operations read into TSL, whose own check then finds what is wrong (reference 7.3). */
import { PlatformError } from "../../../errors/index.ts";

type Json = Record<string, unknown>;

/** Functions in TSL, not yet checked. */
export interface TslFunctions {
  properties: Json[];
  events: Json[];
  services: Json[];
}

const accessModes: Readonly<Record<string, string>> = { READ_ONLY: "r", WRITE_ONLY: "w", READ_WRITE: "rw" };
const eventTypes: Readonly<Record<string, string>> = {
  INFO_EVENT_TYPE: "info",
  ALERT_EVENT_TYPE: "alert",
  ERROR_EVENT_TYPE: "error",
};

/** Throws `alibaba.model_json_invalid` for what is no model at all; wrong values pass on to the check of the model. */
export function readThingModelJson(text: string): TslFunctions {
  const json = parse(text);
  return {
    properties: listOf(json, "properties").map((each) => ({
      ...common(each, "name"),
      accessMode: accessModes[String(each.rwFlag ?? "READ_WRITE")] ?? each.rwFlag,
      dataType: readType(each),
    })),
    events: listOf(json, "events").map((each) => ({
      ...common(each, "eventName"),
      type: eventTypes[String(each.eventType)] ?? each.eventType,
      outputData: parameters(each, "outputdata", "outputData"),
    })),
    services: listOf(json, "services").map((each) => ({
      ...common(each, "serviceName"),
      callType: typeof each.callType === "string" ? each.callType.toLowerCase() : each.callType,
      inputData: parameters(each, "inputParams", "inputData"),
      outputData: parameters(each, "outputParams", "outputData"),
    })),
  };
}

function parse(text: string): Json {
  try {
    const json: unknown = JSON.parse(text);
    if (isJson(json)) return json;
  } catch (cause) {
    throw new PlatformError("alibaba.model_json_invalid", { received: (cause as Error).message, expected: "JSON" }, { cause });
  }
  throw new PlatformError("alibaba.model_json_invalid", { received: "another value", expected: "an object" });
}

function common(each: Json, nameMember: string): Json {
  const desc = each.description ?? each.desc;
  return {
    identifier: each.identifier,
    name: each[nameMember] ?? each.name,
    required: each.required === true,
    ...(typeof desc === "string" && desc !== "" ? { desc } : {}),
  };
}

/** In the order that `paraOrder` tells, where it does. */
function parameters(each: Json, ...memberNames: string[]): Json[] {
  const member = memberNames.find((name) => name in each);
  const list = member === undefined ? [] : listOf(each, member);
  const order = (parameter: Json) => (typeof parameter.paraOrder === "number" ? parameter.paraOrder : Number.MAX_SAFE_INTEGER);
  return [...list]
    .sort((left, right) => order(left) - order(right))
    .map((parameter) => ({ identifier: parameter.identifier, name: parameter.name, dataType: readType(parameter) }));
}

/** `dataType` with `dataSpecs` or `dataSpecsList` beside it. */
function readType(holder: Json, typeMember = "dataType"): Json {
  const type = String(holder[typeMember] ?? "").toLowerCase();
  const specs = isJson(holder.dataSpecs) ? holder.dataSpecs : {};
  const list = listOf(holder, "dataSpecsList");
  switch (type) {
    case "int":
    case "float":
    case "double": {
      const names = ["min", "max", "unit", "unitName", "step"].filter((name) => specs[name] !== undefined && specs[name] !== null);
      return { type, specs: Object.fromEntries(names.map((name) => [name, String(specs[name])])) };
    }
    case "bool":
    case "enum":
      return { type, specs: Object.fromEntries(list.map(({ value, name }) => [String(value), String(name)])) };
    case "text":
      return { type, specs: { length: String(specs.length ?? 2048) } };
    case "date":
      return { type, specs: {} };
    case "array":
      return { type, specs: { size: String(specs.size), item: readType(specs, "childDataType") } };
    case "struct":
      return {
        type,
        specs: list.map((member) => ({
          identifier: member.identifier,
          name: member.childName ?? member.name,
          dataType: readType(member, "childDataType"),
        })),
      };
    default:
      return { type: holder[typeMember], specs: {} };
  }
}

function listOf(holder: Json, member: string): Json[] {
  const list = holder[member];
  if (list === undefined || list === null) return [];
  if (Array.isArray(list) && list.every(isJson)) return list;
  throw new PlatformError("alibaba.model_json_invalid", {
    received: `${member}: ${JSON.stringify(list).slice(0, 80)}`,
    expected: "a list of objects",
  });
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
