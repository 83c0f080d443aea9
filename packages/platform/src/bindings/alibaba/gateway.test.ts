/** From the bytes of a gateway to the registry and back, on a store in memory. */
import { alibabaRegistration, signRegistration, signSubDevice } from "@thingstead/dialects";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createRegistrar, type SubDevices } from "../../access/index.ts";
import { systemRandom } from "../../clock.ts";
import type { NewLogEntry } from "../../device-log/index.ts";
import { createFakeClock } from "../../fake-clock.ts";
import type { DownlinkMessage } from "../../messages/index.ts";
import { createRegistry, createTags, createTopology, defaultRegistryLimits, type Registry, type Topology } from "../../registry/index.ts";
import { openStore, type Store } from "../../store/index.ts";
import { createDeviceProblems } from "./device-problems.ts";
import { createDeviceTagHandlers } from "./device-tags.ts";
import { createGatewayBinding } from "./gateway.ts";
import { defaultAlibabaBindingLimits } from "./limits.ts";
import type { UplinkHandlers } from "./uplink.ts";

let store: Store;
let registry: Registry;
let topology: Topology;
let handlers: UplinkHandlers;
let sent: { topic: string; body: Record<string, unknown> }[];
let log: NewLogEntry[];
let failures: unknown[];
let calls: unknown[];
let loginOutcome: Awaited<ReturnType<SubDevices["login"]>>;
let gateway: { productKey: string; deviceName: string; iotId: string };
let secret: string;

beforeEach(async () => {
  store = await openStore({ dataDir: ":memory:", masterKey: Buffer.alloc(32, 1) });
  const clock = createFakeClock(1_000);
  registry = createRegistry({ store: store.registry, clock, random: systemRandom });
  topology = createTopology({ registry, store: store.topology, clock, limits: defaultRegistryLimits });
  sent = [];
  log = [];
  failures = [];
  calls = [];
  loginOutcome = "ok";
  const onFailure = (error: unknown) => void failures.push(error);
  const deviceLog = { write: (entry: NewLogEntry) => void log.push(entry), wants: () => true };
  const send = ({ topic, payload }: DownlinkMessage) => {
    sent.push({ topic, body: JSON.parse(Buffer.from(payload).toString()) });
    return { delivered: 1, queued: 0 };
  };
  const downlink = { send, push: (message: DownlinkMessage) => send(message).delivered === 1 };
  const subDevices: SubDevices = {
    login: async (_gateway, devices) => {
      calls.push(["login", ...devices.map(({ device }) => device.deviceName)]);
      return loginOutcome;
    },
    logout: (_gateway, devices) => {
      calls.push(["logout", ...devices.map(({ deviceName }) => deviceName)]);
      return loginOutcome === "ok";
    },
    end: (device, end) => calls.push(["end", device.deviceName, end]) > 0,
    routeOf: () => undefined,
    publish: () => undefined,
    subscribe: () => undefined,
    onChange() {},
  };
  const registrar = createRegistrar({
    registry,
    deviceTokens: store.deviceTokens,
    deviceLog,
    clock,
    random: systemRandom,
    limits: { preAuthFieldsMax: 32, preAuthFormBytesMax: 4096, clientsPerDeviceMax: 5 },
    onFailure,
  });
  const limits = defaultAlibabaBindingLimits;
  const tags = createTags({ registry, store: store.tags, limits: defaultRegistryLimits });
  const { families } = createGatewayBinding({
    downlink,
    registration: alibabaRegistration,
    registrar,
    registry,
    topology,
    subDevices,
    deviceLog,
    limits,
    onFailure,
  });
  handlers = Object.assign({}, ...families, createDeviceTagHandlers({ downlink, problems: createDeviceProblems(deviceLog), tags, limits }));
  await registry.createProduct({ name: "gateways", productKey: "gw", nodeType: "gateway" });
  await registry.createProduct({ name: "things", productKey: "pk", productSecret: "psecret" });
  const { iotId } = await registry.createDevice("gw", { deviceName: "gate" });
  gateway = { productKey: "gw", deviceName: "gate", iotId };
  secret = (await registry.createDevice("pk", { deviceName: "sub1" })).deviceSecret;
});
afterEach(() => store.close());

async function raw(row: string, payload: Uint8Array, device: object = gateway) {
  const topic = row.replace("${productKey}", "gw").replace("${deviceName}", "gate");
  const handler = handlers[row];
  if (handler === undefined) throw new Error(`nothing handles ${row}`);
  await handler({ device: device as typeof gateway, topic, parts: {}, payload, qos: 1, receivedAt: 1 });
  return sent.at(-1)?.topic === `${topic}_reply` ? sent.at(-1)?.body : undefined;
}

