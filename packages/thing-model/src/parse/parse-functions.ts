/** Properties, events, services and the three functions that the platform generates. */
import {
  eventMethod,
  type GeneratedFunction,
  type Property,
  type Service,
  serviceMethod,
  type ThingEvent,
  wireIdentifier,
} from "../model.ts";
import { extraMembers, isJsonObject, type JsonObject, type ModelReader, ownMember, present } from "./model-reader.ts";
import { readDataType, readParameters } from "./parse-data-type.ts";
import { readDescription, readIdentifier, readName } from "./parse-names.ts";

const accessModes = ["r", "rw", "w"] as const;
const eventTypes = ["info", "alert", "error"] as const;
const callTypes = ["async", "sync"] as const;
const propertyMembers = ["identifier", "name", "accessMode", "required", "desc", "dataType"];
const eventMembers = ["identifier", "name", "type", "required", "desc", "method", "outputData"];
const serviceMembers = ["identifier", "name", "required", "callType", "desc", "method", "inputData", "outputData"];

/** The generated functions: where they are and which method tells them. */
const generatedMethods = {
  post: "thing.event.property.post",
  set: "thing.service.property.set",
  get: "thing.service.property.get",
} as const;

type GeneratedName = keyof typeof generatedMethods;

export interface FunctionLists {
  readonly properties: Property[];
  readonly events: ThingEvent[];
  readonly services: Service[];
  readonly generated: { post?: GeneratedFunction; set?: GeneratedFunction; get?: GeneratedFunction };
}

/** Reads the three lists of a module. One identifier is used once among its properties, once among its events and so on. */
export function readFunctions(reader: ModelReader, root: JsonObject, blockId: string | undefined): FunctionLists {
  const lists: FunctionLists = { properties: [], events: [], services: [], generated: {} };
  const { functionsMax } = reader.limits;
  // The generated ones are in the lists as well, and are not counted.
  const entriesMax = functionsMax + 2;
  const properties = reader.list(ownMember(root, "properties"), "properties", entriesMax);
  const events = reader.list(ownMember(root, "events"), "events", entriesMax);
  const services = reader.list(ownMember(root, "services"), "services", entriesMax);

  const read = (entries: readonly unknown[], name: string, one: (entry: JsonObject, path: string, taken: Set<string>) => void) => {
    const taken = new Set<string>();
    entries.forEach((entry, index) => {
      const path = `${name}[${index}]`;
      if (isJsonObject(entry)) one(entry, path, taken);
      else reader.report("thing_model.type_wrong", path, entry, "object");
    });
  };
  read(properties, "properties", (entry, path, taken) => readProperty(reader, entry, path, taken, blockId, lists.properties));
  read(events, "events", (entry, path, taken) => {
    if (!readGenerated(reader, entry, path, ["post"], lists)) readEvent(reader, entry, path, taken, blockId, lists.events);
  });
  read(services, "services", (entry, path, taken) => {
    if (!readGenerated(reader, entry, path, ["set", "get"], lists)) readService(reader, entry, path, taken, blockId, lists.services);
  });
  const count = lists.properties.length + lists.events.length + lists.services.length;
  if (count > functionsMax)
    reader.reportText("thing_model.too_many", "properties + events + services", String(count), `<= ${functionsMax}`);
  return lists;
}

function readProperty(
  reader: ModelReader,
  entry: JsonObject,
  path: string,
  taken: Set<string>,
  blockId: string | undefined,
  into: Property[],
): void {
  const identifier = readIdentifier(reader, entry, path, taken, { isReservedRefused: true, module: { blockId } });
  const name = readName(reader, entry, path);
  const accessMode = reader.word(entry, "accessMode", path, accessModes);
  const required = reader.optionalFlag(entry, "required", path) ?? false;
  const desc = readDescription(reader, entry, path);
  const dataType = readDataType(reader, ownMember(entry, "dataType"), `${path}.dataType`);
  if (identifier === undefined || accessMode === undefined || dataType === undefined) return;
  into.push({ identifier, name, accessMode, required, ...present("desc", desc), dataType, ...extraMembers(entry, propertyMembers) });
}

