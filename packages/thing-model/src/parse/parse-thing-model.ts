/** TSL JSON in. */
import { isError, ThingModelError, type ThingModelProblem } from "../errors.ts";
import { defaultThingModelLimits, type ThingModelLimits } from "../limits.ts";
import { type ModuleReference, type Profile, type ThingModel, utf8Bytes, vendorSchema } from "../model.ts";
import { extraMembers, isJsonObject, type JsonObject, ModelReader, ownMember, place, present } from "./model-reader.ts";
import { readFunctions } from "./parse-functions.ts";
import { checkName, isBlockId } from "./parse-names.ts";

const rootMembers = [
  "schema",
  "profile",
  "link",
  "version",
  "functionBlockId",
  "functionBlockName",
  "properties",
  "events",
  "services",
  "functionBlocks",
];
const profileMembers = ["version", "productKey", "deviceName"];
const referenceMembers = ["functionBlockId", "functionBlockName", "productKey", "description"];

/** What {@link inspectThingModel} found. `model` is absent when a problem is an error. */
export interface ThingModelInspection {
  readonly model?: ThingModel;
  /** Errors and warnings in the order of the file. */
  readonly problems: readonly ThingModelProblem[];
}

/**
 * Reads a TSL, as text or as parsed JSON, and tells everything that is wrong with it. Never throws.
 *
 * @example
 * const { model, problems } = inspectThingModel(text);
 * for (const problem of problems) console.log(formatProblem(problem, "en"));
 */
export function inspectThingModel(json: unknown, limits: Partial<ThingModelLimits> = {}): ThingModelInspection {
  const reader = new ModelReader({ ...defaultThingModelLimits, ...limits });
  const root = readRoot(reader, json);
  const model = root === undefined ? undefined : readModel(reader, root);
  const isUsable = model !== undefined && !reader.problems.some(isError);
  return { ...(isUsable ? { model } : {}), problems: reader.problems };
}

/**
 * Reads a TSL, as text or as parsed JSON [alibaba-device 5.10]. Numbers in specs stay texts, members we do not know are kept, and the generated
 * functions `post`, `set` and `get` are taken out: {@link formatThingModel} writes them from the properties.
 *
 * @throws ThingModelError with all problems, when one of them is an error.
 * @example
 * const model = parseThingModel('{"properties":[{"identifier":"LightSwitch","name":"Switch","accessMode":"rw","dataType":{"type":"bool"}}]}');
 * model.properties[0]?.accessMode; // "rw"
 */
export function parseThingModel(json: unknown, limits: Partial<ThingModelLimits> = {}): ThingModel {
  const { model, problems } = inspectThingModel(json, limits);
  if (model === undefined) throw new ThingModelError(problems);
  return model;
}

/** The JSON as an object of our own, within the limits of size and depth. */
function readRoot(reader: ModelReader, json: unknown): JsonObject | undefined {
  const { modelBytesMax, modelDepthMax } = reader.limits;
  let root: unknown;
  try {
    // Through text, so that the model shares nothing with the caller's object and holds nothing but JSON.
    const text = typeof json === "string" ? json : (JSON.stringify(json) ?? "");
    // A text is never shorter in bytes than in characters; the exact count is only taken of what may fit.
    const bytes = text.length > modelBytesMax ? text.length : utf8Bytes(text);
    if (bytes > modelBytesMax) {
      reader.reportText("thing_model.too_large", "", `${bytes} bytes`, `${modelBytesMax} bytes`);
      return undefined;
    }
    root = JSON.parse(text.startsWith("\ufeff") ? text.slice(1) : text);
  } catch (error) {
    reader.reportText("thing_model.not_json", "", error instanceof Error ? error.message.slice(0, 120) : "", "JSON");
    return undefined;
  }
  if (isDeeperThan(root, modelDepthMax)) {
    reader.reportText("thing_model.too_deep", "", "", `<= ${modelDepthMax} levels`);
    return undefined;
  }
  if (isJsonObject(root)) return root;
  reader.report("thing_model.type_wrong", "", root, "object");
  return undefined;
}

