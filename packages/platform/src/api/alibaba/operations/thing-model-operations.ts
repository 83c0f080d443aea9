/** Thing models: draft, versions, TSL (reference 1.8.I). */
import { formatThingModel, type ThingModel } from "@thingstead/thing-model";
import { PlatformError } from "../../../errors/index.ts";
import { readThingModel, type Things } from "../../../things/index.ts";
import { defineOperation, type OperationTable } from "../operation.ts";
import { readThingModelJson, type TslFunctions } from "../thing-model-json/read-model.ts";
import { writeThingModelJson } from "../thing-model-json/write-model.ts";

type Json = Record<string, unknown>;
type FunctionKind = keyof TslFunctions;

const functionKinds: readonly FunctionKind[] = ["properties", "events", "services"];
const schema = "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json";

const oneModule = { ProductKey: "text", FunctionBlockId: "text?" } as const;

export const thingModelOperations: OperationTable = {
  CreateThingModel: defineOperation(
    { ...oneModule, FunctionBlockName: "text?", ThingModelJson: "text?" },
    async ({ ProductKey, FunctionBlockId, FunctionBlockName, ThingModelJson }, { things, limits }) => {
      const module = await openModule(things, ProductKey, FunctionBlockId, FunctionBlockName);
      const added = ThingModelJson ? readThingModelJson(ThingModelJson) : { properties: [], events: [], services: [] };
      const count = functionKinds.reduce((sum, kind) => sum + added[kind].length, 0);
      if (count > limits.functionsPerCallMax)
        throw new PlatformError("alibaba.too_many_functions", { received: count, expected: limits.functionsPerCallMax });
      for (const kind of functionKinds) {
        for (const each of added[kind]) {
          if (module[kind].some(({ identifier }) => identifier === each.identifier))
            throw new PlatformError("alibaba.function_exists", { received: String(each.identifier) });
          module[kind].push(each);
        }
      }
      await things.models.saveModule(ProductKey, readThingModel(module.tsl()));
      return {};
    },
  ),

  UpdateThingModel: defineOperation(
    { ...oneModule, FunctionBlockName: "text?", Identifier: "text?", ThingModelJson: "text?" },
    async ({ ProductKey, FunctionBlockId, FunctionBlockName, Identifier, ThingModelJson }, { things }) => {
      const module = await openModule(things, ProductKey, FunctionBlockId, FunctionBlockName);
      const changed = ThingModelJson ? readThingModelJson(ThingModelJson) : { properties: [], events: [], services: [] };
      const changes = functionKinds.flatMap((kind) => changed[kind].map((each) => ({ kind, each })));
      if (Identifier && changes.length !== 1)
        throw new PlatformError("alibaba.model_json_invalid", { received: `${changes.length} functions`, expected: "one function" });
      for (const { kind, each } of changes) {
        const identifier = Identifier || String(each.identifier);
        const index = module[kind].findIndex((known) => known.identifier === identifier);
        if (index < 0) throw new PlatformError("alibaba.function_not_found", { received: identifier, productKey: ProductKey });
        module[kind][index] = each;
      }
      await things.models.saveModule(ProductKey, readThingModel(module.tsl()));
      return {};
    },
  ),

  DeleteThingModel: defineOperation(
    { ...oneModule, PropertyIdentifier: "list?", EventIdentifier: "list?", ServiceIdentifier: "list?" },
    async ({ ProductKey, FunctionBlockId, PropertyIdentifier, EventIdentifier, ServiceIdentifier }, { things, limits }) => {
      const wanted = { properties: PropertyIdentifier, events: EventIdentifier, services: ServiceIdentifier };
      const most = Math.max(...functionKinds.map((kind) => wanted[kind].length));
      if (most > limits.functionsPerCallMax)
        throw new PlatformError("alibaba.too_many_functions", { received: most, expected: limits.functionsPerCallMax });
      if (most === 0) {
        if (!FunctionBlockId) throw new PlatformError("alibaba.missing_parameter", { parameter: "FunctionBlockId" });
        await things.models.deleteModule(ProductKey, FunctionBlockId);
        return {};
      }
      const module = await openModule(things, ProductKey, FunctionBlockId, undefined);
      for (const kind of functionKinds) {
        for (const identifier of wanted[kind]) {
          const index = module[kind].findIndex((known) => known.identifier === identifier);
          if (index < 0) throw new PlatformError("alibaba.function_not_found", { received: identifier, productKey: ProductKey });
          module[kind].splice(index, 1);
        }
      }
      await things.models.saveModule(ProductKey, readThingModel(module.tsl()));
      return {};
    },
  ),

  PublishThingModel: defineOperation(
    { ProductKey: "text", Description: "text?", ModelVersion: "text?" },
    async ({ ProductKey, Description, ModelVersion }, { things }) => {
      await things.models.publish(ProductKey, {
        ...(ModelVersion ? { version: ModelVersion } : {}),
        ...(Description ? { description: Description } : {}),
      });
      return {};
    },
  ),

  QueryThingModel: defineOperation(
    { ...oneModule, ModelVersion: "text?" },
    async ({ ProductKey, FunctionBlockId, ModelVersion }, { things }) => {
      const module = pick(await modulesOf(things, ProductKey, ModelVersion), FunctionBlockId, ProductKey);
      return { Data: { ThingModelJson: writeThingModelJson(module, ProductKey) }, ProductKey };
    },
  ),

  QueryThingModelPublished: defineOperation(
    { ...oneModule, ModelVersion: "text?" },
    async ({ ProductKey, FunctionBlockId, ModelVersion }, { things }) => {
      const module = pick(await things.models.published(ProductKey, ModelVersion || undefined), FunctionBlockId, ProductKey);
      return { Data: { ThingModelJson: writeThingModelJson(module, ProductKey) }, ProductKey };
    },
  ),

  ImportThingModelTsl: defineOperation(
    // The vendor ignores the address, too.
    { ...oneModule, FunctionBlockName: "text?", TslStr: "text", TslUrl: "text?" },
    async ({ ProductKey, FunctionBlockId, FunctionBlockName, TslStr }, { things }) => {
      const model = readThingModel(TslStr);
      const owner = model.profile.productKey;
      if (owner !== undefined && owner !== ProductKey)
        throw new PlatformError("alibaba.tsl_of_other_product", { received: owner, expected: ProductKey });
      await things.models.saveModule(ProductKey, {
        ...model,
        ...(FunctionBlockId ? { functionBlockId: FunctionBlockId } : {}),
        ...(FunctionBlockName ? { functionBlockName: FunctionBlockName } : {}),
      });
      return {};
    },
  ),

  GetThingModelTsl: defineOperation(
    { ...oneModule, ModelVersion: "text?", Simple: "boolean?" },
    async ({ ProductKey, FunctionBlockId, ModelVersion, Simple }, { things }) => {
      const modules = await modulesOf(things, ProductKey, ModelVersion);
      return { Data: { TslStr: writeTsl(modules, FunctionBlockId, ProductKey, Simple === true) } };
    },
  ),

  GetThingModelTslPublished: defineOperation(
    { ...oneModule, ModelVersion: "text?", Simple: "boolean?" },
    async ({ ProductKey, FunctionBlockId, ModelVersion, Simple }, { things }) => {
      const modules = await things.models.published(ProductKey, ModelVersion || undefined);
      return { Data: { TslStr: writeTsl(modules, FunctionBlockId, ProductKey, Simple === true) } };
    },
  ),

  ListThingModelVersion: defineOperation({ ProductKey: "text" }, async ({ ProductKey }, { things }) => {
    const versions = await things.models.versions(ProductKey);
    const ModelVersions = versions.map(({ version, description, createdAt }) => ({
      ModelVersion: version,
      Description: description,
      GmtCreate: createdAt,
    }));
    return { Data: { ModelVersions } };
  }),

  CopyThingModel: defineOperation(
    { SourceProductKey: "text", TargetProductKey: "text", SourceModelVersion: "text?" },
    async ({ SourceProductKey, TargetProductKey, SourceModelVersion }, { things }) => {
      await things.models.copy(SourceProductKey, TargetProductKey, SourceModelVersion || undefined);
      return {};
    },
  ),
};

