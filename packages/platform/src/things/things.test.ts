import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { RegistryChange } from "../registry/index.ts";
import { defaultHistoryLimits, openStore, SqliteHistory, type Store } from "../store/index.ts";
import {
  createThings,
  type DeviceRef,
  readThingModel,
  type ThingChange,
  type ThingDownlink,
  type ThingLimits,
  type Things,
} from "./index.ts";

/** On a machine that is busy with other things. */
const patient = { timeout: 4_000 };

const startTime = 1_700_000_000_000;
const productKey = "a1";
const all = { from: 0, to: startTime * 2, isAscending: true, entriesMax: 100 };

const product = {
  productSecret: "s",
  description: "",
  nodeType: "device",
  topicStyle: "none",
  dataFormat: 1,
  authType: "secret",
  isRegistrationOpen: false,
  isSelfRegistrationOpen: false,
  createdAt: 1,
} as const;

const number = (identifier: string, accessMode: string) => ({
  identifier,
  name: identifier,
  accessMode,
  required: false,
  dataType: { type: "int", specs: { min: "0", max: "100" } },
});
const parameter = (identifier: string) => ({ identifier, name: identifier, dataType: { type: "int", specs: { min: "0", max: "9" } } });
const service = (identifier: string, callType: string) => ({
  identifier,
  name: `the ${identifier}`,
  required: false,
  callType,
  inputData: [parameter("speed")],
  outputData: [parameter("took")],
});
const model = {
  properties: [number("Level", "rw"), number("Power", "r")],
  events: [{ identifier: "Broken", name: "the Broken", type: "alert", required: false, outputData: [parameter("code")] }],
  services: [service("Later", "async"), service("Now", "sync")],
};

let dataDir: string;
let store: Store;
let history: SqliteHistory;
let things: Things;
let listeners: ((change: RegistryChange) => void)[] = [];
const problems: PlatformError[] = [];
const sent: [string, DeviceRef, unknown][] = [];
let answer: () => Promise<{ code: number; output: unknown }>;
let isOnline = true;
let sentIsSafe = Promise.resolve();
let now = startTime;
let devices = 0;
let device: DeviceRef;

const reach = async (kind: string, to: DeviceRef, request: unknown): Promise<void> => {
  if (!isOnline) throw new PlatformError("things.device_offline", { deviceName: to.deviceName });
  sent.push([kind, to, request]);
};
const downlink: ThingDownlink = {
  setProperties: (to, request) => reach("set", to, request),
  callService: (to, request) => reach("call", to, request),
  async callServiceAndWait(to, request) {
    await reach("wait", to, request);
    return answer();
  },
  committed: () => sentIsSafe,
};

function create(limits: Partial<ThingLimits> = {}): Things {
  listeners = [];
  return createThings({
    store: store.thingModels,
    history,
    registry: { findProduct: (key) => store.registry.findProduct(key), onChange: (listener) => listeners.push(listener) },
    downlink,
    clock: { now: () => now },
    limits,
    report: (problem) => problems.push(problem),
  });
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "thingstead-things-"));
  store = await openStore({ dataDir: ":memory:", masterKey: Buffer.alloc(32, 3) });
  for (const key of [productKey, "bare"]) await store.registry.insertProduct({ ...product, productKey: key, name: key }, []);
  history = new SqliteHistory({
    dataDir,
    clock: { ...systemClock, now: () => now },
    limits: { ...defaultHistoryLimits, gatherMilliseconds: 0, gatherBusyMilliseconds: 0 },
    report: (problem) => problems.push(problem),
  });
  await history.open();
  things = create();
  await things.models.saveModule(productKey, readThingModel(model));
  await things.models.publish(productKey, { version: "1.0" });
});
afterAll(async () => {
  await history.close();
  await store.close();
  rmSync(dataDir, { recursive: true });
});
beforeEach(async () => {
  now = startTime;
  isOnline = true;
  sent.length = 0;
  devices += 1;
  device = { productKey, deviceName: `d${devices}`, iotId: `iot${devices}` };
  answer = async () => ({ code: 200, output: { took: 1 } });
  things = create();
  await things.models.setValidationLevel(productKey, "weak");
});

