import { alibabaDialect, signPreAuth } from "@thingstead/dialects";
import { describe, expect, test } from "vitest";
import { device, facts, fakePorts } from "./fake-ports.ts";
import { defaultAccessLimits } from "./limits.ts";
import { createPreAuth } from "./pre-auth.ts";
import { hashToken } from "./token-hash.ts";

const form = signPreAuth({ productKey: "pk", deviceName: "dev1", deviceSecret: "secret", clientId: "mac" });

function setUp() {
  const ports = fakePorts();
  const { preAuth: dialect } = alibabaDialect;
  if (dialect === undefined) throw new Error("the dialect has no pre-authentication");
  let drawn = 0;
  const random = { bytes: (count: number) => Buffer.alloc(count, ++drawn) };
  const host = () => ({ host: "things.example", port: 1883 });
  const preAuth = createPreAuth({ ...ports, dialect, random, host, limits: defaultAccessLimits });
  return {
    ...ports,
    ask: async (fields: Record<string, string>) => (await preAuth.authenticate({ fields, remoteAddress: facts.remoteAddress })).body,
  };
}

test("2.4 the answer is the documentation's, and only a hash is stored, for seven days", async () => {
  const { ask, tokens, clock } = setUp();
  const token = "01".repeat(16);
  expect(JSON.stringify(await ask(form))).toBe(
    `{"code":200,"data":{"iotId":"iotIdOfDev1","iotToken":"${token}","resources":{"mqtt":{"host":"things.example","port":1883}}},"message":"success"}`,
  );
  expect(tokens.rows).toEqual([
    { tokenHash: hashToken(token), iotId: "iotIdOfDev1", productKey: "pk", deviceName: "dev1", expiresAt: clock.now() + 7 * 86_400_000 },
  ]);
});

test("2.4 resources.mqtt is answered whether it was asked for, misspelt or not at all", async () => {
  const { ask } = setUp();
  const { resources: _, ...bare } = form;
  for (const fields of [bare, { ...bare, resouces: "mqtt" }])
    expect(await ask(fields)).toMatchObject({ data: { resources: { mqtt: { port: 1883 } } } });
});

describe("2.4 codes", () => {
  test.each([
    ["a wrong signature", { ...form, sign: "0".repeat(40) }, { code: 401, message: "request auth error" }],
    ["a changed field", { ...form, clientId: "other" }, { code: 401, message: "request auth error" }],
    ["an unsigned extra field", { ...form, zone: "x" }, { code: 401, message: "request auth error" }],
    ["a missing field", { ...form, sign: "" }, { code: 460, message: "param error" }],
    ["no field at all", {}, { code: 460, message: "param error" }],
    ["a long client id", { ...form, clientId: "c".repeat(65) }, { code: 460, message: "param error" }],
    ["an unknown method", { ...form, signmethod: "rsa" }, { code: 460, message: "param error" }],
    [
      "too many fields",
      { ...form, ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, ""])) },
      { code: 460, message: "param error" },
    ],
    ["an unknown device", { ...form, deviceName: "ghost" }, { code: 5001, message: "meta device not found" }],
  ])("%s", async (_case, fields, body) => {
    const { ask, deviceLog, tokens } = setUp();
    expect(await ask(fields)).toEqual(body);
    expect(deviceLog.entries).toMatchObject([{ kind: "auth", isSuccess: false, remoteAddress: facts.remoteAddress }]);
    expect(tokens.rows).toEqual([]);
  });

  test("a disabled device learns so only with the right signature", async () => {
    const { ask, registry } = setUp();
    registry.devices = [device({ isEnabled: false })];
    expect(await ask(form)).toEqual({ code: 6204, message: "device disabled" });
    expect(await ask({ ...form, sign: "0" })).toMatchObject({ code: 401 });
  });

  test("a failing store", async () => {
    const { ask, registry, failures } = setUp();
    registry.failure = new Error("disk");
    expect(await ask(form)).toEqual({ code: 500, message: "unknow error" });
    expect(failures).toHaveLength(1);
  });
});

test("2.4 an earlier token stays; expired ones are swept at most once an hour", async () => {
  const { ask, tokens, clock } = setUp();
  await ask(form);
  await ask(form);
  expect(tokens.rows).toHaveLength(2);
  clock.advance(7 * 86_400_000);
  await ask(form);
  expect(tokens.rows).toHaveLength(1);
});

test("neither token nor secret reach the log", async () => {
  const { ask, deviceLog } = setUp();
  await ask(form);
  await ask({ ...form, sign: "0".repeat(40) });
  expect(JSON.stringify(deviceLog.entries)).not.toMatch(/secret"|(01){16}/);
});
