/** Drafts, published versions and validation levels of products. */
import type { ThingModel } from "@thingstead/thing-model";
import { PlatformError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import type { ThingLimits } from "./limits.ts";
import type { StoredModule, ThingModelStore } from "./ports.ts";
import { type ProductModels, usualLevel } from "./product-models.ts";
import { fromStoredModule, readThingModel, toStoredModule } from "./read-thing-model.ts";
import type { ModelVersion, ThingModels } from "./things.ts";

interface ThingModelsPorts {
  store: ThingModelStore;
  models: ProductModels;
  registry: Pick<Registry, "findProduct">;
  clock: { now(): number };
  limits: ThingLimits;
}

/** [alibaba-server 1.8.I] PublishThingModel. */
const versionPattern = /^[A-Za-z0-9.]{1,16}$/;

export function createThingModels({ store, models, registry, clock, limits }: ThingModelsPorts): ThingModels {
  const listeners: ((productKey: string) => void)[] = [];

  function changed(productKey: string): void {
    models.forget(productKey);
    for (const listener of listeners) listener(productKey);
  }

  async function checkProduct(productKey: string): Promise<void> {
    if ((await registry.findProduct(productKey)) === undefined) throw new PlatformError("registry.product_not_found", { productKey });
  }

  /** A released product's model is what its devices were built for. */
  async function checkChangeable(productKey: string): Promise<void> {
    await checkProduct(productKey);
    if ((await registry.findProduct(productKey))?.isReleased === true) throw new PlatformError("things.model_released", { productKey });
  }

  async function loadVersion(productKey: string, version: string | undefined): Promise<StoredModule[] | undefined> {
    await checkProduct(productKey);
    const modules = await store.loadVersion(productKey, version);
    if (modules === undefined && version !== undefined) throw new PlatformError("things.version_not_found", { productKey, version });
    return modules;
  }

  return {
    async draft(productKey) {
      await checkProduct(productKey);
      return inOrder(await store.loadDraft(productKey)).map(fromStoredModule);
    },

    async saveModule(productKey, model) {
      await checkChangeable(productKey);
      const module = toStoredModule(productKey, model);
      // What a program put together is checked like a file.
      readThingModel(module.tsl);
      const others = (await store.loadDraft(productKey)).filter(
        ({ functionBlockId }) => functionBlockId !== "" && functionBlockId !== module.functionBlockId,
      );
      if (module.functionBlockId !== "" && others.length >= limits.modulesMax)
        throw new PlatformError("things.too_many_modules", { productKey, expected: limits.modulesMax });
      await store.saveModule(productKey, module);
    },

    async deleteModule(productKey, functionBlockId) {
      await checkChangeable(productKey);
      if (!(await store.deleteModule(productKey, functionBlockId)))
        throw new PlatformError("things.module_not_found", { productKey, functionBlockId });
    },

    async publish(productKey, { version = String(clock.now()), description = "" }) {
      await checkChangeable(productKey);
      if (!versionPattern.test(version))
        throw new PlatformError("things.version_invalid", { received: version.slice(0, 80), expected: "1-16 letters, digits and dots" });
      if (description.length > limits.modelDescriptionCharactersMax)
        throw new PlatformError("things.description_too_long", {
          received: description.length,
          expected: limits.modelDescriptionCharactersMax,
        });
      const modules = await store.loadDraft(productKey);
      if (modules.length === 0) throw new PlatformError("things.draft_empty", { productKey });
      const published: ModelVersion = { version, description, createdAt: clock.now() };
      const outcome = await store.insertVersion(productKey, { ...published, modules: inOrder(modules) }, limits.modelVersionsMax);
      if (outcome === "duplicate") throw new PlatformError("things.version_taken", { productKey, version });
      changed(productKey);
      return published;
    },

    async versions(productKey) {
      await checkProduct(productKey);
      return store.listVersions(productKey);
    },

    async published(productKey, version) {
      return ((await loadVersion(productKey, version)) ?? []).map(fromStoredModule);
    },

    async copy(sourceProductKey, targetProductKey, version) {
      await checkChangeable(targetProductKey);
      const modules = await loadVersion(sourceProductKey, version);
      if (modules === undefined) throw new PlatformError("things.no_model", { productKey: sourceProductKey });
      await store.replaceDraft(
        targetProductKey,
        modules.map((module) => toStoredModule(targetProductKey, fromStoredModule(module))),
      );
    },

    async validationLevel(productKey) {
      await checkProduct(productKey);
      return (await store.loadLevel(productKey)) ?? usualLevel;
    },

    async setValidationLevel(productKey, level) {
      await checkProduct(productKey);
      await store.saveLevel(productKey, level);
      changed(productKey);
    },

    async validatorOf(productKey) {
      const model = await models.get(productKey);
      return model.modules.length === 0 ? undefined : model.validator;
    },

    peekValidator(productKey) {
      const model = models.peek(productKey);
      return model === undefined || model.modules.length === 0 ? undefined : model.validator;
    },

    onChange(listener) {
      listeners.push(listener);
    },
  };
}

/** The default module first. */
function inOrder<T extends Pick<StoredModule, "functionBlockId"> | ThingModel>(modules: readonly T[]): T[] {
  return [...modules].sort((one, other) => ((one.functionBlockId ?? "") < (other.functionBlockId ?? "") ? -1 : 1));
}
