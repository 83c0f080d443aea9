/** Name and type of a product's events, which forwarded messages carry and reports do not. */
import { wireIdentifier } from "@thingstead/thing-model";
import type { ThingModels } from "../../things/index.ts";

interface EventName {
  name: string;
  /** `info`, `alert` or `error`. */
  type: string;
}

export interface EventNames {
  /** For an event that the model lacks: its identifier, and `info`. */
  of(productKey: string, identifier: string): EventName | Promise<EventName>;
}

export interface EventNamesPorts {
  models: Pick<ThingModels, "published" | "onChange">;
  /** The least recently read product goes first. */
  productsMax: number;
}

export function createEventNames({ models, productsMax }: EventNamesPorts): EventNames {
  const known = new Map<string, ReadonlyMap<string, EventName>>();
  const loading = new Map<string, Promise<ReadonlyMap<string, EventName>>>();
  models.onChange((productKey) => {
    known.delete(productKey);
    loading.delete(productKey);
  });

  async function load(productKey: string): Promise<ReadonlyMap<string, EventName>> {
    const names = new Map<string, EventName>();
    for (const model of await models.published(productKey)) {
      for (const event of model.events) names.set(wireIdentifier(model, event.identifier), { name: event.name, type: event.type });
    }
    return names;
  }

  async function loadOnce(productKey: string): Promise<ReadonlyMap<string, EventName>> {
    const running = loading.get(productKey);
    if (running !== undefined) return running;
    const result = load(productKey);
    loading.set(productKey, result);
    try {
      const names = await result;
      // Changed meanwhile: right for this message, not for the next one.
      if (loading.get(productKey) === result) keep(productKey, names);
      return names;
    } finally {
      if (loading.get(productKey) === result) loading.delete(productKey);
    }
  }

  function keep(productKey: string, names: ReadonlyMap<string, EventName>): void {
    if (known.size >= productsMax) {
      for (const oldest of known.keys()) {
        known.delete(oldest);
        break;
      }
    }
    known.set(productKey, names);
  }

  const pick = (names: ReadonlyMap<string, EventName>, identifier: string): EventName =>
    names.get(identifier) ?? { name: identifier, type: "info" };

  return {
    of(productKey, identifier) {
      const names = known.get(productKey);
      return names === undefined ? loadOnce(productKey).then((loaded) => pick(loaded, identifier)) : pick(names, identifier);
    },
  };
}
