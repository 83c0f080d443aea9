/** AWS clients that we did not write, by certificate: policies, denials, topics and live cuts (AWS reference, 5 to 9). */
import {
  AttachPolicyCommand,
  CreatePolicyVersionCommand,
  DetachPolicyCommand,
  UpdateCertificateCommand,
  UpdateThingCommand,
} from "@aws-sdk/client-iot";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type AwsDevice, type AwsFixture, type AwsStatement, awsHost, everything, startAwsFixture } from "./support/aws-fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { run } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";
import { createTestPki } from "./support/test-pki.ts";
import { until } from "./support/until.ts";

let aws: AwsFixture;
let open: AwsDevice;
const clients: mqtt.MqttClient[] = [];

beforeAll(async () => {
  aws = await startAwsFixture();
  open = await aws.createDevice({ thingName: "open-thing" });
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true);
});
afterAll(() => aws?.remove());

let counter = 0;
const newId = () => `client-${++counter}`;

async function connect(device: Pick<AwsDevice, "certificatePem" | "privateKeyPem"> | undefined, options: mqtt.IClientOptions = {}) {
  const client = await mqtt.connectAsync(
    `mqtts://127.0.0.1:${aws.server.devicePort}`,
    {
      ca: aws.server.ca,
      servername: "localhost",
      ...(device === undefined ? {} : { cert: device.certificatePem, key: device.privateKeyPem }),
      clientId: newId(),
      reconnectPeriod: 0,
      ...options,
    },
    false,
  );
  client.on("error", () => {});
  clients.push(client);
  return client;
}

function hear(client: mqtt.MqttClient): { topic: string; text: string; retain: boolean }[] {
  const heard: { topic: string; text: string; retain: boolean }[] = [];
  client.on("message", (topic, payload, { retain }) => heard.push({ topic, text: payload.toString(), retain }));
  return heard;
}

const closed = (client: mqtt.MqttClient) =>
  new Promise<void>((resolve) => {
    if (client.disconnected || !client.connected) resolve();
    else client.once("close", resolve);
  });

const mosquitto = (device: AwsDevice, program: "mosquitto_pub" | "mosquitto_sub", ...args: string[]) =>
  run(program, [
    ...["-h", "localhost", "-p", String(aws.server.devicePort), "--cafile", aws.server.caFile],
    ...["--cert", device.certificateFile, "--key", device.privateKeyFile, ...args],
  ]);

test("mosquitto_pub and mosquitto_sub with certificates; user name and password are ignored", async (context) => {
  needProgram(context, "mosquitto_pub");
  const sub = mosquitto(
    open,
    "mosquitto_sub",
    "-t",
    "m/+",
    "-C",
    "1",
    "-q",
    "1",
    "-i",
    newId(),
    "-u",
    "espressif",
    "-P",
    "1234567890",
    "-W",
    "10",
  );
  const retained = await mosquitto(
    open,
    "mosquitto_pub",
    "-t",
    "m/1",
    "-m",
    "hello",
    "-q",
    "1",
    "-i",
    newId(),
    "--repeat",
    "5",
    "--repeat-delay",
    "0.2",
  );
  expect(retained.code).toBe(0);
  expect(await sub).toMatchObject({ code: 0, stdout: "hello\n" });
});

test("[AWS 5.6] without a policy, with an inactive certificate or an unknown one, nobody connects", async () => {
  const powerless = await aws.createDevice({ statements: [{ Effect: "Allow", Action: "iot:Publish", Resource: "*" }] });
  const inactive = await aws.createDevice({ isActive: false });
  for (const device of [powerless, inactive]) {
    await expect(connect(device)).rejects.toMatchObject({ code: 5 });
    await expect(connect(device, { protocolVersion: 5 })).rejects.toMatchObject({ code: 0x87 });
  }
  const pki = createTestPki(["localhost"]);
  try {
    const stranger = { certificatePem: pki.deviceCert.toString(), privateKeyPem: pki.deviceKey.toString() };
    await expect(connect(stranger, { servername: awsHost })).rejects.toMatchObject({ code: 5 });
  } finally {
    pki.remove();
  }
});

