import { expect, test } from "vitest";
import { createTestPorts, testKey } from "../in-memory-ports.ts";
import { buildApi } from "../server.ts";
import { createAnswerCheck } from "./answer-check.ts";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

const lamp = {
  schema: "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json",
  profile: { productKey: "somebody-else" },
  properties: [
    {
      identifier: "Level",
      name: "level",
      accessMode: "rw",
      required: false,
      dataType: { type: "int", specs: { min: "0", max: "100", step: "1" } },
    },
    { identifier: "Power", name: "power", accessMode: "r", required: false, dataType: { type: "double", specs: {} } },
  ],
  events: [{ identifier: "Broken", name: "broken", type: "alert", required: false, outputData: [], method: "thing.event.Broken.post" }],
  services: [
    {
      identifier: "Blink",
      name: "blink",
      required: false,
      callType: "async",
      inputData: [],
      outputData: [],
      method: "thing.service.Blink",
    },
    {
      identifier: "Ask",
      name: "ask",
      required: false,
      callType: "sync",
      inputData: [{ identifier: "word", name: "word", dataType: { type: "text", specs: { length: "9" } } }],
      outputData: [],
      method: "thing.service.Ask",
    },
  ],
};

async function open() {
  const fixture = createTestPorts();
  const { app } = await buildApi(fixture.ports);
  const fits = createAnswerCheck((await app.inject("/api/v1/openapi.json")).json());
  const call = async (method: Method, path: string, payload?: object) => {
    const headers = { authorization: `Bearer ${testKey.id}:${testKey.secret}` };
    const answer = await app.inject({ method, url: `/api/v1${path}`, headers, ...(payload === undefined ? {} : { payload }) });
    const body = answer.body === "" || answer.body === "null" ? null : answer.json();
    if (body !== null) expect(fits(method, `/api/v1${path}`, answer.statusCode, body), `${method} ${path} as documented`).toEqual([]);
    return { status: answer.statusCode, body };
  };
  await call("POST", "/products", { name: "lamp", productKey: "pk" });
  await call("POST", "/products/pk/devices", { deviceName: "dn" });
  const device = { productKey: "pk", deviceName: "dn", iotId: (await call("GET", "/products/pk/devices/dn")).body.iotId };
  return { ...fixture, call, device };
}

async function openWithModel() {
  const opened = await open();
  expect((await opened.call("PUT", "/products/pk/thing-model", lamp)).status).toBe(204);
  expect((await opened.call("POST", "/products/pk/thing-model/publish", { version: "1.0" })).status).toBe(201);
  return opened;
}

test("a TSL is imported as a draft, published, listed, and comes back as the vendor writes it", async () => {
  const { call } = await open();
  expect((await call("GET", "/products/pk/thing-model")).body).toEqual({ modules: [] });
  expect((await call("POST", "/products/pk/thing-model/publish", {})).body.error.code).toBe("things.draft_empty");
  await call("PUT", "/products/pk/thing-model", lamp);
  await call("PUT", "/products/pk/thing-model", { ...lamp, functionBlockId: "Battery", functionBlockName: "battery" });
  const { modules } = (await call("GET", "/products/pk/thing-model")).body;
  expect(modules.map((one: { functionBlockId?: string }) => one.functionBlockId)).toEqual([undefined, "Battery"]);
  expect(modules[0]).toMatchObject({ profile: { productKey: "pk" }, properties: lamp.properties });
  expect(modules[0].services.map((one: { identifier: string }) => one.identifier)).toEqual(["set", "get", "Blink", "Ask"]);
  expect((await call("GET", "/products/pk/thing-model/published")).body).toEqual({ modules: [] });
  expect((await call("POST", "/products/pk/thing-model/publish", { version: "1.0", description: "first" })).body).toMatchObject({
    version: "1.0",
  });
  expect((await call("POST", "/products/pk/thing-model/publish", { version: "1.0" })).body.error.code).toBe("things.version_taken");
  expect((await call("POST", "/products/pk/thing-model/publish", { version: "a b" })).body.error.code).toBe("things.version_invalid");
  expect((await call("DELETE", "/products/pk/thing-model/modules/Battery")).status).toBe(204);
  expect((await call("DELETE", "/products/pk/thing-model/modules/Battery")).status).toBe(404);
  expect((await call("GET", "/products/pk/thing-model/published")).body.modules).toHaveLength(2);
  expect((await call("GET", "/products/pk/thing-model/published?version=9")).body.error.code).toBe("things.version_not_found");
  expect((await call("GET", "/products/pk/thing-model/versions")).body.items).toMatchObject([{ version: "1.0", description: "first" }]);
  await call("POST", "/products", { name: "other", productKey: "p2" });
  expect((await call("POST", "/products/p2/thing-model/copy", { sourceProductKey: "pk" })).status).toBe(204);
  expect((await call("GET", "/products/p2/thing-model")).body.modules).toMatchObject([
    { profile: { productKey: "p2" } },
    { functionBlockId: "Battery" },
  ]);
  expect((await call("GET", "/products/none/thing-model")).body.error.code).toBe("registry.product_not_found");
});

test("a TSL that is wrong is refused with the place, what came and what was expected, and the draft stays", async () => {
  const { call } = await openWithModel();
  const wrong = { ...lamp, properties: [{ ...lamp.properties[0], dataType: { type: "integer" } }] };
  const { status, body } = await call("PUT", "/products/pk/thing-model", wrong);
  expect([status, body.error.code]).toEqual([400, "things.model_invalid"]);
  expect(body.error.details).toMatchObject({ path: "properties[0].dataType.type", received: '"integer"' });
  expect((await call("GET", "/products/pk/thing-model")).body.modules[0].properties).toHaveLength(2);
});

