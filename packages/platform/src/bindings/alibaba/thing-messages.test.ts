/** Everything from the bytes of a device to the room of things and back, with a room that keeps nothing. */
import { createValidator, parseThingModel } from "@thingstead/thing-model";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { NewLogEntry } from "../../device-log/index.ts";
import { PlatformError } from "../../errors/index.ts";
import type { DownlinkMessage } from "../../messages/index.ts";
import type { ScriptResult } from "../../scripts/index.ts";
import type { DeviceRef, Things } from "../../things/index.ts";
import { createAlibabaHandlers } from "./create-handlers.ts";
import { defaultAlibabaBindingLimits } from "./limits.ts";
import { createUplinkRouter } from "./uplink-router.ts";

const number = { type: "int", specs: { min: "0", max: "100", step: "1" } };
const model = parseThingModel({
  schema: "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json",
  profile: { productKey: "pk", version: "1.0" },
  properties: [{ identifier: "level", name: "level", accessMode: "rw", required: false, dataType: number }],
  events: [
    {
      identifier: "alarm",
      name: "Alarm",
      type: "alert",
      required: false,
      method: "thing.event.alarm.post",
      outputData: [{ identifier: "code", name: "code", dataType: number }],
    },
  ],
  services: [],
});
const device = { productKey: "pk", deviceName: "d", iotId: "i" };
const sub = { productKey: "pk", deviceName: "sub", iotId: "s" };

interface Told {
  kind: string;
  topic: string;
  body: Record<string, unknown>;
}

function openBench(options: { scripts?: (message: unknown) => ScriptResult<never> | Promise<ScriptResult<never>> } = {}) {
  const validator = createValidator(model, { level: "strong" });
  const sent: (DownlinkMessage & { text: string })[] = [];
  const told: Told[] = [];
  const log: NewLogEntry[] = [];
  const calls: unknown[] = [];
  const safe: { promise?: Promise<void> } = {};
  const failure: { error?: Error } = {};
  const things = {
    models: { published: async () => [model], onChange: () => {} },
    reportProperties: async (_device: DeviceRef, params: unknown, at: number) => {
      if (failure.error !== undefined) throw failure.error;
      return validator.checkPropertyReport(params, at);
    },
    reportEvent: async (_device: DeviceRef, event: string, params: unknown, at: number) => validator.checkEvent(event, params, at),
    reportRecords: async (_device: DeviceRef, part: unknown, at: number, more: object) => {
      calls.push(more);
      return validator.checkRecords(part, at);
    },
    reportPack: async (parts: readonly { part: unknown }[], at: number) => {
      const reports = parts.map(({ part }) => validator.checkRecords(part, at));
      return { isStored: reports.every(({ failed, refusal }) => failed.length === 0 && refusal === undefined), reports };
    },
    answered: async (_device: DeviceRef, id: string, answer: unknown) => {
      calls.push({ id, answer });
      return id === "7" ? { values: {}, checkFailedData: {}, problems: [] } : undefined;
    },
    desired: async () => ({ level: { value: 5, version: 2, time: 1 } }),
    clearDesired: async (_device: DeviceRef, entries: unknown) => {
      calls.push(entries);
    },
  } as unknown as Things;
  const script = options.scripts ?? (() => ({ kind: "failed" as const, code: 26001 as const, message: "the product has no script" }));
  const router = createUplinkRouter({ onFailure: () => {} });
  const families = createAlibabaHandlers({
    downlink: {
      send: (message) => {
        sent.push({ ...message, text: Buffer.from(message.payload).toString() });
        return { delivered: 1, queued: 0 };
      },
    },
    rrpc: { answered: (_productKey, _deviceName, messageId) => messageId === "12" },
    scripts: { rawDataToProtocol: async (_key, bytes) => script([...bytes]), protocolToRawData: async (_key, object) => script(object) },
    things,
    ota: {} as never,
    tags: {} as never,
    events: {
      tell: ({ kind, topic, body }) => {
        told.push({ kind, topic, body: JSON.parse(JSON.stringify(body())) });
        return safe.promise;
      },
    },
    deviceLog: { write: (entry) => void log.push(entry), wants: () => true },
    subDeviceOf: async (_gateway, _productKey, deviceName) =>
      deviceName === "sub" ? sub : deviceName === "foreign" ? "no_topology" : "unknown",
    clock: { now: () => 1000 },
    limits: defaultAlibabaBindingLimits,
  });
  for (const family of families) router.add(family);

  async function publish(path: string, payload: unknown, row = path, qos: 0 | 1 = 1): Promise<void> {
    const prefix = path.startsWith("/") ? "" : "/sys/pk/d/";
    const rowPrefix = row.startsWith("/") ? "" : "/sys/${productKey}/${deviceName}/";
    const taps = router.tapsFor(rowPrefix + row, prefix + path, { kind: "device", dialect: "alibaba", ...device });
    const bytes = Buffer.from(payload instanceof Uint8Array ? payload : typeof payload === "string" ? payload : JSON.stringify(payload));
    await taps?.[0]?.({ topic: prefix + path, payload: bytes, qos, isRetained: false, receivedAt: 500, hops: 0 });
  }
  const reply = () => JSON.parse(sent.at(-1)?.text ?? "{}");
  return { publish, reply, sent, told, log, calls, safe, failure };
}

