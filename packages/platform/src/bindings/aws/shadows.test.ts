import { thingShadowRefusals } from "@thingstead/dialects";
import { expect, test } from "vitest";
import type { NewLogEntry } from "../../device-log/index.ts";
import { defaultDeviceServicesLimits, type NamedShadowRow } from "../../device-services/index.ts";
import { createNamedShadows } from "../../device-services/named-shadows.ts";
import { errorTable } from "../../errors/table.ts";
import { createFakeClock } from "../../fake-clock.ts";
import { createShadowHandlers } from "./shadows.ts";
import { createThingShadows, defaultAwsShadowLimits } from "./thing-shadows.ts";
import type { AwsUplink } from "./uplink.ts";

const nowSeconds = 1_700_000_000;

function open() {
  const clock = createFakeClock(nowSeconds * 1000);
  const rows = new Map<string, NamedShadowRow>();
  const disk = { failure: undefined as Error | undefined, saved: Promise.resolve() };
  const idOf = ({ thingName, shadowName }: { thingName: string; shadowName: string }) => `${thingName}/${shadowName}`;
  const shadows = createNamedShadows({
    store: {
      load: async (keys) => keys.flatMap((key) => rows.get(idOf(key)) ?? []),
      async save(saved) {
        await disk.saved;
        if (disk.failure !== undefined) throw disk.failure;
        for (const row of saved) rows.set(idOf(row), row);
      },
      count: async () => rows.size,
      names: async () => [],
      totalBytes: async () => 0,
      forgetDeleted: async () => 0,
    },
    clock,
    limits: { ...defaultDeviceServicesLimits, namedShadowRequestsPerSecondMax: 100 },
  });
  const told: [string, Record<string, unknown>][] = [];
  const log: NewLogEntry[] = [];
  const answers = {
    publish: (topic: string, payload: Uint8Array) => void told.push([topic, JSON.parse(Buffer.from(payload).toString())]),
  };
  const thingShadows = createThingShadows({ shadows, answers, clock, limits: defaultAwsShadowLimits });
  const deviceLog = { wants: () => true, write: (entry: NewLogEntry) => void log.push(entry) };
  const handlers = createShadowHandlers({ thingShadows, answers, deviceLog, productKey: "aws", clock, limits: defaultAwsShadowLimits });
  const ask = (name: keyof typeof handlers, text: string, more: Partial<AwsUplink> = {}) => {
    const shadowName = name.startsWith("named") ? { shadowName: "cfg" } : {};
    const topic = `$aws/things/lamp/shadow/${shadowName.shadowName === undefined ? "" : "name/cfg/"}${name.split("/")[1]}`;
    const payload = Buffer.from(text);
    const done = handlers[name]?.({ topic, parts: { thingName: "lamp", ...shadowName }, payload, qos: 1, receivedAt: 0, ...more });
    // As the engine does with its read buffer.
    payload.fill(0);
    return done;
  };
  return { ask, told, log, disk, rows, clock, thingShadows };
}

const topics = (told: [string, unknown][]) => told.map(([topic]) => topic);

test("11.1 accepted, documents, delta, in this order, and only when it is on the disk", async () => {
  const { ask, told, disk, clock } = open();
  const written = Promise.withResolvers<void>();
  disk.saved = written.promise;
  const done = ask("shadow/update", '{"state":{"desired":{"on":true}},"clientToken":"t"}', { sessionId: "aws/lamp" });
  await clock.pass(0);
  expect(told).toEqual([]);
  written.resolve();
  await done;
  const sp = "$aws/things/lamp/shadow/update";
  expect(topics(told)).toEqual([`${sp}/accepted`, `${sp}/documents`, `${sp}/delta`]);
  expect(told[0]?.[1]).toMatchObject({ version: 1, timestamp: nowSeconds, clientToken: "t" });
  expect(told[2]?.[1]).toMatchObject({ version: 1, state: { on: true }, clientToken: "t" });
});