test("a report keeps what fits, tells what does not, and tells listeners after the commit", async () => {
  const changes: ThingChange[] = [];
  things.onChange((change) => changes.push(change));
  const report = await things.reportProperties(device, { Level: 5, Power: "high", Wings: 2 }, now);
  expect(report.items).toEqual({ Level: { value: 5, time: now } });
  expect(Object.fromEntries(Object.entries(report.checkFailedData).map(([name, { code }]) => [name, code]))).toEqual({
    Power: 6306,
    Wings: 5092,
  });
  expect(await things.currentValues(device)).toEqual({ Level: { value: 5, time: now } });
  expect(changes).toEqual([{ kind: "properties", device, items: { Level: { value: 5, time: now } }, receivedAt: now }]);
  expect((await things.reportProperties(device, [], now)).refusal).toMatchObject({ code: 6301 });
});

test("a time far ahead is a wrong clock: the time of arrival stands in for it, and the next value is the current one", async () => {
  const ahead = now + 366 * 24 * 60 * 60 * 1000;
  const report = await things.reportProperties(device, { Level: { value: 1, time: ahead }, Power: { value: 2, time: now - 1 } }, now);
  expect(report.items).toEqual({ Level: { value: 1, time: now }, Power: { value: 2, time: now - 1 } });
  await things.reportProperties(device, { Level: 3 }, now + 1);
  expect((await things.currentValues(device)).Level).toEqual({ value: 3, time: now + 1 });
});

test("[alibaba-device 5.10] without a published model everything is unknown and nothing is stored; with level none everything is", async () => {
  const bare = { ...device, productKey: "bare" };
  expect((await things.reportProperties(bare, { Level: 5 }, now)).checkFailedData).toMatchObject({ Level: { code: 5092 } });
  expect(await things.currentValues(bare)).toEqual({});
  expect([await things.models.validatorOf("bare"), things.models.peekValidator("bare")]).toEqual([undefined, undefined]);
  await expect(things.setProperties(bare, { Level: 5 })).rejects.toMatchObject({ code: "things.no_model" });
  await things.models.setValidationLevel("bare", "none");
  await things.reportProperties(bare, { Level: { deep: [1] } }, now);
  expect((await things.currentValues(bare)).Level?.value).toEqual({ deep: [1] });
  await things.setProperties(bare, { Level: 5 });
  await things.models.setValidationLevel("bare", "weak");
});

test("a change of level or model is what the very next message is checked against", async () => {
  expect((await things.reportProperties(device, { Level: 500 }, now)).checkFailedData).toEqual({});
  await things.models.setValidationLevel(productKey, "strong");
  expect((await things.reportProperties(device, { Level: 500 }, now)).checkFailedData).toMatchObject({ Level: { code: 6306 } });
  expect(things.models.peekValidator(productKey)?.level).toBe("strong");
});

test("[alibaba-device 5.5] events are kept with the type of the model; an unknown one is refused", async () => {
  await things.reportEvent(device, "Broken", { value: { code: 3 }, time: now - 5 }, now);
  const report = await things.reportEvent(device, "Broken", { code: "x" }, now);
  expect(report.checkFailedData).toMatchObject({ code: 6306 });
  expect((await things.reportEvent(device, "Unknown", {}, now)).refusal).toMatchObject({ code: 5160 });
  expect((await things.eventHistory(device, {}, all)).items).toEqual([
    { identifier: "Broken", name: "the Broken", type: "alert", value: { code: 3 }, time: now - 5 },
    { identifier: "Broken", name: "the Broken", type: "alert", value: {}, time: now },
  ]);
});

test("[alibaba-device 5.8] a history leaves current values alone, a batch does not", async () => {
  const part = {
    properties: {
      Level: [
        { value: 1, time: now - 2 },
        { value: 2, time: now - 1 },
      ],
    },
    events: { Broken: [{ value: { code: 1 }, time: now }] },
  };
  await things.reportRecords(device, part, now, { isHistory: true });
  expect(await things.currentValues(device)).toEqual({});
  await things.reportRecords(device, part, now, { isHistory: false });
  expect(await things.currentValues(device)).toEqual({ Level: { value: 2, time: now - 1 } });
  expect((await things.propertyHistory(device, "Level", all)).items.map(({ value }) => value)).toEqual([1, 2]);
});

test("[alibaba-device 5.8] a pack is stored whole or not at all", async () => {
  const other = { ...device, iotId: `${device.iotId}-sub` };
  const good = { properties: { Level: { value: 1, time: now } } };
  const pack = (part: unknown) =>
    things.reportPack(
      [
        { device, part: good },
        { device: other, part },
      ],
      now,
    );
  expect(await pack({ properties: { Level: { value: "x", time: now } } })).toMatchObject({ isStored: false });
  expect([await things.currentValues(device), await things.currentValues(other)]).toEqual([{}, {}]);
  expect(await pack(good)).toMatchObject({ isStored: true });
  expect(Object.keys(await things.currentValues(other))).toEqual(["Level"]);
});

