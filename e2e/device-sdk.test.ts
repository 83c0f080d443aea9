/** The device SDK when things go wrong: a server that crashes, refusals, a token that is worth nothing any more, half an end. */
import { createServer, type Server, type Socket } from "node:net";
import { connect, Device, type DeviceError } from "@thingstead/device";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createFixture } from "./support/fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";

const reconnect = { baseMilliseconds: 50, maximumMilliseconds: 400 };
const triple = { productKey: "a11ozGcYRSq", deviceName: "smartLight", deviceSecret: "secret" };

let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess();
});
afterAll(() => server.remove());

const target = (mode: "tcp" | "tls" | "preauth") => ({
  host: "localhost",
  port: server.devicePort,
  preAuthPort: server.devicePort,
  ca: server.ca,
  mode,
  reconnect,
});

/** A server that speaks as much MQTT as the test wants: every packet goes to `answer`. */
async function fakeServer(
  answer: (socket: Socket, packet: Buffer) => void,
): Promise<{ port: number; times: number[]; open: () => number }> {
  const sockets = new Set<Socket>();
  const times: number[] = [];
  const fake: Server = createServer((socket) => {
    times.push(performance.now());
    sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket)));
    socket.on("data", (packet) => answer(socket, packet));
  });
  await new Promise<void>((resolve) => fake.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    fake.close();
  });
  const address = fake.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, times, open: () => sockets.size };
}

const connack = (code: number) => Buffer.from([0x20, 2, 0, code]);

test("a server that is killed and comes back: the device returns, subscribes every filter again and sends what waited", async () => {
  // Its own server, because it dies. SIGKILL: the port must be free for the next one at once.
  const first = await startServerProcess();
  const rest = restClient(first);
  const fixture = await createFixture(rest);
  // More filters than one SUBSCRIBE may carry.
  const names = Array.from({ length: 12 }, (_, index) => `many_${index}`);
  for (const name of names) await rest("POST", `/products/${fixture.productKey}/topics`, { topic: name, operation: "ALL" });
  const device = await connect({ ...fixture, host: "127.0.0.1", port: first.devicePort, mode: "tcp", reconnect });
  const states: string[] = [];
  const troubles: DeviceError[] = [];
  device.on("state", (state) => states.push(state)).on("trouble", (error) => troubles.push(error));
  const got: string[] = [];
  for (const name of names) await device.subscribe(device.topic(name), ({ payload }) => got.push(payload.toString()), { qos: 1 });
  await first.kill();
  await until("offline", () => device.state === "offline");
  const waiting = [0, 1, 2].map((index) => device.publish(device.topic("many_11"), `waited ${index}`, { qos: 1 }));

  const second = await startServerProcess({
    dataDir: first.dataDir,
    environment: { THINGSTEAD_LISTEN_DEVICE: `127.0.0.1:${first.devicePort}` },
  });
  await Promise.all(waiting);
  expect(states).toEqual(["offline", "online"]);
  for (const name of names) await device.publish(device.topic(name), `on ${name}`, { qos: 1 });
  await until("an echo from every topic", () => names.every((name) => got.includes(`on ${name}`)));
  expect(troubles.filter(({ code }) => code !== "device.connect_failed")).toEqual([]);
  await device.end();
  await second.remove();
});

test("tries are spaced with a growing, jittered delay", async () => {
  let isUp = true;
  const { port, times } = await fakeServer((socket) => (isUp ? socket.write(connack(0)) : socket.destroy()));
  const device = await connect({ ...triple, host: "127.0.0.1", port, mode: "tcp", reconnect });
  const told: number[] = [];
  device.on("reconnecting", ({ attempt, delayMilliseconds }) => {
    expect(attempt).toBe(told.length);
    told.push(delayMilliseconds);
  });
  // From here on the server closes whatever speaks to it.
  isUp = false;
  await device.publish(device.topic("data"), "break");
  await until("six tries", () => times.length >= 6);
  await device.end();
  for (const [index, delay] of told.slice(0, 5).entries()) {
    const ceiling = Math.min(reconnect.maximumMilliseconds, reconnect.baseMilliseconds * 2 ** index);
    expect(delay).toBeGreaterThanOrEqual(ceiling / 2);
    expect(delay).toBeLessThanOrEqual(ceiling);
    expect((times[index + 1] ?? 0) - (times[index] ?? 0)).toBeGreaterThanOrEqual(delay - 5);
  }
});

test("3, 2.4: CONNACK 3 on the way back fetches a new token; the device is online again without help", async () => {
  const rest = restClient(server);
  const fixture = await createFixture(rest);
  const path = `/products/${fixture.productKey}/devices/${fixture.deviceName}`;
  const device = await connect({ ...fixture, ...target("preauth") });
  const refusals: unknown[] = [];
  device.on("trouble", ({ details }) => refusals.push(details.returnCode));
  const got: string[] = [];
  await device.subscribe(device.topic("data"), ({ payload }) => got.push(payload.toString()));
  // A new device under the old names and secret: the old token is worth nothing, the secret still is.
  const isBack = new Promise((resolve) => device.once("online", resolve));
  await rest("DELETE", path);
  await rest("POST", `/products/${fixture.productKey}/devices`, { deviceName: fixture.deviceName, deviceSecret: fixture.deviceSecret });
  await isBack;
  expect(refusals).toContain(3);
  await device.publish(device.topic("data"), "again", { qos: 1 });
  await until("the echo", () => got.includes("again"));
  await device.end();
});

