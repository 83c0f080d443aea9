/** Published models compiled for checking, by product, in a bounded cache. */
import { createValidator, type ThingModel, type ValidationLevel, type Validator, wireIdentifier } from "@thingstead/thing-model";
import type { ThingModelStore } from "./ports.ts";
import { fromStoredModule } from "./read-thing-model.ts";

/** Products of the vendor since October 2020 [alibaba-device 5.10]. */
export const usualLevel: ValidationLevel = "weak";

export interface ProductModel {
  readonly modules: readonly ThingModel[];
  readonly validator: Validator;
  /** By identifiers as on the wire. */
  readonly events: ReadonlyMap<string, { type: string; name: string }>;
  readonly services: ReadonlyMap<string, { callType: "async" | "sync"; name: string }>;
  readonly properties: ReadonlySet<string>;
}

function compile(modules: readonly ThingModel[], level: ValidationLevel): ProductModel {
  const events = new Map<string, { type: string; name: string }>();
  const services = new Map<string, { callType: "async" | "sync"; name: string }>();
  const properties = new Set<string>();
  for (const model of modules) {
    for (const { identifier } of model.properties) properties.add(wireIdentifier(model, identifier));
    for (const { identifier, type, name } of model.events) events.set(wireIdentifier(model, identifier), { type, name });
    for (const { identifier, callType, name } of model.services) services.set(wireIdentifier(model, identifier), { callType, name });
  }
  return { modules, validator: createValidator(modules, { level }), events, services, properties };
}

interface Load {
  isStale: boolean;
  result: Promise<ProductModel>;
}

/** A product without a published model has a model without functions: its reports are told apart as unknown, none is lost unseen. */
export class ProductModels {
  readonly #store: ThingModelStore;
  readonly #entriesMax: number;
  readonly #entries = new Map<string, ProductModel>();
  readonly #loads = new Map<string, Load>();

  constructor(store: ThingModelStore, entriesMax: number) {
    this.#store = store;
    this.#entriesMax = entriesMax;
  }

  /** From memory only: the way of every message. */
  peek(productKey: string): ProductModel | undefined {
    return this.#entries.get(productKey);
  }

  get(productKey: string): Promise<ProductModel> {
    const known = this.#entries.get(productKey);
    if (known !== undefined) return Promise.resolve(known);
    const running = this.#loads.get(productKey);
    if (running !== undefined) return running.result;
    const load: Load = { isStale: false, result: Promise.resolve().then(() => this.#load(productKey, load)) };
    this.#loads.set(productKey, load);
    return load.result;
  }

  /** What is stored changed; a load under way reads once more. */
  forget(productKey: string): void {
    this.#entries.delete(productKey);
    const load = this.#loads.get(productKey);
    if (load !== undefined) load.isStale = true;
  }

  async #load(productKey: string, load: Load): Promise<ProductModel> {
    try {
      for (;;) {
        load.isStale = false;
        const [modules, level] = await Promise.all([this.#store.loadVersion(productKey), this.#store.loadLevel(productKey)]);
        if (load.isStale) continue;
        const model = compile((modules ?? []).map(fromStoredModule), level ?? usualLevel);
        this.#entries.set(productKey, model);
        if (this.#entries.size > this.#entriesMax) {
          const oldest = this.#entries.keys().next();
          if (!oldest.done) this.#entries.delete(oldest.value);
        }
        return model;
      }
    } finally {
      this.#loads.delete(productKey);
    }
  }
}