test("setting asks the device for what fits; its answer is found by id, once", async () => {
  const { id } = await things.setProperties(device, { Level: 7 });
  expect(id).toMatch(/^\d{1,10}$/);
  expect(sent).toEqual([["set", device, { id, values: { Level: 7 } }]]);
  expect(await things.answered({ ...device, iotId: "other" }, id, { code: 200, output: {} })).toBeUndefined();
  now += 30;
  expect(await things.answered(device, id, { code: 200, output: {} })).toMatchObject({ values: {}, problems: [] });
  expect(await things.answered(device, id, { code: 200, output: {} })).toBeUndefined();
  expect((await things.serviceHistory(device, {}, all)).items).toMatchObject([
    { identifier: "set", input: { Level: 7 }, code: 200, answeredAt: startTime + 30 },
  ]);
  await expect(things.setProperties(device, { Power: 7 })).rejects.toMatchObject({
    code: "things.value_invalid",
    details: { path: "Power", reason: "thing_model.property_read_only" },
  });
  isOnline = false;
  await expect(things.setProperties(device, { Level: 7 })).rejects.toMatchObject({ code: "things.device_offline" });
  expect((await things.serviceHistory(device, {}, all)).items).toHaveLength(1);
});

test("[alibaba-device 5.6] a synchronous service waits for its answer, an asynchronous one is answered later", async () => {
  const waited = await things.callService(device, "Now", { speed: 3 }, { timeoutMilliseconds: 100 });
  expect(waited).toMatchObject({ code: 200, output: { took: 1 } });
  expect(sent[0]).toEqual(["wait", device, { id: waited.id, identifier: "Now", input: { speed: 3 }, timeoutMilliseconds: 100 }]);
  const { id, ...rest } = await things.callService(device, "Later", { speed: 3 });
  expect(rest).toEqual({});
  const check = await things.answered(device, id, { code: 200, output: { took: "long" } });
  expect(check?.checkFailedData).toMatchObject({ took: { code: 6306 } });
  await expect(things.callService(device, "Now", { speed: "x" })).rejects.toMatchObject({ code: "things.value_invalid" });
  await expect(things.callService(device, "Never", {})).rejects.toMatchObject({ code: "things.service_unknown" });
  for (const timeoutMilliseconds of [0, 8_001, 1.5])
    await expect(things.callService(device, "Now", {}, { timeoutMilliseconds })).rejects.toMatchObject({ code: "things.timeout_range" });
  answer = () => Promise.reject(new PlatformError("things.call_timeout", { deviceName: device.deviceName, milliseconds: 5 }));
  await expect(things.callService(device, "Now", {})).rejects.toMatchObject({ code: "things.call_timeout" });
  answer = () =>
    Promise.reject(new PlatformError("bindings.answer_malformed", { deviceName: device.deviceName, received: "", expected: "" }));
  await expect(things.callService(device, "Now", {})).rejects.toMatchObject({ code: "bindings.answer_malformed" });
  const codes = (await things.serviceHistory(device, {}, all)).items.map(({ identifier, code }) => `${identifier} ${code}`);
  expect(codes.sort()).toEqual(["Later 200", "Now 200", "Now undefined", "Now undefined"]);
});

test("a call is under way when what the device is owed is safe; its answer may be faster", async () => {
  let commit = (): void => {};
  sentIsSafe = new Promise<void>((done) => {
    commit = done;
  });
  let isUnderWay = false;
  const call = things.callService(device, "Later", { speed: 3 }).then(() => {
    isUnderWay = true;
  });
  await expect.poll(() => sent.length).toBe(1);
  const { id } = { id: "", ...(sent[0]?.[2] as object) };
  expect(await things.answered(device, id, { code: 200, output: { took: 1 } })).toBeDefined();
  await history.committed();
  expect(isUnderWay).toBe(false);
  commit();
  await call;
  sentIsSafe = Promise.resolve();
});

test("without checks every service can be called whose name is one level of a topic", async () => {
  await things.models.setValidationLevel(productKey, "none");
  await things.callService(device, "whatever", { any: [1] });
  for (const identifier of ["#", "a+", "property/set", "", "\0"])
    await expect(things.callService(device, identifier, {})).rejects.toMatchObject({ code: "things.service_unknown" });
  expect(sent).toHaveLength(1);
});

