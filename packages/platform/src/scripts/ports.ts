/** What the room of scripts asks of the rest. */
import type { ProductScript } from "./scripts.ts";

export interface ScriptStore {
  load(productKey: string): Promise<ProductScript | undefined>;
  save(productKey: string, script: ProductScript): Promise<void>;
  delete(productKey: string): Promise<void>;
}