const sys = (path: string, params: unknown) =>
  raw(`/sys/\${productKey}/\${deviceName}/thing/${path}`, Buffer.from(JSON.stringify({ id: "7", params })));
const session = (action: string, params: unknown) =>
  raw(`/ext/session/\${productKey}/\${deviceName}/combine/${action}`, Buffer.from(JSON.stringify({ id: 7, params })));
const pair = { productKey: "pk", deviceName: "sub1" };
const signed = (deviceSecret = secret) => signSubDevice({ ...pair, deviceSecret });

test("6.1 registration: switch, names, another gateway; the secret is handed out to whom the gateway asks for", async () => {
  expect(await sys("sub/register", [pair])).toMatchObject({ id: "7", code: 6288 });
  await registry.updateProduct("pk", { isRegistrationOpen: true });
  expect(await sys("sub/register", [pair])).toMatchObject({
    code: 200,
    data: [{ ...pair, deviceSecret: secret }],
    method: "thing.sub.register",
  });
  expect(await sys("sub/register", [{ ...pair, deviceName: "none" }])).toMatchObject({ code: 6100 });
  expect(await sys("sub/register", [{ ...pair, productKey: "none" }])).toMatchObject({ code: 5005 });
  expect(
    await sys(
      "sub/register",
      Array.from({ length: 31 }, () => pair),
    ),
  ).toMatchObject({ code: 460 });
  await registry.createDevice("gw", { deviceName: "gate2" });
  await topology.add({ productKey: "gw", deviceName: "gate2" }, [pair], "cloud");
  expect(await sys("sub/register", [pair])).toMatchObject({ code: 6619 });
  expect(log.filter(({ isSuccess }) => !isSuccess)).toHaveLength(5);
});

test("6.1 devices that prove themselves with the product's secret succeed and fail one by one", async () => {
  await registry.updateProduct("pk", { isRegistrationOpen: true });
  registry.markOnline("gw", "gate", 1_000, "203.0.113.9");
  const item = signRegistration({ ...pair, productSecret: "psecret", random: "1" });
  const { data } = (await sys("proxy/provisioning/product_register", { proxieds: [item, { ...item, sign: "00" }] })) as { data: unknown };
  const renewed = (await registry.getDevice("pk", "sub1")).deviceSecret;
  expect(data).toMatchObject({ successes: [{ ...pair, deviceSecret: renewed }], failures: [{ ...pair, errorDetail: { code: 6600 } }] });
  expect(renewed).not.toBe(secret);
  expect(log.find(({ code }) => code === "device.registered")).toMatchObject({ deviceName: "sub1", remoteAddress: "203.0.113.9" });
});

test("6.2 topology: signatures, a gateway itself, what is not there", async () => {
  expect(await sys("topo/add", [signed("wrong")])).toMatchObject({ code: 401 });
  expect(await sys("topo/add", [signed()])).toMatchObject({ code: 200, data: [pair] });
  expect(await sys("topo/get", "{}")).toMatchObject({ code: 200, data: [pair] });
  const { deviceSecret } = await registry.getDevice("gw", "gate");
  const itself = signSubDevice({ productKey: "gw", deviceName: "gate", deviceSecret });
  expect(await sys("topo/add", [itself])).toMatchObject({ code: 6402 });
  await registry.setDeviceEnabled("pk", "sub1", false);
  expect(await sys("topo/add", [signed()])).toMatchObject({ code: 6204 });
  expect(await sys("topo/delete", [pair])).toMatchObject({ code: 200, data: [pair] });
  expect(calls).toContainEqual(["logout", "sub1"]);
  expect(await sys("topo/delete", [pair])).toMatchObject({ code: 6401 });
  expect(await sys("topo/delete", [{ ...pair, deviceName: "none" }])).toMatchObject({ code: 6100 });
  const found: unknown[] = [];
  topology.onChange((change) => found.push(change));
  expect(await sys("list/found", [pair, { ...pair, deviceName: "stranger" }])).toMatchObject({ code: 200, data: {} });
  expect(found).toMatchObject([{ kind: "found", devices: [{ iotId: expect.any(String) }, { deviceName: "stranger" }] }]);
  expect(await sys("list/found", [{ ...pair, deviceName: "x" }])).toMatchObject({ code: 6280 });
});

