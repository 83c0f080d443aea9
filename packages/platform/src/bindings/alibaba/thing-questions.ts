/** What devices ask about themselves: desired values and the thing model. Source: alibaba-device.md, 5.9 and 5.12. */
import { formatThingModel } from "@thingstead/thing-model";
import type { ThingModels, Things } from "../../things/index.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { AlibabaBindingLimits } from "./limits.ts";
import { alinkCodes, refused, type ThingAction, type ThingCall, type ThingOutcome } from "./thing-call.ts";

export interface ThingQuestionsPorts {
  things: Pick<Things, "desired" | "clearDesired"> & { models: Pick<ThingModels, "published"> };
  problems: DeviceProblems;
  limits: AlibabaBindingLimits;
}

export interface ThingQuestions {
  getDesired: ThingAction;
  deleteDesired: ThingAction;
  getModel: ThingAction;
  getModelNodes: ThingAction;
}

export function createThingQuestions({ things, problems, limits }: ThingQuestionsPorts): ThingQuestions {
  function refuse(call: ThingCall, code: number, message: string): ThingOutcome {
    problems.refused(call, code, message);
    return refused({ code, message });
  }

  /** Only properties that have a desired value are in the answer. */
  async function getDesired(call: ThingCall): Promise<ThingOutcome> {
    const { params } = call.request;
    const maximum = limits.desiredIdentifiersMax;
    if (!Array.isArray(params) || !params.every((each) => typeof each === "string")) {
      return refuse(call, alinkCodes.parameterError, "params must be an array of identifiers");
    }
    if (params.length === 0) return refuse(call, alinkCodes.listEmpty, "params is empty");
    if (params.length > maximum) return refuse(call, alinkCodes.listTooLong, `${params.length} identifiers, at most ${maximum}`);
    const values = await things.desired(call.device, params);
    const data = Object.fromEntries(Object.entries(values).map(([name, { value, version }]) => [name, { value, version }]));
    return { answer: { code: 200, data } };
  }

  /** `{"power":{"version":1},"temperature":{}}`: without a version the value is cleared whatever its version. */
  async function deleteDesired(call: ThingCall): Promise<ThingOutcome> {
    const { params } = call.request;
    const entries = readVersions(params);
    const maximum = limits.desiredIdentifiersMax;
    if (entries === undefined) {
      return refuse(call, alinkCodes.parameterError, "params must be an object of identifiers with an optional version");
    }
    const count = Object.keys(entries).length;
    if (count === 0) return refuse(call, alinkCodes.mapEmpty, "params is empty");
    if (count > maximum) return refuse(call, alinkCodes.listTooLong, `${count} identifiers, at most ${maximum}`);
    await things.clearDesired(call.device, entries);
    return { answer: { code: 200 } };
  }

  async function modulesOf(call: ThingCall): Promise<Record<string, unknown>[]> {
    return (await things.models.published(call.device.productKey)).map((model) => formatThingModel(model));
  }

  /** The default module; a custom one when `functionBlockId` names it. */
  async function getModel(call: ThingCall): Promise<ThingOutcome> {
    const { params } = call.request;
    const block = isMembers(params) && typeof params.functionBlockId === "string" ? params.functionBlockId : undefined;
    const model = (await modulesOf(call)).find(({ functionBlockId }) => functionBlockId === block);
    if (model === undefined) return refuse(call, alinkCodes.propertyDefinitionMissing, "the product has no published thing model");
    return { answer: { code: 200, data: model } };
  }

  /** Of every function the members that `nodes` names; the generated ones only when `addDefault` is true. */
  async function getModelNodes(call: ThingCall): Promise<ThingOutcome> {
    const { params } = call.request;
    const nodes = isMembers(params) ? params.nodes : undefined;
    if (!isMembers(params) || !Array.isArray(nodes) || !nodes.every((each) => typeof each === "string")) {
      return refuse(call, alinkCodes.parameterError, "params.nodes must be an array of member names");
    }
    const isGeneratedIncluded = params.addDefault === true;
    const models = await things.models.published(call.device.productKey);
    if (models.length === 0) return refuse(call, alinkCodes.propertyDefinitionMissing, "the product has no published thing model");
    const functions = models
      .map((model) => formatThingModel(model, { isGeneratedIncluded }))
      .flatMap(({ properties, events, services }) => [properties, events, services].flatMap((list) => (Array.isArray(list) ? list : [])));
    const data = functions.map((each) => pick(each, nodes));
    return { answer: { code: 200, data } };
  }

  return { getDesired, deleteDesired, getModel, getModelNodes };
}

function isMembers(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pick(source: unknown, names: readonly string[]): Record<string, unknown> {
  if (!isMembers(source)) return {};
  return Object.fromEntries(names.filter((name) => Object.hasOwn(source, name)).map((name) => [name, source[name]]));
}

function readVersions(params: unknown): Record<string, { version?: number }> | undefined {
  if (!isMembers(params)) return undefined;
  const entries: [string, { version?: number }][] = [];
  for (const [name, entry] of Object.entries(params)) {
    if (!isMembers(entry)) return undefined;
    const version = typeof entry.version === "string" && /^\d{1,15}$/.test(entry.version) ? Number(entry.version) : entry.version;
    if (version === undefined || version === null) entries.push([name, {}]);
    else if (typeof version === "number") entries.push([name, { version }]);
    else return undefined;
  }
  return Object.fromEntries(entries);
}
