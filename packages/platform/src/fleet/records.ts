/** What the vendor's API stores and answers as given, and the tags of whatever has an ARN. */
import { PlatformError } from "../errors/index.ts";
import { shown } from "./checks.ts";
import type { FleetContext } from "./context.ts";
import { byName, readPage } from "./cursor.ts";
import type { Attributes, Fleet, FleetRecords } from "./fleet.ts";

export function createRecords({ store, limits, inTurn }: FleetContext): FleetRecords {
  function encode(name: string, value: object): string {
    const text = JSON.stringify(value);
    const received = Buffer.byteLength(text);
    const { recordBytesMax: expected } = limits;
    if (received > expected) throw new PlatformError("fleet.invalid_record", { name: shown(name), received, expected });
    return text;
  }

  async function checkRoom(family: string): Promise<void> {
    const { recordsPerFamilyMax: expected } = limits;
    if ((await store.records.count(family)) >= expected) throw new PlatformError("fleet.records_exceeded", { family, expected });
  }

  return {
    async put(family, name, value) {
      const text = encode(name, value);
      return inTurn(async () => {
        if ((await store.records.find(family, name)) === undefined) await checkRoom(family);
        await store.records.put(family, name, text);
      });
    },
    async insert(family, name, value) {
      const text = encode(name, value);
      return inTurn(async () => {
        if ((await store.records.find(family, name)) !== undefined) return false;
        await checkRoom(family);
        return store.records.insert(family, name, text);
      });
    },
    async find(family, name) {
      const text = await store.records.find(family, name);
      return text === undefined ? undefined : JSON.parse(text);
    },
    remove: (family, name) => store.records.remove(family, name),
    async list(family, page) {
      const { items, ...rest } = await readPage(
        page,
        byName(`records-${family}`),
        limits,
        (slice) => store.records.list(family, slice),
        ({ name }) => name,
      );
      return { items: items.map(({ name, value }) => ({ name, value: JSON.parse(value) as unknown })), ...rest };
    },
  };
}

const tagPattern = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

export function createResourceTags({ store, limits }: FleetContext): Fleet["resourceTags"] {
  function checkTags(tags: Attributes): void {
    const { tagKeyCharactersMax, tagValueCharactersMax } = limits;
    for (const [key, value] of Object.entries(tags)) {
      const isKey = key.length >= 1 && key.length <= tagKeyCharactersMax && tagPattern.test(key);
      if (isKey && value.length <= tagValueCharactersMax && tagPattern.test(value)) continue;
      throw new PlatformError("fleet.invalid_tags", {
        received: `${shown(key)} = ${shown(value)}`,
        expected: `keys of 1 to ${tagKeyCharactersMax} and values of at most ${tagValueCharactersMax} letters, digits, spaces or "_.:/=+-@"`,
      });
    }
  }

  return {
    async set(arn, tags) {
      checkTags(tags);
      const outcome = await store.resourceTags.set(arn, tags, limits.tagsPerResourceMax);
      if (outcome === "too_many") throw new PlatformError("fleet.tags_exceeded", { arn, expected: limits.tagsPerResourceMax });
    },
    remove: (arn, keys) => store.resourceTags.remove(arn, keys),
    of: (arn) => store.resourceTags.of(arn),
  };
}