function readEvent(
  reader: ModelReader,
  entry: JsonObject,
  path: string,
  taken: Set<string>,
  blockId: string | undefined,
  into: ThingEvent[],
): void {
  const identifier = readIdentifier(reader, entry, path, taken, { isReservedRefused: true, module: { blockId } });
  const name = readName(reader, entry, path);
  const type = reader.word(entry, "type", path, eventTypes, "info");
  const required = reader.optionalFlag(entry, "required", path) ?? false;
  const desc = readDescription(reader, entry, path);
  const outputData = readParameters(reader, ownMember(entry, "outputData"), `${path}.outputData`, reader.limits.eventParametersMax);
  if (identifier === undefined || type === undefined) return;
  checkMethod(reader, entry, path, eventMethod, identifier, blockId);
  into.push({ identifier, name, type, required, ...present("desc", desc), outputData, ...extraMembers(entry, eventMembers) });
}

function readService(
  reader: ModelReader,
  entry: JsonObject,
  path: string,
  taken: Set<string>,
  blockId: string | undefined,
  into: Service[],
): void {
  const { serviceParametersMax } = reader.limits;
  const identifier = readIdentifier(reader, entry, path, taken, { isReservedRefused: true, module: { blockId } });
  const name = readName(reader, entry, path);
  const required = reader.optionalFlag(entry, "required", path) ?? false;
  const callType = reader.word(entry, "callType", path, callTypes, "async");
  const desc = readDescription(reader, entry, path);
  const inputData = readParameters(reader, ownMember(entry, "inputData"), `${path}.inputData`, serviceParametersMax);
  const outputData = readParameters(reader, ownMember(entry, "outputData"), `${path}.outputData`, serviceParametersMax);
  if (identifier === undefined || callType === undefined) return;
  checkMethod(reader, entry, path, serviceMethod, identifier, blockId);
  const extra = extraMembers(entry, serviceMembers);
  into.push({ identifier, name, required, callType, ...present("desc", desc), inputData, outputData, ...extra });
}

/** The method follows from the identifier; a file that says something else is told what will be written. */
function checkMethod(
  reader: ModelReader,
  entry: JsonObject,
  path: string,
  methodOf: (wireName: string) => string,
  identifier: string,
  blockId: string | undefined,
): void {
  const value = ownMember(entry, "method");
  const wireName = wireIdentifier(blockId === undefined ? {} : { functionBlockId: blockId }, identifier);
  // Files of a module are seen with and without its prefix.
  const expected = methodOf(wireName);
  if (value === undefined || value === expected || value === methodOf(identifier)) return;
  reader.report("thing_model.method_corrected", `${path}.method`, value, expected);
}

/** Takes a generated function apart from the user's. Its parameters follow from the properties and are not read. */
function readGenerated(
  reader: ModelReader,
  entry: JsonObject,
  path: string,
  names: readonly GeneratedName[],
  lists: FunctionLists,
): boolean {
  const identifier = ownMember(entry, "identifier");
  const name = names.find((candidate) => candidate === identifier);
  if (name === undefined) return false;
  const method = ownMember(entry, "method");
  if (method !== undefined && method !== generatedMethods[name])
    reader.report("thing_model.method_corrected", `${path}.method`, method, generatedMethods[name]);
  if (lists.generated[name] !== undefined) {
    reader.report("thing_model.identifier_taken", `${path}.identifier`, name, "unique");
    return true;
  }
  const isEvent = name === "post";
  lists.generated[name] = {
    ...present("name", reader.optionalText(entry, "name", path)),
    ...present("desc", reader.optionalText(entry, "desc", path)),
    ...present("required", reader.optionalFlag(entry, "required", path)),
    ...present("type", isEvent ? reader.word(entry, "type", path, eventTypes, "info") : undefined),
    ...present("callType", isEvent ? undefined : reader.word(entry, "callType", path, callTypes, "async")),
    ...extraMembers(entry, isEvent ? eventMembers : serviceMembers),
  };
  return true;
}