test("answers that nobody waits for any more are not recorded: beyond the number, and beyond the time", async () => {
  things = create({ callsAwaitedMax: 1, answerAwaitedSeconds: 10 });
  const first = await things.callService(device, "Later", {});
  const second = await things.callService(device, "Later", {});
  expect(await things.answered(device, first.id, { code: 200, output: {} })).toBeUndefined();
  expect(await things.answered(device, second.id, { code: 200, output: {} })).toBeDefined();
});

test("[alibaba-device 5.9] desired values are kept for a device that is away and sent to one that is here", async () => {
  isOnline = false;
  expect(await things.setDesired(device, { Level: 1 })).toEqual({ Level: 1 });
  isOnline = true;
  expect(await things.setDesired(device, { Level: 2 }, { Level: 1 })).toEqual({ Level: 2 });
  expect(sent).toMatchObject([["set", device, { values: { Level: 2 } }]]);
  await expect(things.setDesired(device, { Level: 3 }, { Level: 1 })).rejects.toMatchObject({
    code: "things.desired_version",
    details: { received: 1, expected: 2 },
  });
  expect(await things.desired(device, ["Level", "Power"])).toEqual({ Level: { value: 2, time: now, version: 2 } });
  await things.clearDesired(device, { Level: { version: 1 } });
  expect(Object.keys(await things.desired(device))).toEqual(["Level"]);
  await things.clearDesired(device, { Level: {} });
  expect(await things.desired(device)).toEqual({});
  for (const values of [{ Power: 1 }, { Level: "x" }, [], null, 5])
    await expect(things.setDesired(device, values)).rejects.toMatchObject({ code: "things.value_invalid" });
});

test("questions out of bounds are refused with the bounds", async () => {
  await expect(things.propertyHistory(device, "Level", { ...all, entriesMax: 1_001 })).rejects.toMatchObject({ code: "things.page_size" });
  await expect(things.propertyHistory(device, "Level", { ...all, from: 2, to: 1 })).rejects.toMatchObject({ code: "things.time_range" });
  const query = { from: 0, to: 2_001, bucketMilliseconds: 1, function: "sum" } as const;
  await expect(things.aggregate(device, "Level", query)).rejects.toMatchObject({ code: "things.time_range" });
  await expect(things.aggregate(device, "Level", { ...query, bucketMilliseconds: 0 })).rejects.toMatchObject({ code: "things.time_range" });
});

test("a deleted device is forgotten, and a report that was under way does not bring it back", async () => {
  await things.reportProperties(device, { Level: 1 }, now);
  for (const listener of listeners) listener({ kind: "device.deleted", ...device });
  await things.reportProperties(device, { Level: 2 }, now);
  await things.reportEvent(device, "Broken", { code: 1 }, now);
  await expect.poll(() => things.currentValues(device), patient).toEqual({});
  expect((await things.eventHistory(device, {}, all)).items).toEqual([]);
  for (const listener of listeners) listener({ kind: "device.created", ...device });
  await things.reportProperties(device, { Level: 3 }, now);
  expect((await things.currentValues(device)).Level?.value).toBe(3);
  expect(problems).toEqual([]);
});

test("a draft has as many custom modules as are allowed; one of them can still be replaced", async () => {
  things = create({ modulesMax: 1 });
  const custom = (functionBlockId: string) => readThingModel({ ...model, functionBlockId, functionBlockName: functionBlockId });
  await things.models.saveModule("bare", custom("First"));
  await things.models.saveModule("bare", custom("First"));
  await expect(things.models.saveModule("bare", custom("Second"))).rejects.toMatchObject({ code: "things.too_many_modules" });
  await things.models.saveModule("bare", readThingModel(model));
  expect((await things.models.draft("bare")).map(({ functionBlockId }) => functionBlockId)).toEqual([undefined, "First"]);
});

test("published versions are kept up to the limit, the oldest go; a model that cannot be used is refused with every problem", async () => {
  things = create({ modelVersionsMax: 2 });
  for (const version of ["2.0", "3.0"]) await things.models.publish(productKey, { version });
  expect((await things.models.versions(productKey)).map(({ version }) => version)).toEqual(["3.0", "2.0"]);
  await expect(things.models.published(productKey, "1.0")).rejects.toMatchObject({ code: "things.version_not_found" });
  const wrong = { properties: [{ identifier: "a b" }, { identifier: "set" }] };
  try {
    readThingModel(wrong);
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: "things.model_invalid" });
    expect(String(error)).toMatch(/properties\[0\].*properties\[1\]/s);
  }
});
