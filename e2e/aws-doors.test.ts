/** How AWS clients come in: the device SDKs by certificate and by signed WebSocket, authorizers, own CAs (AWS reference, 2 and 3). */
import { createSign, generateKeyPairSync, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  AttachPolicyCommand,
  CreateAuthorizerCommand,
  GetRegistrationCodeCommand,
  ListCertificatesCommand,
  RegisterCACertificateCommand,
  SetDefaultAuthorizerCommand,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import { signConnect } from "@thingstead/dialects";
import { device as awsDevice } from "aws-iot-device-sdk";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type AwsDevice, type AwsFixture, awsHost, awsRegion, everything, startAwsFixture } from "./support/aws-fixture.ts";

import { createFixture } from "./support/fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { needProgram } from "./support/services.ts";
import { createTestPki, type TestPki } from "./support/test-pki.ts";
import { until } from "./support/until.ts";

let aws: AwsFixture;
let open: AwsDevice;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  aws = await startAwsFixture({ environment: { THINGSTEAD_RULES_WEBHOOK_ALLOW: "127.0.0.1" } });
  open = await aws.createDevice();
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(() => aws?.remove());

let counter = 0;
const newId = () => `door-${++counter}`;

async function connect(options: mqtt.IClientOptions): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync(
    `mqtts://127.0.0.1:${aws.server.devicePort}`,
    { ca: aws.server.ca, servername: "localhost", clientId: newId(), reconnectPeriod: 0, ...options },
    false,
  );
  client.on("error", () => {});
  closers.push(() => client.endAsync(true));
  return client;
}

async function echo(client: mqtt.MqttClient, topic: string): Promise<void> {
  const heard = nextMessage(client);
  await client.subscribeAsync(topic, { qos: 1 });
  await client.publishAsync(topic, "hello", { qos: 1 });
  expect(await heard).toBe(`${topic} hello`);
}

function nextMessage(client: mqtt.MqttClient): Promise<string> {
  return new Promise((resolve) => client.once("message", (topic, payload) => resolve(`${topic} ${payload}`)));
}

test.each([
  [
    "by certificate",
    () => ({ clientCert: Buffer.from(open.certificatePem), privateKey: Buffer.from(open.privateKeyPem), caCert: aws.server.ca }),
  ],
  [
    "by WebSocket with SigV4",
    () => ({
      protocol: "wss" as const,
      region: awsRegion,
      accessKeyId: aws.server.accessKeyId,
      secretKey: aws.server.accessKeySecret,
      websocketOptions: { ca: aws.server.ca },
    }),
  ],
])("aws-iot-device-sdk %s hears itself", async (_, credentials) => {
  const device = new awsDevice({ host: "localhost", port: aws.server.devicePort, clientId: newId(), ...credentials() });
  closers.push(() => new Promise<void>((resolve) => device.end(true, resolve)));
  device.on("error", () => {});
  await once(device, "connect");
  const heard = once(device, "message");
  await new Promise((resolve) => device.subscribe("sdk/1", { qos: 1 }, resolve));
  device.publish("sdk/1", "hello", { qos: 1 });
  expect(String((await heard)[1])).toBe("hello");
});

test("a WebSocket with a wrong signature is refused, with what was signed in the log", async () => {
  const device = new awsDevice({
    host: "localhost",
    port: aws.server.devicePort,
    clientId: "wrongly-signed",
    protocol: "wss",
    region: awsRegion,
    accessKeyId: aws.server.accessKeyId,
    secretKey: "not the secret",
    websocketOptions: { ca: aws.server.ca },
  });
  closers.push(() => new Promise<void>((resolve) => device.end(true, resolve)));
  device.on("error", () => {});
  const rest = restClient(aws.server);
  const entry = await until("the refusal", async () => {
    const { items } = (await rest("GET", "/device-log?limit=50")).body;
    return items.find(({ code, clientId }: Record<string, string>) => code === "access.request_signature" && clientId === "wrongly-signed");
  });
  expect(entry.expected).toContain("AWS4-HMAC-SHA256");
});

