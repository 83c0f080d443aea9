/** What every ThingModelStore must do, whatever database is behind it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Product } from "../../registry/index.ts";
import type { Store } from "../store.ts";

export function describeThingModelStore(name: string, open: () => Promise<Store>): void {
  let store: Store;
  beforeEach(async () => {
    store = await open();
    await store.registry.insertProduct(product, []);
  });
  afterEach(() => store.close());

  const module = (functionBlockId: string, text = "1") => ({ functionBlockId, tsl: `{"text":"${text}"}` });
  const version = (name: string, ...modules: ReturnType<typeof module>[]) => ({
    version: name,
    description: `of ${name}`,
    createdAt: 5,
    modules,
  });

  describe(`${name} as ThingModelStore`, () => {
    test("keeps a draft by module, each replaced as a whole", async () => {
      const { thingModels } = store;
      expect(await thingModels.loadDraft("a1")).toEqual([]);
      await thingModels.saveModule("a1", module("", "old"));
      await thingModels.saveModule("a1", module("Battery"));
      await thingModels.saveModule("a1", module("", "new"));
      const byId = (await thingModels.loadDraft("a1")).sort((one, other) => one.functionBlockId.localeCompare(other.functionBlockId));
      expect(byId).toEqual([module("", "new"), module("Battery")]);
      expect(await thingModels.deleteModule("a1", "Battery")).toBe(true);
      expect(await thingModels.deleteModule("a1", "Battery")).toBe(false);
      await thingModels.replaceDraft("a1", [module("Other")]);
      expect(await thingModels.loadDraft("a1")).toEqual([module("Other")]);
    });

    test("keeps the newest versions, newest first, and refuses a taken name", async () => {
      const { thingModels } = store;
      expect(await thingModels.loadVersion("a1")).toBeUndefined();
      for (const each of ["1", "2", "3"]) expect(await thingModels.insertVersion("a1", version(each, module("", each)), 2)).toBe("ok");
      expect(await thingModels.insertVersion("a1", version("3", module("", "other")), 2)).toBe("duplicate");
      expect(await thingModels.listVersions("a1")).toEqual([
        { version: "3", description: "of 3", createdAt: 5 },
        { version: "2", description: "of 2", createdAt: 5 },
      ]);
      expect(await thingModels.loadVersion("a1")).toEqual([module("", "3")]);
      expect(await thingModels.loadVersion("a1", "2")).toEqual([module("", "2")]);
      expect(await thingModels.loadVersion("a1", "1")).toBeUndefined();
    });

    test("forgets everything of a product with the product", async () => {
      const { thingModels } = store;
      await thingModels.saveModule("a1", module(""));
      await thingModels.insertVersion("a1", version("1", module("")), 9);
      await thingModels.saveLevel("a1", "none");
      await thingModels.saveLevel("a1", "strong");
      expect(await thingModels.loadLevel("a1")).toBe("strong");
      await store.registry.deleteProduct("a1");
      expect(await thingModels.loadDraft("a1")).toEqual([]);
      expect(await thingModels.listVersions("a1")).toEqual([]);
      expect(await thingModels.loadLevel("a1")).toBeUndefined();
    });
  });
}

const product: Product = {
  productKey: "a1",
  productSecret: "secret of a1",
  name: "p",
  description: "",
  nodeType: "device",
  topicStyle: "user",
  dataFormat: 1,
  createdAt: 1,
  isRegistrationOpen: false,
  isSelfRegistrationOpen: false,
  authType: "secret",
};