const post = "thing/event/property/post";

test("[alibaba-device 5.2] what is unknown is named in the answer and forwarded as failed", async () => {
  const { publish, reply, told, sent, log } = openBench();
  await publish(post, { id: "1", params: { level: { value: 7, time: 400 }, colour: 1 } });
  expect(sent[0]).toMatchObject({ topic: `/sys/pk/d/${post}_reply`, qos: 1 });
  expect(reply()).toMatchObject({
    code: 200,
    id: "1",
    data: { colour: "tsl parse: params not exist" },
    method: "thing.event.property.post",
  });
  expect(told).toMatchObject([
    {
      kind: "data",
      topic: "/pk/d/thing/event/property/post",
      body: {
        requestId: "1",
        gmtCreate: 1000,
        items: { level: { value: 7, time: 400 } },
        checkFailedData: { colour: { value: 1, time: 500, code: 6304 } },
      },
    },
  ]);
  expect(log).toMatchObject([{ code: "thing_model.property_unknown", isSuccess: false, deviceName: "d" }]);
});

test("[alibaba-device 5.1] no answer for sys.ack 0; QoS 0 is answered at QoS 0", async () => {
  const { publish, sent } = openBench();
  await publish(post, { id: "1", sys: { ack: 0 }, params: { level: 1 } });
  expect(sent).toEqual([]);
  await publish(post, { id: "1", params: { level: 1 } }, post, 0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toMatchObject([{ qos: 0 }]);
});

test("[alibaba-device 5.11] 6106 for more than 200 properties", async () => {
  const { publish, reply } = openBench();
  const params = Object.fromEntries(Array.from({ length: 201 }, (_each, index) => [`p${index}`, 1]));
  await publish(post, { id: "1", params });
  expect(reply()).toMatchObject({ code: 6106, id: "1" });
});

test("the answer does not wait for rules, the PUBACK does", async () => {
  const { publish, sent, safe } = openBench();
  const { promise, resolve } = Promise.withResolvers<void>();
  safe.promise = promise;
  let isAcknowledged = false;
  const puback = publish(post, { id: "1", params: { level: 1 } }).then(() => {
    isAcknowledged = true;
  });
  await new Promise((next) => setImmediate(next));
  expect([sent.length, isAcknowledged]).toEqual([1, false]);
  resolve();
  await puback;
});

test("[alibaba-device 5.11] when the store fails the device is told, and its message is not acknowledged", async () => {
  const { publish, reply, failure } = openBench();
  failure.error = new PlatformError("things.history_busy", { expected: 1 });
  await expect(publish(post, { id: "1", params: { level: 1 } })).rejects.toBe(failure.error);
  expect(reply()).toMatchObject({ code: 429, id: "1" });
  failure.error = new Error("disk");
  await expect(publish(post, { id: "2", params: { level: 1 } })).rejects.toBe(failure.error);
  expect(reply()).toMatchObject({ code: 500, id: "2" });
});

test("[alibaba-device 5.5] events, wrapped and bare, with the model's name and type", async () => {
  const { publish, told, reply } = openBench();
  await publish("thing/event/alarm/post", { id: "1", params: { value: { code: 3 }, time: 400 } }, "thing/event/${event}/post");
  await publish("thing/event/alarm/post", { id: "2", params: { code: 4 } }, "thing/event/${event}/post");
  expect(reply()).toMatchObject({ code: 200, id: "2" });
  expect(told.map(({ topic, body }) => [topic, body.name, body.type, body.value, body.time])).toEqual([
    ["/pk/d/thing/event/alarm/post", "Alarm", "alert", { code: 3 }, 400],
    ["/pk/d/thing/event/alarm/post", "Alarm", "alert", { code: 4 }, 500],
  ]);
});

test("[alibaba-device 5.8] a batch is told as lists", async () => {
  const { publish, told, calls } = openBench();
  const params = {
    properties: {
      level: [
        { value: 1, time: 100 },
        { value: 2, time: 200 },
      ],
    },
    events: { alarm: [{ value: { code: 1 }, time: 100 }] },
  };
  await publish("thing/event/property/batch/post", { id: "1", params });
  expect(calls).toEqual([{ isHistory: false }]);
  expect(told).toMatchObject([
    {
      topic: "/pk/d/thing/property/batch/post",
      body: {
        payload: {
          level: [
            { value: 1, time: 100 },
            { value: 2, time: 200 },
          ],
        },
      },
    },
    { topic: "/pk/d/thing/event/batch/post", body: { payload: { alarm: [{ value: { code: 1 }, time: 100 }] } } },
  ]);
});

const identity = (deviceName: string) => ({ productKey: "pk", deviceName });

test("[alibaba-device 5.8] a pack of a gateway: each device's part is told as its own", async () => {
  const { publish, told, reply } = openBench();
  await publish("thing/event/property/pack/post", {
    id: "1",
    params: {
      properties: { level: { value: 1, time: 100 } },
      events: {},
      subDevices: [
        { identity: identity("sub"), properties: { level: { value: 2, time: 200 } }, events: { alarm: { value: { code: 1 }, time: 1 } } },
      ],
    },
  });
  expect(reply()).toMatchObject({ code: 200 });
  expect(told.map(({ topic }) => topic).sort()).toEqual([
    "/pk/d/thing/event/property/post",
    "/pk/sub/thing/event/alarm/post",
    "/pk/sub/thing/event/property/post",
  ]);
  expect(told.find(({ topic }) => topic.startsWith("/pk/sub"))?.body).toMatchObject({ iotId: "s" });
});

test.each([
  [6100, { subDevices: [{ identity: identity("nobody"), properties: {} }] }],
  [6401, { subDevices: [{ identity: identity("foreign"), properties: {} }] }],
  [6357, { subDevices: Array.from({ length: 21 }, () => ({ identity: identity("sub") })) }],
  [460, { subDevices: [{ identity: 7 }] }],
  [460, { subDevices: {} }],
  [6306, { properties: { level: { value: 101, time: 1 } } }],
])("[alibaba-device 5.8] a pack is refused as a whole with %i", async (code, params) => {
  const { publish, told, reply, log } = openBench();
  await publish("thing/event/property/pack/post", { id: "1", params });
  expect(reply()).toMatchObject({ code });
  expect(told).toEqual([]);
  expect(log).not.toEqual([]);
});

test("[alibaba-device 5.8] a history: one message for each row of values, none touches the current ones", async () => {
  const { publish, told, calls, reply } = openBench();
  await publish("thing/event/property/history/post", {
    id: 123,
    params: [
      {
        identity: { productKey: "", deviceName: "" },
        properties: [{ level: { value: 1, time: 100 } }, { level: { value: 2, time: 200 } }],
        events: [{ alarm: { value: { code: 1 }, time: 100 } }],
      },
    ],
  });
  expect(reply()).toMatchObject({ code: 200, id: 123 });
  expect(calls).toEqual([{ isHistory: true }]);
  expect(told.map(({ kind, topic, body }) => [kind, topic, body.items ?? body.value])).toEqual([
    ["history", "/pk/d/thing/event/property/history/post", { level: { value: 1, time: 100 } }],
    ["history", "/pk/d/thing/event/property/history/post", { level: { value: 2, time: 200 } }],
    ["history", "/pk/d/thing/event/alarm/history/post", { code: 1 }],
  ]);
  await publish("thing/event/property/history/post", { id: 1, params: {} });
  expect(reply()).toMatchObject({ code: 6301 });
});

test("[alibaba-device 5.9] desired values", async () => {
  const { publish, reply, calls } = openBench();
  await publish("thing/property/desired/get", { id: "1", params: ["level"] });
  expect(reply()).toMatchObject({ code: 200, data: { level: { value: 5, version: 2 } } });
  expect(reply().data.level).not.toHaveProperty("time");
  await publish("thing/property/desired/delete", { id: "2", params: { level: { version: "2" }, other: {} } });
  expect(calls).toEqual([{ level: { version: 2 }, other: {} }]);
  for (const [code, params] of [
    [460, {}],
    [6105, []],
    [6104, Array.from({ length: 201 }, () => "a")],
  ] as const) {
    await publish("thing/property/desired/get", { id: "3", params });
    expect(reply().code, JSON.stringify(params).slice(0, 20)).toBe(code);
  }
  await publish("thing/property/desired/delete", { id: "4", params: { level: 7 } });
  expect(reply().code).toBe(460);
});

test("[alibaba-device 5.12] the model as an object, and chosen members of its functions", async () => {
  const { publish, reply } = openBench();
  await publish("thing/dsltemplate/get", { id: "1", params: {} });
  expect(reply().data).toMatchObject({ profile: { productKey: "pk" }, properties: [{ identifier: "level" }] });
  await publish("thing/dynamicTsl/get", { id: "2", params: { nodes: ["type", "identifier"], addDefault: false } });
  expect(reply().data).toEqual([{ identifier: "level" }, { identifier: "alarm", type: "alert" }]);
  await publish("thing/dynamicTsl/get", { id: "3", params: {} });
  expect(reply().code).toBe(460);
});

test("[alibaba-device 5.3, 5.6] the device's answer reaches the call and is told under the request's topic", async () => {
  const { publish, calls, told, log } = openBench();
  const path = "thing/service/property/set_reply";
  await publish(path, { id: "7", code: 200, data: {} });
  expect(calls).toEqual([{ id: "7", answer: { code: 200, message: "success", output: {} } }]);
  expect(told).toMatchObject([
    { topic: "/pk/d/thing/downlink/reply/message", body: { requestId: 7, code: 200, topic: "/sys/pk/d/thing/service/property/set" } },
  ]);
  await publish(path, { id: "8", code: 200, data: {} });
  await publish(path, "{");
  expect(log.map(({ code }) => code)).toEqual(["bindings.answer_unexpected", "bindings.message_malformed"]);
});

test("[alibaba-device 8.4] a response to a call that nobody waits for is told", async () => {
  const { publish, log } = openBench();
  await publish("rrpc/response/12", "x", "rrpc/response/${messageId}");
  await publish("/ext/rrpc/13/pk/d/user/get", "x", "/ext/rrpc/${messageId}/${topic}");
  expect(log).toMatchObject([{ code: "bindings.answer_unexpected", received: "message 13" }]);
});

test("[alibaba-device 5.7] raw messages by the method that the script gives", async () => {
  let made: unknown;
  const bench = openBench({ scripts: (given) => ({ kind: "done", value: (Array.isArray(given) ? made : Uint8Array.of(9)) as never }) });
  made = { method: "thing.event.property.post", id: "5", params: { level: 3 } };
  await bench.publish("thing/model/up_raw", Uint8Array.of(1));
  expect(bench.sent[0]).toMatchObject({ topic: "/sys/pk/d/thing/model/up_raw_reply", text: "\t" });
  expect(bench.told).toMatchObject([{ topic: "/pk/d/thing/event/property/post", body: { items: { level: { value: 3 } } } }]);
  made = { method: "thing.event.alarm.post", id: "6", params: { code: 3 } };
  await bench.publish("thing/model/up_raw", Uint8Array.of(1));
  expect(bench.told[1]).toMatchObject({ topic: "/pk/d/thing/event/alarm/post" });
  made = { id: "7", code: 200, data: {} };
  await bench.publish("thing/model/down_raw_reply", Uint8Array.of(1));
  expect(bench.told[2]).toMatchObject({ body: { requestId: 7, topic: "/sys/pk/d/thing/model/down_raw" } });
  made = { id: "1", params: {} };
  await bench.publish("thing/model/up_raw", Uint8Array.of(1));
  expect(bench.log.at(-1)).toMatchObject({ code: "bindings.data_converted_badly", received: "6450" });
});

test("[alibaba-device 5.7] rules that fail while the script still writes the answer find somebody who waits", async () => {
  const request = { method: "thing.event.property.post", id: "1", params: { level: 1 } };
  const writesForever = new Promise<never>(() => {});
  const { publish, safe } = openBench({
    scripts: (message) => (Array.isArray(message) ? ({ kind: "done", value: request } as never) : writesForever),
  });
  safe.promise = Promise.reject(new Error("disk full"));
  await expect(publish("thing/model/up_raw", Uint8Array.of(1))).rejects.toThrow("disk full");
});

test("[alibaba-device 5.7] without a script the answer is the JSON text with 26001", async () => {
  const { publish, reply } = openBench();
  await publish("thing/model/up_raw", Uint8Array.of(1));
  expect(reply()).toMatchObject({ code: 26001, id: "" });
});

test("[alibaba-device 4.3, 8.10] rows of the consumer platform are answered 200, the module report is taken silently", async () => {
  const { publish, reply, sent } = openBench();
  await publish("thing/awss/enrollee/match", { id: "1", params: {} });
  expect(reply()).toEqual({ code: 200, data: {}, id: "1", message: "success", method: "thing.awss.enrollee.match", version: "1.0" });
  await publish("thing/status/update", { id: "0", params: {} });
  expect(sent).toHaveLength(1);
});

test("fuzz: whatever a device sends is answered or told, never thrown", async () => {
  const rows = [
    post,
    "thing/event/property/batch/post",
    "thing/event/property/pack/post",
    "thing/event/property/history/post",
    "thing/property/desired/get",
    "thing/property/desired/delete",
    "thing/dsltemplate/get",
    "thing/dynamicTsl/get",
    "thing/service/property/set_reply",
    "thing/model/up_raw",
    "thing/model/down_raw_reply",
    "thing/reset",
  ];
  const key = fc.constantFrom(
    "level",
    "properties",
    "events",
    "alarm",
    "subDevices",
    "identity",
    "value",
    "time",
    "nodes",
    "__proto__",
    "x",
  );
  const { any } = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, 0, 7, -1, 1e300, "", "level", "sub", "pk"),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(key, tie("any"), { maxKeys: 4 }),
    ),
  }));
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    any,
    fc.record({ id: any, params: any, sys: any, method: any, code: any, data: any }, { requiredKeys: [] }),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...rows), message, any, async (row, given, made) => {
      const isObject = typeof made === "object" && made !== null && !Array.isArray(made);
      const bench = openBench({
        scripts: (of) =>
          Array.isArray(of) && !isObject
            ? { kind: "failed", code: 26007, message: "no object" }
            : { kind: "done", value: (Array.isArray(of) ? made : Uint8Array.of(1)) as never },
      });
      await bench.publish(row, given instanceof Uint8Array ? given : (JSON.stringify(given) ?? ""));
      for (const { text } of bench.sent) expect(text.length).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
});