test("11.1 a named shadow speaks on its own topics; get and delete, empty and with a token", async () => {
  const { ask, told } = open();
  await ask("named-shadow/update", '{"state":{"reported":{"a":1}}}');
  await ask("named-shadow/get", "");
  await ask("named-shadow/delete", '{"clientToken":"t"}');
  await ask("named-shadow/get", '{"clientToken":"u"}');
  const sp = "$aws/things/lamp/shadow/name/cfg";
  expect(topics(told)).toEqual([
    `${sp}/update/accepted`,
    `${sp}/update/documents`,
    `${sp}/get/accepted`,
    `${sp}/delete/accepted`,
    `${sp}/get/rejected`,
  ]);
  expect(told[2]?.[1]).toMatchObject({ state: { reported: { a: 1 } }, version: 1 });
  expect(told[3]?.[1]).toEqual({ version: 1, timestamp: nowSeconds, clientToken: "t" });
  expect(told[4]?.[1]).toEqual({ code: 404, message: "No shadow exists with name: 'cfg'", timestamp: nowSeconds, clientToken: "u" });
});

test("what is refused is told on rejected and in the log of the thing, with what came and what was expected", async () => {
  const { ask, told, log } = open();
  await ask("shadow/update", '{"state":{}}');
  await ask("shadow/update", '{"state":{},"version":7,"clientToken":"t"}');
  await ask("shadow/update", "no json");
  expect(told.slice(2)).toEqual([
    ["$aws/things/lamp/shadow/update/rejected", { code: 409, message: "Version conflict", timestamp: nowSeconds, clientToken: "t" }],
    ["$aws/things/lamp/shadow/update/rejected", { code: 400, message: "Invalid JSON", timestamp: nowSeconds }],
  ]);
  expect(log).toMatchObject([
    { code: "aws.shadow_version_conflict", isSuccess: false, productKey: "aws", deviceName: "lamp", received: "7", expected: "1" },
    { code: "aws.shadow_not_json", received: "no json", expected: "a JSON object" },
  ]);
});

test("8 the eleventh unanswered request of a connection is refused with 429; rules and servers have no such limit", async () => {
  const { ask, told } = open();
  const waiting = Array.from({ length: 10 }, () => ask("shadow/update", '{"state":{}}', { sessionId: "aws/lamp" }));
  expect(ask("shadow/get", '{"clientToken":"t"}', { sessionId: "aws/lamp" })).toBeUndefined();
  expect(told).toEqual([
    ["$aws/things/lamp/shadow/get/rejected", { code: 429, message: "Too many requests", timestamp: nowSeconds, clientToken: "t" }],
  ]);
  await Promise.all([
    ...waiting,
    ask("shadow/get", "", { sessionId: "aws/other" }),
    ...Array.from({ length: 11 }, () => ask("shadow/get", "")),
  ]);
  await ask("shadow/get", "", { sessionId: "aws/lamp" });
  expect(topics(told).filter((topic) => topic.endsWith("rejected"))).toHaveLength(1);
  expect(topics(told).filter((topic) => topic.endsWith("get/accepted"))).toHaveLength(13);
});

test("when the disk fails the client hears 500 and its PUBLISH stays unacknowledged", async () => {
  const { ask, told, disk, log } = open();
  disk.failure = new Error("disk");
  await expect(ask("shadow/update", '{"state":{},"clientToken":"t"}')).rejects.toThrow("disk");
  expect(told).toEqual([
    [
      "$aws/things/lamp/shadow/update/rejected",
      { code: 500, message: "Internal service failure", timestamp: nowSeconds, clientToken: "t" },
    ],
  ]);
  expect(log).toMatchObject([{ code: "aws.shadow_failed" }]);
});

test("every refusal has its row in the error table, with the words of the wire", () => {
  for (const [reason, { code, message }] of Object.entries(thingShadowRefusals)) {
    expect(errorTable[`aws.shadow_${reason}`]).toMatchObject({ http: code, en: message });
  }
});
