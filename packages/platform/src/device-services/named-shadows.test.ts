import { expect, test } from "vitest";
import { createFakeClock } from "../fake-clock.ts";
import { type DeviceServicesLimits, defaultDeviceServicesLimits } from "./limits.ts";
import type { NamedShadowKey, NamedShadowRow, NamedShadowStep, NamedShadowStore, NamedShadowView } from "./named-shadow.ts";
import { createNamedShadows } from "./named-shadows.ts";

const hour = 3_600_000;
const lamp: NamedShadowKey = { thingName: "lamp", shadowName: "" };
const named = (shadowName: string): NamedShadowKey => ({ thingName: "lamp", shadowName });

function createMemoryStore() {
  const rows = new Map<string, NamedShadowRow>();
  const idOf = ({ thingName, shadowName }: NamedShadowKey) => `${thingName}/${shadowName}`;
  const state = { commits: 0, failure: undefined as Error | undefined };
  const live = (thingName: string) => [...rows.values()].filter((row) => row.thingName === thingName && row.deletedAt === undefined);
  const store: NamedShadowStore = {
    load: async (keys) => keys.flatMap((key) => rows.get(idOf(key)) ?? []),
    async save(saved) {
      if (state.failure !== undefined) throw state.failure;
      state.commits++;
      for (const row of saved) rows.set(idOf(row), row);
    },
    count: async (thingName) => live(thingName).length,
    names: async (thingName) => live(thingName).map(({ shadowName }) => shadowName),
    totalBytes: async () => [...rows.values()].reduce((sum, { bytes }) => sum + bytes, 0),
    async forgetDeleted(before) {
      const old = [...rows.values()].filter(({ deletedAt }) => deletedAt !== undefined && deletedAt < before);
      for (const row of old) rows.delete(idOf(row));
      return old.reduce((sum, { bytes }) => sum + bytes, 0);
    },
  };
  return { store, rows, state };
}

async function open(limits: Partial<DeviceServicesLimits> = {}) {
  const clock = createFakeClock(1_700_000_000_000);
  const memory = createMemoryStore();
  const shadows = createNamedShadows({ store: memory.store, clock, limits: { ...defaultDeviceServicesLimits, ...limits } });
  await shadows.start();
  const save = (key: NamedShadowKey, text: string) =>
    shadows.take(key, ({ storedVersion }) => ({ kind: "save", content: { state: text, metadata: "{}" }, answer: storedVersion + 1 }));
  const view = (key: NamedShadowKey) => shadows.take<NamedShadowView>(key, (answer) => ({ kind: "keep", answer }));
  const remove = (key: NamedShadowKey) => shadows.take(key, (): NamedShadowStep<string> => ({ kind: "delete", answer: "gone" }));
  return { ...memory, shadows, clock, save, view, remove };
}

test("11.2 each sees what the one before left, in the order of the calls, and all of one turn is one commit", async () => {
  const { save, view, remove, state, rows } = await open();
  const answers = await Promise.all([
    save(lamp, "1"),
    save(named("a"), "x"),
    save(lamp, "2"),
    view(lamp),
    remove(named("a")),
    view(named("a")),
  ]);
  expect(answers).toEqual([
    1,
    1,
    2,
    { shadow: expect.objectContaining({ state: "2", version: 2 }), storedVersion: 2 },
    "gone",
    { storedVersion: 1 },
  ]);
  expect(state.commits).toBe(1);
  expect(rows.get("lamp/")).toMatchObject({ version: 2, state: "2", modifiedAt: 1_700_000_000_000 });
  await view(lamp);
  expect(state.commits).toBe(1);
});

test("11.2 a shadow made again within 48 hours counts on, later it begins anew", async () => {
  const { save, remove, clock, rows, shadows } = await open();
  await save(lamp, "1");
  await save(lamp, "2");
  await remove(lamp);
  await clock.pass(48 * hour);
  await shadows.clean();
  expect(await save(lamp, "3")).toBe(3);
  await remove(lamp);
  await clock.pass(48 * hour + 1);
  expect(await save(lamp, "4")).toBe(1);
  await remove(lamp);
  await clock.pass(48 * hour + 1);
  await shadows.clean();
  expect(rows.size).toBe(0);
});

test("when the disk fails nobody is told otherwise, and what was there stays", async () => {
  const { save, view, state } = await open();
  await save(lamp, "1");
  state.failure = new Error("disk");
  const outcomes = await Promise.allSettled([save(lamp, "2"), view(lamp)]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  state.failure = undefined;
  expect(await view(lamp)).toMatchObject({ shadow: { state: "1" }, storedVersion: 1 });
});

test("a step that throws fails its caller alone", async () => {
  const { save, shadows } = await open();
  const broken = shadows.take(lamp, () => {
    throw new Error("bug");
  });
  await expect(Promise.allSettled([broken, save(lamp, "1")])).resolves.toMatchObject([
    { status: "rejected" },
    { status: "fulfilled", value: 1 },
  ]);
});

test("limits: shadows of a thing, bytes of all, requests of a second, requests that wait", async () => {
  const many = await open({ namedShadowsPerThingMax: 2 });
  const outcomes = await Promise.allSettled([many.save(lamp, "1"), many.save(named("a"), "1"), many.save(named("b"), "1")]);
  expect(outcomes[2]).toMatchObject({ reason: { code: "device_services.named_shadow_too_many" } });
  await many.remove(named("a"));
  expect(await many.save(named("b"), "1")).toBe(1);
  await expect(many.save(named("a"), "1")).rejects.toMatchObject({ code: "device_services.named_shadow_too_many" });

  const full = await open({ namedShadowBytesMax: 300 });
  await full.save(lamp, "x".repeat(100));
  await expect(full.save(named("a"), "x".repeat(100))).rejects.toMatchObject({ code: "device_services.named_shadow_storage_full" });
  expect(await full.save(lamp, "x")).toBe(2);
  await full.save(named("a"), "x");

  const fast = await open({ namedShadowRequestsPerSecondMax: 2 });
  await fast.view(lamp);
  await fast.view(named("a"));
  await expect(fast.view(lamp)).rejects.toMatchObject({ code: "device_services.named_shadow_throttled" });
  await fast.clock.pass(1_000);
  await fast.view(lamp);

  const small = await open({ namedShadowRequestsWaitingMax: 1 });
  const first = small.view(lamp);
  await expect(small.view(named("a"))).rejects.toMatchObject({ code: "device_services.named_shadow_busy" });
  await first;
});

test("closing lets what was asked end, and takes nothing more", async () => {
  const { save, shadows, rows } = await open();
  const saved = save(lamp, "1");
  await shadows.close();
  expect(rows.size).toBe(1);
  expect(await saved).toBe(1);
  await expect(save(lamp, "2")).rejects.toMatchObject({ code: "device_services.named_shadow_busy" });
});