test("a disabled device is told why, goes on trying and returns when it is enabled", async () => {
  const rest = restClient(server);
  const fixture = await createFixture(rest);
  const path = `/products/${fixture.productKey}/devices/${fixture.deviceName}`;
  const device = await connect({ ...fixture, ...target("tls") });
  const refusals: unknown[] = [];
  device.on("trouble", ({ code, details }) => refusals.push(`${code} ${details.returnCode}`));
  await rest("POST", `${path}/disable`);
  await until("three refusals", () => refusals.length >= 3);
  expect(new Set(refusals)).toEqual(new Set(["device.connection_refused 5"]));
  expect(device.state).toBe("offline");
  await rest("POST", `${path}/enable`);
  await until("online", () => device.isOnline);
  await device.end();
});

test("a wrong secret is told at once and never tried again", async () => {
  const fixture = await createFixture(restClient(server));
  for (const [mode, code] of [
    ["tcp", "device.connection_refused"],
    ["preauth", "device.preauth_refused"],
  ] as const) {
    const device = new Device({ ...fixture, ...target(mode), deviceSecret: "wrong" });
    const events: string[] = [];
    device.on("reconnecting", () => events.push("reconnecting")).on("ended", () => events.push("ended"));
    await expect(device.connect()).rejects.toMatchObject({ code });
    expect(device.state).toBe("ended");
    expect(events).toEqual(["ended"]);
  }
});

test("end: a publish that the server never acknowledges is rejected when time is up, and the stream is closed", async () => {
  const { port, open } = await fakeServer((socket, packet) => void (packet[0] === 0x10 && socket.write(connack(0))));
  const device = await connect({ ...triple, host: "127.0.0.1", port, mode: "tcp", reconnect });
  const publish = device.publish(device.topic("data"), "x", { qos: 1 }).catch((error: DeviceError) => error.code);
  const begun = performance.now();
  await Promise.all([device.end({ drainMilliseconds: 200 }), device.end()]);
  expect(performance.now() - begun).toBeLessThan(1_500);
  expect(await publish).toBe("device.publish_failed");
  await until("no open stream", () => open() === 0);
  expect(device.state).toBe("ended");
});

test("end: a publish on its way is acknowledged first; afterwards nothing is taken", async () => {
  const fixture = await createFixture(restClient(server));
  const device = await connect({ ...fixture, ...target("tcp") });
  const publish = device.publish(device.topic("data"), "last", { qos: 1 });
  await device.end();
  await publish;
  await expect(device.publish(device.topic("data"), "late")).rejects.toMatchObject({ code: "device.ended" });
});

test("end while offline: what waits is rejected and no further try is made", async () => {
  const { port, times } = await fakeServer((socket, packet) => {
    if (times.length === 1 && packet[0] === 0x10) socket.write(connack(0));
    else socket.destroy();
  });
  const device = await connect({ ...triple, host: "127.0.0.1", port, mode: "tcp", reconnect });
  const publish = device.publish(device.topic("data"), "x", { qos: 1 }).catch((error: DeviceError) => error.code);
  await until("a second try", () => times.length >= 2);
  await device.end();
  expect(await publish).toBe("device.publish_failed");
  const tries = times.length;
  await new Promise((resolve) => setTimeout(resolve, 2 * reconnect.maximumMilliseconds));
  expect(times.length).toBe(tries);
});

test.each(["tcp", "preauth"] as const)("end while connecting (%s): connect says so and nothing connects later", async (mode) => {
  const { port, open } = await fakeServer(() => {});
  const device = new Device({ ...triple, host: "127.0.0.1", port, preAuthPort: port, mode, reconnect, verifyServer: false });
  const states: string[] = [];
  device.on("state", (state) => states.push(state));
  const connecting = device.connect().catch((error: DeviceError) => error.code);
  await until("a stream", () => open() === 1);
  await device.end();
  expect(await connecting).toBe("device.ended");
  await until("no open stream", () => open() === 0);
  expect(states).toEqual(["connecting", "ended"]);
});

test("4.2: a subscription that the server refuses says so; the device stays online and its other handlers stay", async () => {
  const fixture = await createFixture(restClient(server));
  const device = await connect({ ...fixture, ...target("tcp") });
  const got: string[] = [];
  await device.subscribe(device.topic("data"), ({ payload }) => got.push(payload.toString()));
  await expect(device.subscribe(device.topic("nowhere"), () => {})).rejects.toMatchObject({ code: "device.subscribe_refused" });
  await device.publish(device.topic("data"), "still here", { qos: 1 });
  await until("the echo", () => got.includes("still here"));
  const late = device.end();
  await expect(device.subscribe(device.topic("get"), () => {})).rejects.toMatchObject({ code: "device.ended" });
  await late;
});