test("[AWS 5.2, 5.6] a policy bounds publish, subscribe, receive and retain", async () => {
  const device = await aws.createDevice({
    statements: [
      { Effect: "Allow", Action: "iot:Connect", Resource: aws.arn("client/${iot:ClientId}") },
      { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: aws.arn("topic/own/*") },
      { Effect: "Allow", Action: "iot:Subscribe", Resource: aws.arn("topicfilter/own/*") },
      { Effect: "Deny", Action: "iot:Receive", Resource: aws.arn("topic/own/secret") },
    ],
  });
  const client = await connect(device);
  const heard = hear(client);
  expect((await client.subscribeAsync("own/#", { qos: 2 }))[0]?.qos).toBe(1);
  await expect(client.subscribeAsync("others/#")).rejects.toThrow();
  const other = await connect(open);
  await other.publishAsync("own/secret", "1", { qos: 1 });
  await other.publishAsync("own/open", "2", { qos: 1 });
  await client.publishAsync("own/echo", "3", { qos: 1 });
  await until("two messages", () => heard.length === 2);
  expect(heard.map(({ text }) => text)).toEqual(["2", "3"]);
  const gone = closed(client);
  client.publish("others/1", "x", { qos: 1 });
  await gone;

  const retaining = await connect(device);
  const cut = closed(retaining);
  retaining.publish("own/kept", "x", { qos: 1, retain: true });
  await cut;

  const five = await connect(device, { protocolVersion: 5 });
  await expect(five.publishAsync("others/1", "x", { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
});

test("[AWS 5.5, 6.5] connect attributes and the will are judged at CONNECT", async () => {
  const device = await aws.createDevice({
    statements: [
      ...everything,
      {
        Effect: "Deny",
        Action: "iot:Connect",
        Resource: "*",
        Condition: { "ForAnyValue:StringEquals": { "iot:ConnectAttributes": ["PersistentConnect"] } },
      },
      { Effect: "Deny", Action: "iot:Publish", Resource: aws.arn("topic/no/will") },
    ],
  });
  await expect(connect(device, { clean: false })).rejects.toMatchObject({ code: 5 });
  await expect(connect(device, { will: { topic: "no/will", payload: Buffer.from("x"), qos: 1, retain: false } })).rejects.toMatchObject({
    code: 5,
  });
  const watcher = await connect(open);
  const heard = hear(watcher);
  await watcher.subscribeAsync("a/will", { qos: 1 });
  const dying = await connect(device, { will: { topic: "a/will", payload: Buffer.from("gone"), qos: 1, retain: false } });
  dying.stream.destroy();
  await until("the will", () => heard.length === 1);
});

test("[AWS 6.1, 8, 9] topics, filters and client ids that do not exist here", async () => {
  for (const clientId of ["a+b", "$x", "x".repeat(129)]) await expect(connect(open, { clientId })).rejects.toMatchObject({ code: 2 });
  await expect(connect(open, { protocolVersion: 3, protocolId: "MQIsdp" })).rejects.toMatchObject({ code: 1 });
  const client = await connect(open);
  await expect(client.subscribeAsync("1/2/3/4/5/6/7/8/9")).rejects.toThrow();
  await expect(client.subscribeAsync("$SYS/#")).rejects.toThrow();
  expect((await client.subscribeAsync("$share/group/1/2/3/4/5/6/7/8"))[0]?.qos).toBe(0);
  const five = await connect(open, { protocolVersion: 5 });
  await expect(five.publishAsync("1/2/3/4/5/6/7/8/9", "x", { qos: 1 })).rejects.toMatchObject({ code: 0x90 });
  for (const topic of ["$other/x", "$aws/things/t/shadow/update/accepted", "/sys/pk/dn/thing/service/property/set"]) {
    const one = await connect(open);
    const gone = closed(one);
    one.publish(topic, "x");
    await gone;
  }
});

test("[AWS 6.1] # does not match the level above; a retained message comes for its very topic", async () => {
  const client = await connect(open);
  const heard = hear(client);
  await client.subscribeAsync("level/#", { qos: 1 });
  await client.publishAsync("level", "above", { qos: 1 });
  await client.publishAsync("level/1", "below", { qos: 1, retain: true });
  await until("a message", () => heard.length === 1);
  const later = await connect(open);
  const heardLater = hear(later);
  await later.subscribeAsync("level/+", { qos: 1 });
  await later.subscribeAsync("level/1", { qos: 1 });
  await until("the retained message", () => heardLater.length === 1);
  expect([...heard, ...heardLater].map(({ text, retain }) => `${text} ${retain}`)).toEqual(["below false", "below true"]);
});

test("[AWS 3.2] a certificate that is deactivated loses its sessions at once, and comes back", async () => {
  const device = await aws.createDevice();
  const client = await connect(device);
  const gone = closed(client);
  await aws.iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: "INACTIVE" }));
  await gone;
  await expect(connect(device)).rejects.toMatchObject({ code: 5 });
  await aws.iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: "ACTIVE" }));
  await connect(device);
});

