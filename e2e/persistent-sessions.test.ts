/** Devices that ask for a session that stays (clean session 0) keep their QoS 1 messages whatever happens to the server. */
import { spawnSync } from "node:child_process";
import { connect, Device } from "@thingstead/device";
import { connectAsync, connect as connectClient } from "mqtt";
import { expect, test } from "vitest";
import { createFixture } from "./support/fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { startServerProcess } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";
import { until } from "./support/until.ts";

test("a registered device finds its subscriptions and every message after kill -9", async () => {
  const first = await startServerProcess();
  const fixture = await createFixture(restClient(first));
  const topic = fixture.topic("relay");
  const send = async (server: typeof first, text: string) => {
    const path = `/products/${fixture.productKey}/devices/${fixture.deviceName}/messages`;
    const answer = await restClient(server)("POST", path, { topic, payload: text, qos: 1 });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  };
  const options = { ...fixture, host: "127.0.0.1", mode: "tcp", isCleanSession: false, reconnect: false } as const;
  const device = await connect({ ...options, port: first.devicePort });
  const received: string[] = [];
  await device.subscribe(topic, ({ payload }) => received.push(payload.toString()), { qos: 1 });
  await send(first, "while it is there");
  await until("the first message", () => received.length === 1);
  await device.end();
  await send(first, "while it is away");
  await first.kill();

  const second = await startServerProcess({ dataDir: first.dataDir });
  await send(second, "after the crash");
  const again = new Device({ ...options, port: second.devicePort });
  // Before the connection: what is owed comes right behind its CONNACK.
  again.on("message", ({ payload }) => received.push(payload.toString()));
  await again.connect();
  await until("all messages", () => received.length >= 3);
  expect(received).toEqual(["while it is there", "while it is away", "after the crash"]);
  await again.end();
  await second.remove();
});

test("a full disk withholds acknowledgements; with space again everything is stored and acknowledged", async (context) => {
  needProgram(context, "prlimit");
  const server = await startServerProcess({ environment: { THINGSTEAD_PLAIN: "anonymous" } });
  /** The kernel refuses to let any file of the server grow beyond this. */
  const limitFiles = (bytes: number | "unlimited") => {
    const { status, stderr } = spawnSync("prlimit", ["--pid", String(server.pid), `--fsize=${bytes}:unlimited`], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  };
  const base = { host: "127.0.0.1", port: server.devicePort, reconnectPeriod: 0 } as const;
  const subscriber = await connectAsync({ ...base, clientId: "away", clean: false });
  await subscriber.subscribeAsync("t", { qos: 1 });
  await subscriber.endAsync();
  const publisher = await connectAsync({ ...base, clientId: "publisher" });
  limitFiles(4096);
  let isAcknowledged = false;
  const published = publisher.publishAsync("t", Buffer.alloc(100_000, "x"), { qos: 1 }).then(() => {
    isAcknowledged = true;
  });
  await until("the failure is told", () => server.output().includes("journal.db"));
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(isAcknowledged).toBe(false);
  expect(
    server
      .output()
      .split("\n")
      .filter((line) => line.includes("journal.db")),
  ).toHaveLength(1);
  limitFiles("unlimited");
  await published;
  await publisher.endAsync();
  await server.kill();

  const second = await startServerProcess({ dataDir: server.dataDir, environment: { THINGSTEAD_PLAIN: "anonymous" } });
  const back = connectClient({ ...base, port: second.devicePort, clientId: "away", clean: false });
  const bytes = await new Promise<number>((resolve) => back.on("message", (_topic, payload) => resolve(payload.length)));
  expect(bytes).toBe(100_000);
  await back.endAsync();
  await second.remove();
});