/** A module's functions in TSL, to be changed and read again. */
interface OpenModule extends TslFunctions {
  tsl(): Json;
}

/** The draft's module, or an empty one; generated functions are made anew when it is stored. */
async function openModule(
  things: Things,
  productKey: string,
  functionBlockId: string | undefined,
  functionBlockName: string | undefined,
): Promise<OpenModule> {
  const known = (await things.models.draft(productKey)).find((model) => (model.functionBlockId ?? "") === (functionBlockId ?? ""));
  const tsl: Json =
    known === undefined
      ? { schema, profile: { productKey }, properties: [], events: [], services: [] }
      : formatThingModel(known, { isGeneratedIncluded: false });
  if (functionBlockId) {
    tsl.functionBlockId = functionBlockId;
    tsl.functionBlockName = functionBlockName || (tsl.functionBlockName ?? functionBlockId);
  }
  const listOf = (kind: FunctionKind): Json[] => [...((tsl[kind] as Json[] | undefined) ?? [])];
  const functions: TslFunctions = { properties: listOf("properties"), events: listOf("events"), services: listOf("services") };
  return { ...functions, tsl: () => ({ ...tsl, ...functions }) };
}

/** The draft, or a published version where one is named. */
function modulesOf(things: Things, productKey: string, version: string | undefined): Promise<readonly ThingModel[]> {
  return version ? things.models.published(productKey, version) : things.models.draft(productKey);
}

function pick(modules: readonly ThingModel[], functionBlockId: string | undefined, productKey: string): ThingModel {
  const found = modules.find((model) => (model.functionBlockId ?? "") === (functionBlockId ?? ""));
  if (found !== undefined) return found;
  if (functionBlockId) throw new PlatformError("things.module_not_found", { productKey, functionBlockId });
  throw new PlatformError("things.no_model", { productKey });
}

function writeTsl(modules: readonly ThingModel[], functionBlockId: string | undefined, productKey: string, isSimple: boolean): string {
  const model = pick(modules, functionBlockId, productKey);
  const functionBlocks = modules.flatMap((each) =>
    each.functionBlockId === undefined
      ? []
      : [{ functionBlockId: each.functionBlockId, functionBlockName: each.functionBlockName ?? each.functionBlockId, productKey }],
  );
  const isMain = model.functionBlockId === undefined && functionBlocks.length > 0;
  const tsl = formatThingModel(isMain && model.functionBlocks === undefined ? { ...model, functionBlocks } : model);
  return JSON.stringify(isSimple ? simplify(tsl) : tsl);
}

/** Identifiers and types; nothing for people. */
function simplify(tsl: Json): Json {
  const spoken = new Set(["name", "desc", "functionBlockName", "description", "unitName"]);
  const without = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(without);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => !spoken.has(name))
        .map(([name, inner]) => [name, without(inner)]),
    );
  };
  return without(tsl) as Json;
}
