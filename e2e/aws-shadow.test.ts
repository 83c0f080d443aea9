/** Shadows as the vendor's device SDKs see them, over MQTT 3.1.1 and 5 (AWS reference, 11). */
import { once } from "node:events";
import { GetThingShadowCommand, IoTDataPlaneClient, UpdateThingShadowCommand } from "@aws-sdk/client-iot-data-plane";
import deviceSdk from "aws-iot-device-sdk";
import { io, iot, iotshadow, mqtt, mqtt5 } from "aws-iot-device-sdk-v2";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type AwsDevice, type AwsFixture, startAwsFixture } from "./support/aws-fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { until } from "./support/until.ts";

let aws: AwsFixture;
let device: AwsDevice;
let data: IoTDataPlaneClient;
const closers: (() => Promise<unknown> | unknown)[] = [];
let counter = 0;
const newName = (kind: string) => `${kind}-${++counter}`;

beforeAll(async () => {
  aws = await startAwsFixture();
  device = await aws.createDevice();
  data = new IoTDataPlaneClient(aws.clientOptions());
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(async () => {
  data?.destroy();
  await aws?.remove();
});

const textOf = (payload: Uint8Array | undefined) => JSON.parse(Buffer.from(payload ?? []).toString());
const update = (thingName: string, state: object, shadowName?: string) =>
  data.send(new UpdateThingShadowCommand({ thingName, shadowName, payload: Buffer.from(JSON.stringify({ state })) }));

interface Told {
  event: string;
  args: unknown[];
}

/** The first SDK's shadow client: it subscribes on `register` and tells by events. */
async function openFirstSdk() {
  const client = deviceSdk.thingShadow({
    host: "localhost",
    port: aws.server.devicePort,
    clientId: newName("first"),
    clientCert: Buffer.from(device.certificatePem),
    privateKey: Buffer.from(device.privateKeyPem),
    caCert: Buffer.from(aws.server.ca),
  });
  closers.push(() => new Promise((resolve) => client.end(true, resolve)));
  client.on("error", () => {});
  const told: Told[] = [];
  for (const event of ["status", "delta", "foreignStateChange", "timeout", "message"]) {
    client.on(event, (...args: unknown[]) => told.push({ event, args }));
  }
  await once(client, "connect");
  const register = (thingName: string) =>
    new Promise<void>((resolve, reject) => client.register(thingName, {}, (error: unknown) => (error ? reject(error) : resolve())));
  const status = async (token: string) => {
    const found = await until(`status of ${token}`, () => told.find(({ event, args }) => event === "status" && args[2] === token));
    return { outcome: found.args[1], state: found.args[3] as Record<string, unknown> };
  };
  return { client, told, register, status };
}

test("aws-iot-device-sdk thingShadow: update, delta, get, what others changed, delete", async () => {
  const { client, told, register, status } = await openFirstSdk();
  const thing = newName("thing");
  await register(thing);
  expect(await status(client.get(thing))).toMatchObject({
    outcome: "rejected",
    state: { code: 404, message: `No shadow exists with name: '${thing}'` },
  });
  expect(await status(client.update(thing, { state: { reported: { color: "blue" } } }))).toMatchObject({
    outcome: "accepted",
    state: { state: { reported: { color: "blue" } }, version: 1, metadata: { reported: { color: { timestamp: expect.any(Number) } } } },
  });

  // A program wishes: the device hears what was accepted and what it is to do.
  await update(thing, { desired: { color: "red" } });
  const delta = await until("delta", () => told.find(({ event }) => event === "delta"));
  expect(delta.args).toMatchObject([thing, { version: 2, state: { color: "red" } }]);
  const foreign = await until("foreign change", () => told.find(({ event }) => event === "foreignStateChange"));
  expect(foreign.args).toMatchObject([thing, "update", { state: { desired: { color: "red" } }, version: 2 }]);

  // It obeys: nothing differs any more.
  expect(await status(client.update(thing, { state: { reported: { color: "red" } } }))).toMatchObject({ outcome: "accepted" });
  const got = await status(client.get(thing));
  expect(got).toMatchObject({
    outcome: "accepted",
    state: { version: 3, state: { desired: { color: "red" }, reported: { color: "red" } } },
  });
  expect(got.state.state).not.toHaveProperty("delta");
  expect(told.filter(({ event }) => event === "delta")).toHaveLength(1);

  expect(await status(client.delete(thing))).toMatchObject({ outcome: "accepted", state: { version: 3 } });
  expect((await status(client.get(thing))).outcome).toBe("rejected");
  expect(told.filter(({ event }) => event === "timeout")).toEqual([]);
});

test("aws-iot-device-sdk: a named shadow by plain topics; what is refused is in the log of the thing", async () => {
  const { client, told } = await openFirstSdk();
  const thing = newName("thing");
  const topic = `$aws/things/${thing}/shadow/name/config`;
  await new Promise<void>((resolve, reject) =>
    client.subscribe([`${topic}/update/+`, `${topic}/get/+`], { qos: 1 }, (error: unknown) => (error ? reject(error) : resolve())),
  );
  client.publish(`${topic}/update`, JSON.stringify({ state: { desired: { rate: 5 } }, clientToken: "t1" }), { qos: 1 });
  client.publish(`${topic}/get`, "", { qos: 1 });
  client.publish(`${topic}/update`, JSON.stringify({ state: { desired: 1 }, clientToken: "t2" }), { qos: 1 });
  const messages = await until("five messages", () => {
    const found = told.filter(({ event }) => event === "message").map(({ args }) => [args[0], JSON.parse(String(args[1]))] as const);
    return found.length >= 5 && found;
  });
  const order = messages.map(([name]) => String(name).slice(topic.length + 1));
  expect(order.filter((name) => name !== "update/rejected")).toEqual([
    "update/accepted",
    "update/documents",
    "update/delta",
    "get/accepted",
  ]);
  expect(Object.fromEntries(messages)).toMatchObject({
    [`${topic}/update/documents`]: { previous: { state: {} }, current: { state: { desired: { rate: 5 } }, version: 1 }, clientToken: "t1" },
    [`${topic}/get/accepted`]: { state: { desired: { rate: 5 }, delta: { rate: 5 } }, version: 1 },
    [`${topic}/update/rejected`]: { code: 400, message: "Desired node must be an object", clientToken: "t2" },
  });
  const rest = restClient(aws.server);
  const entry = await until("log entry", async () => {
    const { body } = await rest("GET", `/device-log?deviceName=${thing}`);
    const items: { code: string; received?: string }[] = body.items;
    return items.find(({ code }) => code === "aws.shadow_desired_not_object");
  });
  expect(entry.received).toBe("1");
});

function openMqtt311() {
  const builder = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(device.certificatePem, device.privateKeyPem)
    .with_certificate_authority(aws.server.ca.toString())
    .with_endpoint("localhost")
    .with_port(aws.server.devicePort)
    .with_client_id(newName("second"))
    .with_clean_session(true);
  return new mqtt.MqttClient(new io.ClientBootstrap()).new_connection(builder.build());
}

test("aws-iot-device-sdk-v2, first shadow client: update, get with a token, an error of the service", async () => {
  const connection = openMqtt311();
  await connection.connect();
  closers.push(() => connection.disconnect());
  const shadow = new iotshadow.IotShadowClient(connection);
  const thingName = newName("thing");
  const accepted: iotshadow.model.UpdateShadowResponse[] = [];
  const errors: iotshadow.model.ErrorResponse[] = [];
  const updated: iotshadow.model.ShadowUpdatedEvent[] = [];
  const qos = mqtt.QoS.AtLeastOnce;
  await shadow.subscribeToUpdateShadowAccepted({ thingName }, qos, (_, response) => response && accepted.push(response));
  await shadow.subscribeToUpdateShadowRejected({ thingName }, qos, (_, response) => response && errors.push(response));
  await shadow.subscribeToShadowUpdatedEvents({ thingName }, qos, (_, event) => event && updated.push(event));
  await shadow.publishUpdateShadow({ thingName, state: { reported: { on: true } }, clientToken: "a" }, qos);
  await until("accepted and documents", () => accepted.length === 1 && updated.length === 1);
  expect(accepted[0]).toMatchObject({ state: { reported: { on: true } }, version: 1, clientToken: "a", timestamp: expect.any(Number) });
  expect(updated[0]).toMatchObject({ current: { state: { reported: { on: true } }, version: 1 } });
  await shadow.publishUpdateShadow({ thingName, state: { reported: { on: false } }, version: 7, clientToken: "b" }, qos);
  await until("conflict", () => errors.length === 1);
  expect(errors[0]).toMatchObject({ code: 409, message: "Version conflict", clientToken: "b" });
});

const clientOptions: Parameters<typeof iotshadow.IotShadowClientv2.newFromMqtt5>[1] = {
  maxRequestResponseSubscriptions: 6,
  maxStreamingSubscriptions: 4,
  operationTimeoutInSeconds: 10,
};

async function openSecondSdk(version: "3.1.1" | "5"): Promise<iotshadow.IotShadowClientv2> {
  if (version === "3.1.1") {
    const connection = openMqtt311();
    await connection.connect();
    closers.push(() => connection.disconnect());
    return iotshadow.IotShadowClientv2.newFromMqtt311(connection, clientOptions);
  }
  const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory(
    "localhost",
    device.certificatePem,
    device.privateKeyPem,
  );
  builder.withPort(aws.server.devicePort).withCertificateAuthority(aws.server.ca.toString());
  builder.withConnectProperties({ clientId: newName("third"), keepAliveIntervalSeconds: 30 });
  const client = new mqtt5.Mqtt5Client(builder.build());
  const connected = once(client, "connectionSuccess");
  client.start();
  await connected;
  closers.push(async () => {
    const stopped = once(client, "stopped");
    client.stop();
    await stopped;
    client.close();
  });
  return iotshadow.IotShadowClientv2.newFromMqtt5(client, clientOptions);
}

test.each(["3.1.1", "5"] as const)(
  "aws-iot-device-sdk-v2, second shadow client over MQTT %s: both kinds of shadows, streams",
  async (version) => {
    const shadow = await openSecondSdk(version);
    closers.push(() => shadow.close());
    const thingName = newName("thing");
    const shadowName = "cfg";

    const missing = await shadow.getShadow({ thingName }).catch((error: unknown) => error);
    expect(missing).toMatchObject({ modeledError: { code: 404, message: `No shadow exists with name: '${thingName}'` } });

    const deltas: iotshadow.model.ShadowDeltaUpdatedEvent[] = [];
    const stream = shadow.createNamedShadowDeltaUpdatedStream({ thingName, shadowName });
    closers.push(() => stream.close());
    stream.on("incomingPublish", ({ message }) => deltas.push(message));
    const subscribed = once(stream, "subscriptionStatus");
    stream.open();
    await subscribed;

    expect(await shadow.updateShadow({ thingName, state: { reported: { a: 1 } } })).toMatchObject({
      version: 1,
      state: { reported: { a: 1 } },
    });
    expect(await shadow.getShadow({ thingName })).toMatchObject({ version: 1, state: { reported: { a: 1 } } });
    const named = { thingName, shadowName };
    expect(await shadow.updateNamedShadow({ ...named, state: { desired: { b: [1, 2] }, reported: { b: [1] } } })).toMatchObject({
      version: 1,
    });
    await until("delta", () => deltas.length === 1);
    expect(deltas[0]).toMatchObject({ version: 1, state: { b: [1, 2] } });
    expect(await shadow.getNamedShadow(named)).toMatchObject({
      state: { desired: { b: [1, 2] }, reported: { b: [1] }, delta: { b: [1, 2] } },
    });
    const conflict = await shadow.updateNamedShadow({ ...named, state: {}, version: 9 }).catch((error: unknown) => error);
    expect(conflict).toMatchObject({ modeledError: { code: 409, message: "Version conflict" } });
    expect(await shadow.deleteNamedShadow(named)).toMatchObject({ version: 1 });
    // Made again soon: the numbering goes on.
    expect(await shadow.updateNamedShadow({ ...named, state: { reported: { b: 1 } } })).toMatchObject({ version: 2 });
    expect(await shadow.deleteShadow({ thingName })).toMatchObject({ version: 1 });
    const { payload } = await data.send(new GetThingShadowCommand(named));
    expect(textOf(payload)).toMatchObject({ state: { reported: { b: 1 } }, version: 2 });
  },
);

test("what was accepted is there after kill -9, numbers as they were written", async () => {
  const { client, register, status } = await openFirstSdk();
  const thingName = newName("thing");
  await register(thingName);
  await status(client.update(thingName, { state: { reported: { list: [1, { a: 2 }] } } }));
  await data.send(new UpdateThingShadowCommand({ thingName, payload: Buffer.from('{"state":{"reported":{"id":9007199254740993}}}') }));
  await new Promise((resolve) => client.end(true, resolve));
  await aws.server.kill();

  const after = await startAwsFixture({ dataDir: aws.server.dataDir });
  const again = new IoTDataPlaneClient(after.clientOptions());
  closers.push(
    () => again.destroy(),
    () => after.server.stop(),
  );
  const { payload } = await again.send(new GetThingShadowCommand({ thingName }));
  expect(textOf(payload)).toMatchObject({ version: 2, state: { reported: { list: [1, { a: 2 }] } } });
  expect(Buffer.from(payload ?? []).toString()).toContain('"id":9007199254740993');
});