test("[AWS 5.1] a new default version, a detached policy and a thing's attribute change what a live session may do", async () => {
  const connects: AwsStatement = { Effect: "Allow", Action: ["iot:Connect", "iot:Subscribe", "iot:Receive"], Resource: "*" };
  const publishes = (topic: string): AwsStatement => ({ Effect: "Allow", Action: "iot:Publish", Resource: aws.arn(`topic/${topic}`) });
  const device = await aws.createDevice({
    thingName: "changing",
    statements: [connects, publishes("v1/x"), publishes("room/${iot:Connection.Thing.Attributes[room]}")],
  });
  const client = await connect(device, { protocolVersion: 5, clientId: "changing" });
  const may = async (topic: string) => {
    const outcome = await client.publishAsync(topic, "x", { qos: 1 }).then(
      () => true,
      () => false,
    );
    return outcome;
  };
  // A refused publish costs the connection; so only what was forbidden and becomes allowed is asked here.
  expect(await may("v1/x")).toBe(true);
  await aws.iot.send(new UpdateThingCommand({ thingName: "changing", attributePayload: { attributes: { room: "kitchen" } } }));
  expect(await may("room/kitchen")).toBe(true);
  await aws.iot.send(
    new CreatePolicyVersionCommand({
      policyName: device.policyName,
      policyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [connects, publishes("v2/x")] }),
      setAsDefault: true,
    }),
  );
  expect(await may("v2/x")).toBe(true);
  await aws.iot.send(new DetachPolicyCommand({ policyName: device.policyName, target: device.certificateArn }));
  expect(await may("v2/x")).toBe(false);
  await aws.iot.send(new AttachPolicyCommand({ policyName: device.policyName, target: device.certificateArn }));
});

test("one session for a client id, whoever's certificate", async () => {
  const first = await connect(open, { clientId: "shared" });
  const gone = closed(first);
  const second = await connect(await aws.createDevice(), { clientId: "shared" });
  await gone;
  expect(second.connected).toBe(true);
});

test("the thing of an attached certificate is online while its client is there, and its log tells what happened", async () => {
  const rest = restClient(aws.server);
  const statusOf = async () => (await rest("GET", "/products/aws/devices/online-thing")).body.status;
  const device = await aws.createDevice({ thingName: "online-thing" });
  const client = await connect(device, { clientId: "online-thing" });
  await until("online", async () => (await statusOf()) === "ONLINE");
  const gone = closed(client);
  client.publish("$nothing", "x");
  await gone;
  await until("offline", async () => (await statusOf()) === "OFFLINE");
  const log = (await rest("GET", "/device-log?productKey=aws&deviceName=online-thing")).body.items;
  expect(log.map(({ code }: { code: string }) => code)).toEqual(expect.arrayContaining(["device.connected", "access.topic_reserved"]));
});
