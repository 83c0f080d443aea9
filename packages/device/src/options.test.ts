import { expect, test } from "vitest";
import { type DeviceOptions, resolveOptions } from "./options.ts";

const triple = { productKey: "a11ozGcYRSq", deviceName: "smartLight", deviceSecret: "secret" };

test("goes to the real cloud by default, over TLS on the vendor's port", () => {
  expect(resolveOptions(triple)).toMatchObject({
    mode: "tls",
    host: "a11ozGcYRSq.iot-as-mqtt.cn-shanghai.aliyuncs.com",
    port: 1883,
    preAuthHost: "iot-auth.cn-shanghai.aliyuncs.com",
    preAuthPort: 443,
    keepHost: false,
    clientId: "a11ozGcYRSq.smartLight",
    keepAliveSeconds: 60,
  });
});

test("a given host is used for everything", () => {
  expect(resolveOptions({ ...triple, host: "things.example", mode: "preauth" })).toMatchObject({
    host: "things.example",
    preAuthHost: "things.example",
    keepHost: true,
    signMethod: "hmacsha1",
  });
});

test.each<[string, Partial<Record<keyof DeviceOptions, unknown>>]>([
  ["device.option_missing", { deviceSecret: "" }],
  ["device.option_invalid", { mode: "udp" }],
  ["device.option_invalid", { port: 70_000 }],
  ["device.option_invalid", { signMethod: "rot13" }],
  ["device.option_invalid", { clientId: "a|b" }],
  ["device.option_invalid", { keepAliveSeconds: 0 }],
  ["device.option_invalid", { connectTimeoutMilliseconds: 1.5 }],
])("refuses with %s: %j", (code, change) => {
  expect(() => resolveOptions({ ...triple, ...change } as DeviceOptions)).toThrow(expect.objectContaining({ code }));
});
