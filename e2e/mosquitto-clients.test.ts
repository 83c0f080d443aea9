/** Debian's mosquitto_pub and mosquitto_sub as devices, plain and over TLS with our CA. */
import { signConnect } from "@thingstead/dialects";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFixture, type Fixture } from "./support/fixture.ts";
import { startProgram } from "./support/program-process.ts";
import { restClient } from "./support/rest-client.ts";
import { run, type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";
import { until } from "./support/until.ts";

let server: ServerProcess;
let rest: ReturnType<typeof restClient>;

beforeAll(async () => {
  server = await startServerProcess();
  rest = restClient(server);
});
afterAll(() => server.remove());

function connectionArguments(fixture: Fixture, isSecure: boolean, version: string): string[] {
  const { clientId, userName, password } = signConnect({
    productKey: fixture.productKey,
    deviceName: fixture.deviceName,
    deviceSecret: fixture.deviceSecret,
    signMethod: "hmacsha1",
    timestamp: "789",
    secureMode: isSecure ? 2 : 3,
  });
  const tls = isSecure ? ["--cafile", server.caFile] : [];
  return [
    "-h",
    "localhost",
    "-p",
    String(server.devicePort),
    "-V",
    version,
    "-i",
    clientId,
    "-u",
    userName,
    "-P",
    password,
    "-k",
    "60",
    ...tls,
  ];
}

test.for([
  ["plain", false, "mqttv31"],
  ["plain", false, "mqttv311"],
  ["plain", false, "mqttv5"],
  ["TLS", true, "mqttv311"],
  ["TLS", true, "mqttv5"],
] as const)("over %s (%s, %s): the cloud's message arrives; a publish is forwarded to relay", async ([, isSecure, version], context) => {
  needProgram(context, "mosquitto_pub");
  needProgram(context, "mosquitto_sub");
  const fixture = await createFixture(rest, { withRule: true });
  const sub = startProgram("mosquitto_sub", [
    ...connectionArguments(fixture, isSecure, version),
    "-t",
    fixture.topic("get"),
    "-q",
    "1",
    "-v",
  ]);
  await until("subscription", async () => {
    const { body } = await rest("POST", `/products/${fixture.productKey}/devices/${fixture.deviceName}/messages`, {
      topic: fixture.topic("get"),
      payload: "This message comes from the cloud",
      qos: 1,
    });
    return body.delivered === 1;
  });
  await sub.line("message", (line) => line === `${fixture.topic("get")} This message comes from the cloud`);
  // The same identity connects again to publish: the older session must go.
  const published = await run("mosquitto_pub", [
    ...connectionArguments(fixture, isSecure, version),
    "-t",
    fixture.topic("data"),
    "-q",
    "1",
    "-m",
    '{"attr_value": "1"}',
  ]);
  expect(published).toMatchObject({ code: 0 });
  const entry = await until("forward in the log", async () => {
    const { body } = await rest("GET", `/device-log?productKey=${fixture.productKey}&kind=forward`);
    return body.items[0];
  });
  expect(entry.isSuccess).toBe(true);
  const kicked = await until("kick in the log", async () => {
    const { body } = await rest("GET", `/device-log?productKey=${fixture.productKey}&kind=disconnect`);
    return body.items.find((item: { reason?: string }) => item.reason?.includes("Kicked by the same device"));
  });
  expect(kicked).toBeDefined();
  sub.kill();
});
