/** What a store of named shadows must do, whatever database is behind it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NamedShadowRow } from "../../device-services/index.ts";
import type { Store } from "../index.ts";

const row = (thingName: string, shadowName: string, more: Partial<NamedShadowRow> = {}): NamedShadowRow => ({
  thingName,
  shadowName,
  version: 1,
  bytes: 100,
  modifiedAt: 1_700_000_000_123,
  state: '{"reported":{"名":"\\u0000 \\" 灯","n":9007199254740993}}',
  metadata: "{}",
  ...more,
});

export function describeNamedShadowStore(name: string, open: () => Promise<Store>): void {
  describe(`${name} as store of named shadows`, () => {
    let store: Store["namedShadows"];
    let close: () => Promise<void>;
    beforeEach(async () => {
      const opened = await open();
      store = opened.namedShadows;
      close = opened.close;
    });
    afterEach(() => close());

    test("rows come back as they were saved, the last of each name, texts to the letter", async () => {
      const rows = [row("t", ""), row("t", "a", { version: 2 ** 40 }), row("u", "a", { deletedAt: 5, state: "", metadata: "" })];
      await store.save(rows);
      await store.save([row("t", "", { version: 2 })]);
      const keys = [...rows, row("t", "none")];
      const loaded = await store.load(keys);
      expect(loaded).toHaveLength(3);
      expect(loaded).toEqual(expect.arrayContaining([row("t", "", { version: 2 }), ...rows.slice(1)]));
      expect(await store.load([])).toEqual([]);
    });

    test("counting and listing pass over what was deleted, listing over the unnamed one too", async () => {
      await store.save([row("t", ""), row("t", "b"), row("t", "a"), row("t", "c"), row("t", "x", { deletedAt: 5 }), row("u", "z")]);
      expect(await store.count("t")).toBe(4);
      expect(await store.names("t", { limit: 2 })).toEqual(["a", "b"]);
      expect(await store.names("t", { afterName: "b", limit: 2 })).toEqual(["c"]);
      expect(await store.names("none", { limit: 2 })).toEqual([]);
    });

    test("bytes are summed; what was deleted before a time is forgotten and told", async () => {
      expect(await store.totalBytes()).toBe(0);
      await store.save([row("t", ""), row("t", "a", { deletedAt: 5, bytes: 7 }), row("t", "b", { deletedAt: 6, bytes: 8 })]);
      expect(await store.totalBytes()).toBe(115);
      expect(await store.forgetDeleted(6)).toBe(7);
      expect(await store.totalBytes()).toBe(108);
    });
  });
}