test("6.2, 6.6 a gateway is told of a device that is deleted, logged in or not, and of one that moves to another gateway", async () => {
  await topology.add(gateway, [pair], "gateway");
  const { iotId } = await registry.createDevice("gw", { deviceName: "gate2" });
  sent = [];
  await topology.add({ productKey: "gw", deviceName: "gate2" }, [pair], "gateway");
  const deleted = { params: { status: 1, subList: [pair] } };
  expect(sent).toMatchObject([{ topic: "/sys/gw/gate/thing/topo/change", body: deleted }]);
  sent = [];
  const changes: unknown[] = [];
  registry.onChange((change) => changes.push(change));
  await registry.deleteDevice("pk", "sub1");
  expect(changes).toMatchObject([{ kind: "device.deleted", gateway: { deviceName: "gate2", iotId } }]);
  expect(sent).toMatchObject([{ topic: "/sys/pk/sub1/thing/delete" }, { topic: "/sys/gw/gate2/thing/topo/change", body: deleted }]);
  expect(calls.at(-1)).toEqual(["end", "sub1", "deleted"]);
});

test("1.8.B a device that is reset is behind no gateway, which is told", async () => {
  await topology.add(gateway, [pair], "gateway");
  sent = [];
  await registry.resetDevice("pk", "sub1");
  expect(await topology.gatewayOf(pair)).toBeUndefined();
  expect(sent).toMatchObject([{ topic: "/sys/gw/gate/thing/topo/change", body: { params: { status: 1, subList: [pair] } } }]);
  expect(calls.at(-1)).toEqual(["end", "sub1", "not_in_topology"]);
});

test("6.3 logins: every refusal has its code and tells whom it was about", async () => {
  expect(await session("login", signed())).toMatchObject({ id: 7, code: 6401, data: pair });
  await topology.add(gateway, [pair], "gateway");
  expect(await session("login", signed())).toMatchObject({ code: 200, message: "success", data: pair });
  expect(await session("login", signed("wrong"))).toMatchObject({ code: 6287, data: pair });
  expect(await session("login", { ...signed(), deviceName: "none" })).toMatchObject({ code: 6100 });
  expect(await session("login", pair)).toMatchObject({ code: 460 });
  expect(await session("batch_login", { deviceList: [signed(), signed("wrong")] })).toMatchObject({ code: 6287, data: [pair, pair] });
  for (const [outcome, code] of [
    ["too_many", 428],
    ["too_often", 429],
    ["gateway_offline", 500],
  ] as const) {
    loginOutcome = outcome;
    expect(await session("login", signed())).toMatchObject({ code, data: pair });
  }
  expect(await session("logout", pair)).toMatchObject({ code: 520, data: pair });
  expect(await session("batch_logout", [pair])).toMatchObject({ code: 520 });
  await registry.setDeviceEnabled("pk", "sub1", false);
  expect(await session("login", signed())).toMatchObject({ code: 522 });
  expect(calls.filter((call) => Array.isArray(call) && call[0] === "login")).toHaveLength(4);
});

test("a sub-device is no gateway", async () => {
  const row = "/sys/${productKey}/${deviceName}/thing/topo/get";
  expect(await raw(row, Buffer.from('{"id":1,"params":{}}'), { ...pair, iotId: "x", gateway })).toMatchObject({ code: 460 });
});

test("8.2 tags: set, replaced, deleted; keys are checked", async () => {
  const place = "deviceinfo/update";
  expect(await sys(place, [{ attrKey: "SYS_SDK_LANGUAGE", attrValue: "C", domain: "SYSTEM" }])).toMatchObject({ code: 200, data: {} });
  expect(await store.tags.deviceTags("gw", "gate")).toEqual({ SYS_SDK_LANGUAGE: "C" });
  for (const params of [[], {}, [{ attrKey: "1x", attrValue: "a" }], [{ attrKey: "x" }], [{ attrKey: "x", attrValue: "a".repeat(129) }]]) {
    expect(await sys(place, params)).toMatchObject({ code: 460 });
  }
  expect(await sys("deviceinfo/delete", [{ attrKey: "SYS_SDK_LANGUAGE" }, { attrKey: "nothing" }])).toMatchObject({ code: 200 });
  expect(await store.tags.deviceTags("gw", "gate")).toEqual({});
});

test("whatever a gateway sends is answered or left alone, never thrown at", async () => {
  const rows = Object.keys(handlers);
  const json = fc.json().map((text) => Buffer.from(text));
  const request = fc.jsonValue().map((params) => Buffer.from(JSON.stringify({ id: "1", params })));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...rows), fc.oneof(fc.uint8Array({ maxLength: 40 }), json, request), async (row, payload) => {
      await raw(row, payload);
    }),
    { numRuns: 300 },
  );
  expect(failures).toEqual([]);
});
