/** Scripts for the API's tests: the real room over a store in memory. */
import { systemClock } from "../clock.ts";
import type { Registry } from "../registry/index.ts";
import { createScripts, defaultScriptLimits, type ProductScript, type Scripts } from "../scripts/index.ts";

export function createInMemoryScripts(registry: Pick<Registry, "getProduct">): Scripts {
  const saved = new Map<string, ProductScript>();
  return createScripts({
    store: {
      load: async (productKey) => saved.get(productKey),
      save: async (productKey, script) => void saved.set(productKey, script),
      delete: async (productKey) => void saved.delete(productKey),
    },
    checkProduct: async (productKey) => void (await registry.getProduct(productKey)),
    clock: systemClock,
    limits: defaultScriptLimits,
  });
}
