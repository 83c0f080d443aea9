/** MQTT.js over WebSocket, plain and inside TLS, on the same port as everything else. */
import { signConnect } from "@thingstead/dialects";
import mqtt from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFixture } from "./support/fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { type ServerProcess, startServerProcess } from "./support/server-process.ts";

let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess();
});
afterAll(() => server.remove());

test.each([
  ["ws", 4],
  ["wss", 4],
  ["ws", 5],
  ["mqtt", 5],
  ["mqtts", 5],
] as const)("%s, protocol level %i", async (scheme, protocolVersion) => {
  const fixture = await createFixture(restClient(server));
  const isSecure = scheme === "wss" || scheme === "mqtts";
  const { clientId, userName, password } = signConnect({ ...fixture, secureMode: isSecure ? 2 : 3 });
  const client = await mqtt.connectAsync(`${scheme}://localhost:${server.devicePort}/mqtt`, {
    clientId,
    username: userName,
    password,
    protocolVersion,
    reconnectPeriod: 0,
    ca: server.ca,
  });
  await client.subscribeAsync(fixture.topic("data"), { qos: 1 });
  const big = "x".repeat(200_000);
  const echo = new Promise<string>((resolve) => client.once("message", (_topic, payload) => resolve(payload.toString())));
  await client.publishAsync(fixture.topic("data"), big, { qos: 1 });
  expect(await echo).toBe(big);
  await client.endAsync();
});
