/** The examples against a real server: what their devices printed in the seeds must come true. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFixture } from "./support/fixture.ts";
import { startProgram } from "./support/program-process.ts";
import { restClient } from "./support/rest-client.ts";
import { runNode, type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";

let server: ServerProcess;
let rest: ReturnType<typeof restClient>;
beforeAll(async () => {
  server = await startServerProcess();
  rest = restClient(server);
});
afterAll(() => server.remove());

const triple = (fixture: { productKey: string; deviceName: string; deviceSecret: string }) => [
  "--product-key",
  fixture.productKey,
  "--device-name",
  fixture.deviceName,
  "--device-secret",
  fixture.deviceSecret,
  "--host",
  "localhost",
  "--port",
  String(server.devicePort),
];

test("esp8266-tls: authenticates, hears its data, gets the forwarded temperature on relay", async () => {
  const fixture = await createFixture(rest, { withRule: true });
  const program = startProgram(process.execPath, [
    "examples/esp8266-tls/main.ts",
    ...triple(fixture),
    "--preauth-port",
    String(server.devicePort),
    "--ca",
    server.caFile,
    "--interval",
    "0.2",
    "--count",
    "5",
  ]);
  await program.line("echo of the greeting", (line) => line === "Payload: 'message: hello! start!' (Length: 22)");
  // As in the seed's log: 45 bytes on data, 44 on relay, for the rule's JSON is compact.
  await program.line("echo of the report", (line) => line === `Payload: '{"attr_name":"temperature", "attr_value":"0"}' (Length: 45)`);
  await program.line("relay", (line) => line === `Topic: '${fixture.topic("relay")}' (Length: ${fixture.topic("relay").length})`);
  await program.line("forwarded report", (line) => line === `Payload: '{"attr_name":"temperature","attr_value":"0"}' (Length: 44)`);
  expect(await program.end()).toBe(0);
});

test("esp8266-tcp: reports numbers and hears the cloud", async () => {
  const fixture = await createFixture(rest);
  const program = startProgram(process.execPath, [
    "examples/esp8266-tcp/main.ts",
    ...triple(fixture),
    "--interval",
    "0.2",
    "--count",
    "10",
  ]);
  await program.line("subscription", (line) => line === "subscribed get");
  const sent = await rest("POST", `/products/${fixture.productKey}/devices/${fixture.deviceName}/messages`, {
    topic: fixture.topic("get"),
    payload: "This message comes from the cloud",
    qos: 0,
  });
  expect(sent).toMatchObject({ status: 200, body: { delivered: 1 } });
  await program.line("message", (line) => line === `Receive topic: ${fixture.topic("get")}, data: This message comes from the cloud`);
  const published = await until("publish in the log", async () => {
    const { body } = await rest("GET", `/device-log?productKey=${fixture.productKey}&kind=publish`);
    return body.items[0];
  });
  expect(published).toMatchObject({ topic: fixture.topic("update"), qos: 0 });
  expect(await program.end()).toBe(0);
});

test.each([[], ["--tls"]])("mqtt-direct %s: the seven calls", async (...flags) => {
  const fixture = await createFixture(rest);
  const { code, stdout } = await runNode(["examples/mqtt-direct/main.ts", ...triple(fixture), "--ca", server.caFile, ...flags]);
  expect(stdout.trim().split("\n")).toEqual([
    "state normal: true",
    "subscribe success",
    expect.stringMatching(/^(publish success|message arrive: .*)$/),
    expect.stringMatching(/^(publish success|message arrive: .*)$/),
    "unsubscribe success",
    "state normal: false",
  ]);
  expect(code).toBe(0);
});