function isDeeperThan(value: unknown, depthMax: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depthMax === 0) return true;
  return Object.values(value).some((member) => isDeeperThan(member, depthMax - 1));
}

function readModel(reader: ModelReader, root: JsonObject): ThingModel {
  const profile = readProfile(reader, ownMember(root, "profile"));
  const blockId = readBlockId(reader, root);
  const blockName = readBlockName(reader, root, "");
  const version = readVersion(reader, root, "", "version");
  const blocks = readModuleReferences(reader, ownMember(root, "functionBlocks"));
  const lists = readFunctions(reader, root, blockId);
  return {
    schema: reader.optionalText(root, "schema", "") ?? vendorSchema,
    profile,
    ...present("link", reader.optionalText(root, "link", "")),
    ...present("version", version),
    ...present("functionBlockId", blockId),
    ...present("functionBlockName", blockName),
    ...lists,
    ...present("functionBlocks", blocks),
    ...extraMembers(root, rootMembers),
  };
}

function readProfile(reader: ModelReader, value: unknown): Profile {
  if (value === undefined) return {};
  const profile = reader.object(value, "profile");
  if (profile === undefined) return {};
  return {
    ...present("version", readVersion(reader, profile, "profile", "version")),
    ...present("productKey", reader.optionalText(profile, "productKey", "profile")),
    ...present("deviceName", reader.optionalText(profile, "deviceName", "profile")),
    ...extraMembers(profile, profileMembers),
  };
}

function readVersion(reader: ModelReader, object: JsonObject, path: string, name: string): string | undefined {
  const value = ownMember(object, name);
  if (value === undefined) return undefined;
  const { versionCharactersMax } = reader.limits;
  if (typeof value === "string" && value.length <= versionCharactersMax && /^[A-Za-z0-9.]*$/.test(value)) return value;
  reader.report("thing_model.version_invalid", place(path, name), value, `[A-Za-z0-9.]{1,${versionCharactersMax}}`);
  return undefined;
}

function readBlockId(reader: ModelReader, object: JsonObject, path = ""): string | undefined {
  const value = ownMember(object, "functionBlockId");
  if (value === undefined) return undefined;
  const { blockIdCharactersMax } = reader.limits;
  if (typeof value === "string" && isBlockId(value, blockIdCharactersMax)) return value;
  reader.report("thing_model.block_invalid", place(path, "functionBlockId"), value, `[A-Za-z0-9_]{1,${blockIdCharactersMax}}`);
  return undefined;
}

function readBlockName(reader: ModelReader, object: JsonObject, path: string): string | undefined {
  const name = reader.optionalText(object, "functionBlockName", path);
  if (name !== undefined) checkName(reader, name, place(path, "functionBlockName"));
  return name;
}

function readModuleReferences(reader: ModelReader, value: unknown): readonly ModuleReference[] | undefined {
  if (value === undefined) return undefined;
  const references: ModuleReference[] = [];
  const taken = new Set<string>();
  reader.list(value, "functionBlocks", reader.limits.modulesMax).forEach((entry, index) => {
    const path = `functionBlocks[${index}]`;
    const object = reader.object(entry, path);
    if (object === undefined) return;
    const functionBlockId = readBlockId(reader, object, path);
    if (functionBlockId === undefined) {
      if (!Object.hasOwn(object, "functionBlockId"))
        reader.reportText("thing_model.member_missing", `${path}.functionBlockId`, "", "string");
      return;
    }
    if (taken.has(functionBlockId)) reader.report("thing_model.identifier_taken", `${path}.functionBlockId`, functionBlockId, "unique");
    taken.add(functionBlockId);
    references.push({
      functionBlockId,
      ...present("functionBlockName", readBlockName(reader, object, path)),
      ...present("productKey", reader.optionalText(object, "productKey", path)),
      ...present("description", reader.optionalText(object, "description", path)),
      ...extraMembers(object, referenceMembers),
    });
  });
  return references;
}
