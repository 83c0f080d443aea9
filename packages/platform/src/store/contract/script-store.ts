/** What every store of scripts does. */
import { describe, expect, test } from "vitest";
import type { RegistryStore } from "../../registry/index.ts";
import type { ScriptStore } from "../../scripts/index.ts";

interface Opened {
  registry: RegistryStore;
  scripts: ScriptStore;
  close(): Promise<void>;
}

export function describeScriptStore(name: string, open: () => Promise<Opened>): void {
  describe(`${name}: scripts`, () => {
    async function openWithProduct() {
      const store = await open();
      await store.registry.insertProduct(
        {
          productKey: "pk",
          productSecret: "s",
          name: "n",
          description: "",
          nodeType: "device",
          topicStyle: "none",
          dataFormat: 0,
          authType: "secret",
          isRegistrationOpen: false,
          isSelfRegistrationOpen: false,
          createdAt: 1,
        },
        [],
      );
      return store;
    }

    test("one for each product, replaced as a whole, deleted without a word when there is none", async () => {
      const { scripts, close } = await openWithProduct();
      expect(await scripts.load("pk")).toBeUndefined();
      await scripts.save("pk", { code: "// 脚本\n1;", modifiedAt: 5 });
      await scripts.save("pk", { code: "2;", modifiedAt: 6 });
      expect(await scripts.load("pk")).toEqual({ code: "2;", modifiedAt: 6 });
      await scripts.delete("pk");
      await scripts.delete("pk");
      expect(await scripts.load("pk")).toBeUndefined();
      await close();
    });

    test("it goes with its product", async () => {
      const { scripts, registry, close } = await openWithProduct();
      await scripts.save("pk", { code: "1;", modifiedAt: 5 });
      await registry.deleteProduct("pk");
      expect(await scripts.load("pk")).toBeUndefined();
      await close();
    });
  });
}