test("the validation level is weak until it is changed", async () => {
  const { call } = await open();
  expect((await call("GET", "/products/pk/thing-model/validation-level")).body).toEqual({ level: "weak" });
  expect((await call("PUT", "/products/pk/thing-model/validation-level", { level: "strong" })).body).toEqual({ level: "strong" });
  expect((await call("GET", "/products/pk/thing-model/validation-level")).body).toEqual({ level: "strong" });
  expect((await call("PUT", "/products/pk/thing-model/validation-level", { level: "hard" })).status).toBe(400);
});

test("properties: what was reported is shown, paged and summed up; what is set goes to the device", async () => {
  const { call, ports, device, requested } = await openWithModel();
  const now = ports.clock.now();
  for (const [index, value] of [10, 20, 30].entries())
    await ports.things.reportProperties(device, { Level: { value, time: now - 3_000 + index * 1_000 } }, now);
  const place = "/products/pk/devices/dn/properties";
  expect((await call("GET", place)).body).toEqual({ values: { Level: { value: 30, time: new Date(now - 1_000).toISOString() } } });
  const first = await call("GET", `${place}/Level/history?limit=2&order=ascending`);
  expect(first.body.items.map((one: { value: number }) => one.value)).toEqual([10, 20]);
  const next = await call("GET", `${place}/Level/history?limit=2&order=ascending&cursor=${first.body.cursor}`);
  expect(next.body).toMatchObject({ items: [{ value: 30 }] });
  expect((await call("GET", `${place}/Level/history?from=${now - 2_500}&to=${now - 1_500}`)).body.items).toMatchObject([{ value: 20 }]);
  expect((await call("GET", `${place}/Level/history?from=${now}&to=${now - 1}`)).body.error.code).toBe("things.time_range");
  expect((await call("GET", `${place}/Level/aggregates?from=${now - 3_000}&intervalSeconds=2`)).body.items).toMatchObject([
    { value: 15, count: 2 },
    { value: 30, count: 1 },
  ]);
  expect((await call("GET", `${place}/Level/aggregates?from=0&intervalSeconds=1`)).body.error.code).toBe("things.time_range");
  const set = await call("POST", place, { values: { Level: 5 } });
  expect(set.status).toBe(202);
  expect(requested).toEqual([{ id: set.body.id, values: { Level: 5 } }]);
  const refused = await call("POST", place, { values: { Power: 5 } });
  expect(refused.body.error).toMatchObject({ code: "things.value_invalid", details: { path: "Power", expected: "rw" } });
  expect((await call("GET", "/products/pk/devices/nobody/properties")).body.error.code).toBe("registry.device_not_found");
});

test("events and calls are shown with the names of the model; a synchronous service answers", async () => {
  const { call, ports, device, requested } = await openWithModel();
  await ports.things.reportEvent(device, "Broken", {}, ports.clock.now());
  expect((await call("GET", "/products/pk/devices/dn/events?type=alert")).body.items).toMatchObject([
    { identifier: "Broken", name: "broken", type: "alert" },
  ]);
  expect((await call("GET", "/products/pk/devices/dn/events?identifier=other")).body.items).toEqual([]);
  const asked = await call("POST", "/products/pk/devices/dn/services/Ask/calls", { input: { word: "now" } });
  expect(asked.body).toMatchObject({ code: 200, output: { word: "now" } });
  const blinked = await call("POST", "/products/pk/devices/dn/services/Blink/calls", {});
  expect(blinked.body).toEqual({ id: expect.any(String) });
  expect(requested).toEqual([{ id: blinked.body.id, identifier: "Blink", input: {} }]);
  await ports.things.answered(device, blinked.body.id, { code: 100_001, output: { reason: "dark" } });
  const calls = (await call("GET", "/products/pk/devices/dn/calls")).body.items;
  expect(calls).toContainEqual(expect.objectContaining({ identifier: "Blink", name: "blink", code: 100_001, output: { reason: "dark" } }));
  expect(calls).toContainEqual(expect.objectContaining({ identifier: "Ask", input: { word: "now" }, code: 200 }));
  expect((await call("POST", "/products/pk/devices/dn/services/Fly/calls", {})).body.error.code).toBe("things.service_unknown");
  expect((await call("POST", "/products/pk/devices/dn/services/Ask/calls", { input: { word: 5 } })).body.error.code).toBe(
    "things.value_invalid",
  );
  expect((await call("POST", "/products/pk/devices/dn/services/Ask/calls", { timeoutMilliseconds: 60_000 })).body.error.code).toBe(
    "things.timeout_range",
  );
});

test("desired values are set with versions, shown and cleared", async () => {
  const { call, requested } = await openWithModel();
  const place = "/products/pk/devices/dn/desired";
  expect((await call("PATCH", place, { values: { Level: 7 }, versions: { Level: 0 } })).body).toEqual({ versions: { Level: 1 } });
  expect(requested).toMatchObject([{ values: { Level: 7 } }]);
  expect((await call("GET", place)).body.values).toMatchObject({ Level: { value: 7, version: 1 } });
  const conflict = await call("PATCH", place, { values: { Level: 8 }, versions: { Level: 0 } });
  expect([conflict.status, conflict.body.error.code, conflict.body.error.details.expected]).toEqual([409, "things.desired_version", 1]);
  expect((await call("PATCH", place, { values: { Level: null } })).body).toEqual({ versions: { Level: 1 } });
  expect((await call("GET", place)).body.values).toEqual({});
  expect((await call("PATCH", place, { values: { Power: 1 } })).body.error.code).toBe("things.value_invalid");
});

test("a product without a published model takes no calls, and says so", async () => {
  const { call } = await open();
  expect((await call("POST", "/products/pk/devices/dn/properties", { values: { Level: 1 } })).body.error.code).toBe("things.no_model");
});
