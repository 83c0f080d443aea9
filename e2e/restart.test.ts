/** What a restart and a crash must not change. */
import { connect } from "@thingstead/device";
import { expect, test } from "vitest";
import { createFixture } from "./support/fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";

test("products, devices, rules and keys survive SIGTERM and SIGKILL; a connected device is OFFLINE after a crash", async () => {
  // Connection states are written behind; here at once, so that the crash comes after the write.
  const first = await startServerProcess({ environment: { THINGSTEAD_LIMITS_REGISTRY_STATUS_FLUSH_MILLISECONDS: "0" } });
  const fixture = await createFixture(restClient(first), { withRule: true });
  const device = await connect({ ...fixture, host: "127.0.0.1", port: first.devicePort, mode: "tcp", reconnect: false });
  await until("status ONLINE", async () => {
    const answer = await restClient(first)("GET", `/products/${fixture.productKey}/devices/${fixture.deviceName}`);
    return answer.body.status === "ONLINE";
  });
  await first.kill();
  await device.end();

  const second = await startServerProcess({ dataDir: first.dataDir });
  const rest = restClient(second);
  const { body } = await rest("GET", `/products/${fixture.productKey}/devices/${fixture.deviceName}`);
  expect(body).toMatchObject({ status: "OFFLINE", deviceName: fixture.deviceName });
  const rules = await rest("GET", "/rules");
  expect(rules.body.items).toEqual([expect.objectContaining({ isRunning: true })]);
  expect(second.ca).toEqual(first.ca);

  const relayed: string[] = [];
  const again = await connect({ ...fixture, host: "localhost", port: second.devicePort, mode: "tls", ca: second.ca });
  const arrived = new Promise<void>((resolve) => again.on("message", () => resolve()));
  await again.subscribe(again.topic("relay"), ({ payload }) => relayed.push(payload.toString()), { qos: 1 });
  await again.publish(again.topic("data"), '{"a": 1}', { qos: 1 });
  await arrived;
  expect(relayed).toEqual(['{"a":1}']);
  await again.end();
  expect(await second.stop()).toBe(0);
  await second.remove();
});