test("[AWS 2.2] by the default settings who shows that it is an AWS device is asked for a certificate, and does not come without", async () => {
  const byDefault = await startAwsFixture({ environment: { THINGSTEAD_TLS_CLIENT_CERTIFICATES: "auto" } });
  try {
    const device = await byDefault.createDevice();
    const url = `mqtts://127.0.0.1:${byDefault.server.devicePort}`;
    for (const hints of [{ ALPNProtocols: ["x-amzn-mqtt-ca"] }, { servername: awsHost }]) {
      const options = { ca: byDefault.server.ca, servername: "localhost", reconnectPeriod: 0, clientId: newId(), ...hints };
      const client = await mqtt.connectAsync(url, { ...options, cert: device.certificatePem, key: device.privateKeyPem }, false);
      await client.endAsync();
      await expect(mqtt.connectAsync(url, options, false)).rejects.toMatchObject({ code: 5 });
    }
  } finally {
    await byDefault.remove();
  }
});

/** An authorizer of the operator's: lets in who says the password. */
async function startAuthorizer(): Promise<{ url: string; asked: Record<string, unknown>[] }> {
  const asked: Record<string, unknown>[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const question = JSON.parse(Buffer.concat(chunks).toString());
      asked.push(question);
      const isAuthenticated =
        Buffer.from(question.protocolData.mqtt?.password ?? "", "base64").toString() === "let me in" || question.token === "good";
      response.end(
        JSON.stringify({
          isAuthenticated,
          principalId: "user1",
          disconnectAfterInSeconds: 3600,
          refreshAfterInSeconds: 600,
          policyDocuments: [
            {
              Version: "2012-10-17",
              Statement: [
                { Effect: "Allow", Action: "iot:*", Resource: [aws.arn("client/*"), aws.arn("topic/own/*"), aws.arn("topicfilter/own/*")] },
              ],
            },
          ],
        }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

test("[AWS 2.2] an authorizer decides by user name and password, by a signed token, and on a WebSocket", async () => {
  const { url, asked } = await startAuthorizer();
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await aws.iot.send(
    new CreateAuthorizerCommand({ authorizerName: "open", authorizerFunctionArn: url, signingDisabled: true, status: "ACTIVE" }),
  );
  await aws.iot.send(
    new CreateAuthorizerCommand({
      authorizerName: "signed",
      authorizerFunctionArn: url,
      tokenKeyName: "mytoken",
      tokenSigningPublicKeys: { one: publicKey.export({ type: "spki", format: "pem" }).toString() },
      status: "ACTIVE",
    }),
  );
  const alpn = { ALPNProtocols: ["mqtt"] };
  const named = { ...alpn, username: "ada?x-amz-customauthorizer-name=open" };
  await echo(await connect({ ...named, password: "let me in" }), "own/1");
  expect(asked[0]).toMatchObject({
    signatureVerified: false,
    protocolData: { mqtt: { username: named.username }, tls: { serverName: "localhost" } },
  });
  await expect(connect({ ...named, password: "wrong" })).rejects.toMatchObject({ code: 5 });
  await expect((await connect({ ...named, password: "let me in" })).subscribeAsync("others/1")).rejects.toThrow();

  const signature = createSign("RSA-SHA256").update("good").sign(privateKey, "base64");
  const words = (token: string) =>
    new URLSearchParams({
      "x-amz-customauthorizer-name": "signed",
      "x-amz-customauthorizer-signature": signature,
      mytoken: token,
    }).toString();
  await echo(await connect({ ...alpn, username: `?${words("good")}` }), "own/2");
  const before = asked.length;
  await expect(connect({ ...alpn, username: `?${words("better")}` })).rejects.toMatchObject({ code: 5 });
  expect(asked.length).toBe(before);

  const socket = await mqtt.connectAsync(
    `wss://localhost:${aws.server.devicePort}/mqtt?${words("good")}`,
    { ca: aws.server.ca, clientId: newId(), reconnectPeriod: 0 },
    false,
  );
  closers.push(() => socket.endAsync(true));
  await echo(socket, "own/3");

  await aws.iot.send(new SetDefaultAuthorizerCommand({ authorizerName: "open" }));
  await echo(await connect({ servername: awsHost, username: "ada", password: "let me in" }), "own/4");
  await expect(connect({ ...alpn, username: "?x-amz-customauthorizer-name=nobody" })).rejects.toMatchObject({ code: 5 });
});

test("[AWS 3.4] a certificate of a registered CA registers itself, is announced, and connects once it is activated", async (context) => {
  needProgram(context, "openssl");
  const pki: TestPki = createTestPki(["localhost"]);
  closers.push(() => pki.remove());
  await aws.iot.send(new GetRegistrationCodeCommand({}));
  const registered = await aws.iot.send(
    new RegisterCACertificateCommand({
      caCertificate: pki.ca.toString(),
      certificateMode: "SNI_ONLY",
      setAsActive: true,
      allowAutoRegistration: true,
    }),
  );
  const caId = registered.certificateId ?? "";
  const watcher = await connect({ cert: open.certificatePem, key: open.privateKeyPem });
  const told: Record<string, unknown>[] = [];
  watcher.on("message", (_, payload) => told.push(JSON.parse(payload.toString())));
  await watcher.subscribeAsync(`$aws/events/certificates/registered/${caId}`, { qos: 1 });
  const credentials = { cert: pki.deviceCert.toString(), key: pki.deviceKey.toString() };
  for (const attempt of [1, 2]) {
    await expect(connect(credentials)).rejects.toThrow();
    await until(`announcement ${attempt}`, () => told.length === attempt);
  }
  const certificateId = new X509Certificate(pki.deviceCert).fingerprint256.replaceAll(":", "").toLowerCase();
  expect(told[0]).toMatchObject({
    certificateId,
    caCertificateId: caId,
    certificateStatus: "PENDING_ACTIVATION",
    awsAccountId: "123456789012",
  });
  const policyName = await aws.createPolicy(everything);
  await aws.iot.send(new AttachPolicyCommand({ policyName, target: aws.arn(`cert/${certificateId}`) }));
  await aws.iot.send(new UpdateCertificateCommand({ certificateId, newStatus: "ACTIVE" }));
  await echo(await connect(credentials), "jitr/1");
  const { certificates = [] } = await aws.iot.send(new ListCertificatesCommand({}));
  expect(certificates.map((each) => each.certificateId)).toContain(certificateId);
});

test("two clouds, one bus: an Alibaba device on topics of AWS, and an AWS client on those of the device", async () => {
  const rest = restClient(aws.server);
  const fixture = await createFixture(rest);
  const shadow = "$aws/things/lamp-9/shadow/update";
  for (const [topic, operation] of [
    ["mqtt:bridge/both", "ALL"],
    [shadow, "PUB"],
    [`${shadow}/accepted`, "SUB"],
  ]) {
    expect(await rest("POST", `/products/${fixture.productKey}/topics`, { topic, operation })).toMatchObject({ status: 201 });
  }
  const { clientId, userName, password } = signConnect({ ...fixture, secureMode: 2 });
  const ali = await connect({ clientId, username: userName, password });
  const client = await connect({ cert: open.certificatePem, key: open.privateKeyPem });
  await ali.subscribeAsync(["bridge/both", `${shadow}/accepted`, fixture.topic("get")], { qos: 1 });
  await client.subscribeAsync([fixture.topic("data"), shadow], { qos: 1 });

  const atClient = nextMessage(client);
  await ali.publishAsync(fixture.topic("data"), "from ali", { qos: 1 });
  expect(await atClient).toBe(`${fixture.topic("data")} from ali`);
  const atDevice = nextMessage(ali);
  await client.publishAsync(fixture.topic("get"), "from aws", { qos: 1 });
  expect(await atDevice).toBe(`${fixture.topic("get")} from aws`);
  const across = nextMessage(ali);
  await client.publishAsync("bridge/both", "plain", { qos: 1 });
  expect(await across).toBe("bridge/both plain");

  const accepted = nextMessage(ali);
  await ali.publishAsync(shadow, JSON.stringify({ state: { reported: { on: true } } }), { qos: 1 });
  expect(await accepted).toMatch(/accepted .*"reported":\{"on":true\}/);
  await expect(ali.subscribeAsync("bridge/other")).rejects.toThrow();
});
