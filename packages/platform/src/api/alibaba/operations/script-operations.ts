/** Scripts that parse a product's own data (reference 1.8.I). */
import { PlatformError } from "../../../errors/index.ts";
import { defineOperation, type OperationTable } from "../operation.ts";

const script = { ProductKey: "text", ScriptContent: "text", ScriptType: "text" } as const;

export const scriptOperations: OperationTable = {
  CreateThingScript: defineOperation(script, async ({ ProductKey, ScriptContent, ScriptType }, { registry, scripts }) => {
    refuseType(ScriptType);
    await registry.getProduct(ProductKey);
    if ((await scripts.find(ProductKey)) !== undefined) throw new PlatformError("alibaba.script_exists", { productKey: ProductKey });
    await scripts.save(ProductKey, ScriptContent);
    return {};
  }),

  UpdateThingScript: defineOperation(script, async ({ ProductKey, ScriptContent, ScriptType }, { registry, scripts }) => {
    refuseType(ScriptType);
    await registry.getProduct(ProductKey);
    if ((await scripts.find(ProductKey)) === undefined) throw new PlatformError("alibaba.script_missing", { productKey: ProductKey });
    await scripts.save(ProductKey, ScriptContent);
    return {};
  }),

  GetThingScript: defineOperation({ ProductKey: "text" }, async ({ ProductKey }, { registry, scripts, scriptLinks, origin }) => {
    await registry.getProduct(ProductKey);
    if ((await scripts.find(ProductKey)) === undefined) throw new PlatformError("alibaba.script_missing", { productKey: ProductKey });
    return { Data: { ScriptType: "JavaScript", ScriptUrl: scriptLinks.issue(origin, ProductKey) } };
  }),
};

function refuseType(type: string): void {
  if (!/^javascript$/i.test(type)) throw new PlatformError("alibaba.script_type_not_supported", { received: type });
}
