/** Thing types (AW 4). */
import { PlatformError } from "../errors/index.ts";
import { checkAttributeKey, checkDescription, checkName } from "./checks.ts";
import type { FleetContext } from "./context.ts";
import { byName, readPage } from "./cursor.ts";
import type { PropagatingAttribute, ThingType, ThingTypes } from "./fleet.ts";
import { drawUuid } from "./naming.ts";

type Properties = Pick<ThingType, "description" | "searchableAttributes" | "propagatingAttributes">;

export function createThingTypes({ store, limits, clock, random, inTurn, emit }: FleetContext): ThingTypes {
  async function need(name: string): Promise<ThingType> {
    const type = await store.types.find(name);
    if (type === undefined) throw new PlatformError("fleet.type_not_found", { name });
    return type;
  }

  function refuse(field: string, received: string, expected: string): never {
    throw new PlatformError("fleet.invalid_type", { field, received, expected });
  }

  function checkProperties({ description, searchableAttributes, propagatingAttributes }: Properties): void {
    checkDescription(description, limits);
    const { searchableAttributesMax, propagatingAttributesMax } = limits;
    if (searchableAttributes.length > searchableAttributesMax) {
      refuse("searchable attributes", `${searchableAttributes.length}`, `at most ${searchableAttributesMax}`);
    }
    for (const key of searchableAttributes) checkAttributeKey(key, limits);
    if (propagatingAttributes.length > propagatingAttributesMax) {
      refuse("propagating attributes", `${propagatingAttributes.length}`, `at most ${propagatingAttributesMax}`);
    }
    for (const { thingAttribute, connectionAttribute } of propagatingAttributes) {
      if ((thingAttribute === undefined) === (connectionAttribute === undefined)) {
        refuse("propagating attributes", "a property without one source", "a thing attribute or a connection attribute for each");
      }
    }
  }

  return {
    get: need,

    async create({ name, description = "", searchableAttributes = [], propagatingAttributes = [] }) {
      checkName(name, limits);
      const properties = { description, searchableAttributes, propagatingAttributes };
      checkProperties(properties);
      return inTurn(async () => {
        const before = await store.types.find(name);
        if (before !== undefined) {
          if (isSame(before, properties)) return before;
          throw new PlatformError("fleet.type_exists", { name, resourceId: before.id });
        }
        const type: ThingType = { name, id: drawUuid(random), ...properties, createdAt: clock.now() };
        await store.types.insert(type);
        emit({ kind: "type.created", type });
        return type;
      });
    },

    async update(name, change) {
      return inTurn(async () => {
        const type = { ...(await need(name)), ...change };
        checkProperties(type);
        await store.types.update(type);
        emit({ kind: "type.updated", type });
        return type;
      });
    },

    async setDeprecated(name, isDeprecated) {
      return inTurn(async () => {
        const { deprecatedAt, ...type } = await need(name);
        if ((deprecatedAt !== undefined) === isDeprecated) return deprecatedAt === undefined ? type : { ...type, deprecatedAt };
        const changed: ThingType = isDeprecated ? { ...type, deprecatedAt: clock.now() } : type;
        await store.types.update(changed);
        emit({ kind: "type.updated", type: changed });
        return changed;
      });
    },

    async delete(name) {
      return inTurn(async () => {
        const type = await need(name);
        const seconds = type.deprecatedAt === undefined ? undefined : Math.floor((clock.now() - type.deprecatedAt) / 1000);
        if (seconds === undefined || seconds < limits.typeDeletionSeconds) {
          throw new PlatformError("fleet.type_not_deprecated", {
            name,
            received: seconds === undefined ? "it is not deprecated" : `deprecated for ${seconds} s`,
            expected: `deprecated for ${limits.typeDeletionSeconds} s`,
          });
        }
        if ((await store.types.remove(name)) === "in_use") throw new PlatformError("fleet.type_in_use", { name });
        emit({ kind: "type.deleted", type });
      });
    },

    async list(page, { name } = {}) {
      return readPage(
        page,
        byName("types"),
        limits,
        (slice) => store.types.list(slice, name),
        (type) => type.name,
      );
    },
  };
}

function isSame(type: ThingType, properties: Properties): boolean {
  const propertyText = (list: readonly PropagatingAttribute[]) =>
    JSON.stringify(list.map((one) => [one.userPropertyKey, one.thingAttribute, one.connectionAttribute]));
  return (
    type.description === properties.description &&
    JSON.stringify(type.searchableAttributes) === JSON.stringify(properties.searchableAttributes) &&
    propertyText(type.propagatingAttributes) === propertyText(properties.propagatingAttributes)
  );
}
