/** Devices that come without an identity: by claim, by CSR, by their own CA, through the API; by the vendor's clients (AWS reference, 13 and 3.4). */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import {
  CreateProvisioningClaimCommand,
  CreateProvisioningTemplateCommand,
  CreateProvisioningTemplateVersionCommand,
  DeleteProvisioningTemplateCommand,
  DeleteProvisioningTemplateVersionCommand,
  DescribeProvisioningTemplateCommand,
  DescribeProvisioningTemplateVersionCommand,
  DescribeThingCommand,
  ListProvisioningTemplatesCommand,
  ListProvisioningTemplateVersionsCommand,
  ListThingPrincipalsCommand,
  RegisterCACertificateCommand,
  RegisterThingCommand,
  UpdateProvisioningTemplateCommand,
} from "@aws-sdk/client-iot";
import { decodeProvisioningRequest, encodeProvisioningAnswer } from "@thingstead/dialects";
import { mqtt as crtMqtt, iot, iotidentity, mqtt5 } from "aws-iot-device-sdk-v2";
import mqtt from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type AwsFixture, startAwsFixture } from "./support/aws-fixture.ts";
import { needProgram } from "./support/services.ts";

interface Credentials {
  certificatePem: string;
  privateKeyPem: string;
}

let aws: AwsFixture;
let hook: Server;
let hookUrl: string;
let hookRequests: Record<string, unknown>[] = [];
const closers: (() => Promise<unknown>)[] = [];
const roleArn = "arn:aws:iam::123456789012:role/provisioning";

beforeAll(async () => {
  hook = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const asked = JSON.parse(Buffer.concat(chunks).toString()) as { parameters: Record<string, string> };
      hookRequests.push(asked as unknown as Record<string, unknown>);
      const isAllowed = asked.parameters.SerialNumber !== "stolen";
      response.end(JSON.stringify({ allowProvisioning: isAllowed, parameterOverrides: { Location: "cellar" } }));
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
  hookUrl = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/allow`;
  aws = await startAwsFixture({ environment: { THINGSTEAD_RULES_WEBHOOK_ALLOW: "127.0.0.1" } });
});
afterEach(async () => {
  hookRequests = [];
  for (const close of closers.splice(0)) await close();
});
afterAll(async () => {
  await aws?.remove();
  hook?.close();
});

function templateBody(change: { thingName?: object; policies?: object } = {}): string {
  return JSON.stringify({
    Parameters: {
      SerialNumber: { Type: "String" },
      Location: { Type: "String", Default: "attic" },
      "AWS::IoT::Certificate::Id": { Type: "String" },
    },
    Resources: {
      thing: {
        Type: "AWS::IoT::Thing",
        Properties: {
          ThingName: change.thingName ?? { "Fn::Join": ["", ["lamp_", { Ref: "SerialNumber" }]] },
          AttributePayload: { location: { Ref: "Location" } },
        },
      },
      certificate: {
        Type: "AWS::IoT::Certificate",
        Properties: { CertificateId: { Ref: "AWS::IoT::Certificate::Id" }, Status: "Active" },
      },
      policy: {
        Type: "AWS::IoT::Policy",
        Properties: {
          PolicyDocument: {
            Version: "2012-10-17",
            Statement: [
              { Effect: "Allow", Action: "iot:Connect", Resource: aws.arn("client/${iot:Connection.Thing.ThingName}") },
              {
                Effect: "Allow",
                Action: ["iot:Publish", "iot:Receive"],
                Resource: aws.arn("topic/own/${iot:Connection.Thing.ThingName}/*"),
              },
              { Effect: "Allow", Action: "iot:Subscribe", Resource: aws.arn("topicfilter/own/${iot:Connection.Thing.ThingName}/*") },
            ],
          },
        },
      },
    },
    DeviceConfiguration: { FallbackUrl: "https://example.com", Place: { Ref: "Location" } },
  });
}

async function createTemplate(templateName: string, more: object = {}): Promise<string> {
  const body = templateBody();
  await aws.iot.send(
    new CreateProvisioningTemplateCommand({ templateName, templateBody: body, provisioningRoleArn: roleArn, enabled: true, ...more }),
  );
  return body;
}

async function createClaim(templateName: string): Promise<Credentials> {
  const { certificatePem = "", keyPair, expiration } = await aws.iot.send(new CreateProvisioningClaimCommand({ templateName }));
  const seconds = ((expiration?.getTime() ?? 0) - Date.now()) / 1000;
  expect(seconds).toBeGreaterThan(280);
  expect(seconds).toBeLessThanOrEqual(301);
  return { certificatePem, privateKeyPem: keyPair?.PrivateKey ?? "" };
}

/** The vendor's client (native CRT). */
async function connectCrt(clientId: string, { certificatePem, privateKeyPem }: Credentials): Promise<mqtt5.Mqtt5Client> {
  const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory("localhost", certificatePem, privateKeyPem);
  builder
    .withPort(aws.server.devicePort)
    .withCertificateAuthority(aws.server.ca.toString())
    .withConnectProperties({ clientId, keepAliveIntervalSeconds: 30 });
  builder.withMinReconnectDelayMs(60_000).withMaxReconnectDelayMs(120_000);
  const client = new mqtt5.Mqtt5Client(builder.build());
  client.on("error", () => {});
  closers.push(async () => {
    const stopped = once(client, "stopped");
    client.stop();
    await stopped;
    client.close();
  });
  const connected = Promise.race([
    once(client, "connectionSuccess"),
    once(client, "connectionFailure").then(([event]) => Promise.reject(new Error(String((event as mqtt5.ConnectionFailureEvent).error)))),
  ]);
  client.start();
  await connected;
  return client;
}

/** The vendor's older client, MQTT 3.1.1. */
async function connectCrt311(clientId: string, { certificatePem, privateKeyPem }: Credentials): Promise<crtMqtt.MqttClientConnection> {
  const builder = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(certificatePem, privateKeyPem);
  builder.with_certificate_authority(aws.server.ca.toString()).with_endpoint("localhost").with_port(aws.server.devicePort);
  const connection = new crtMqtt.MqttClient().new_connection(builder.with_client_id(clientId).with_clean_session(true).build());
  connection.on("error", () => {});
  await connection.connect();
  closers.push(() => connection.disconnect());
  return connection;
}

/** Answers in the order in which they come. */
function collect() {
  const answers: unknown[] = [];
  let wake = () => {};
  return {
    handle(error: unknown, answer: unknown) {
      answers.push(error ?? answer);
      wake();
    },
    async next(): Promise<unknown> {
      if (answers.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return answers.shift();
    },
  };
}

function openIdentity(client: mqtt5.Mqtt5Client): iotidentity.IotIdentityClientv2 {
  const identity = iotidentity.IotIdentityClientv2.newFromMqtt5(client, {
    maxRequestResponseSubscriptions: 6,
    maxStreamingSubscriptions: 0,
    operationTimeoutInSeconds: 20,
  });
  closers.unshift(async () => identity.close());
  return identity;
}

function mqttOptions(clientId: string, { certificatePem, privateKeyPem }: Credentials): mqtt.IClientOptions {
  return {
    protocol: "mqtts",
    host: "127.0.0.1",
    servername: "localhost",
    port: aws.server.devicePort,
    ca: aws.server.ca,
    cert: certificatePem,
    key: privateKeyPem,
    clientId,
    reconnectPeriod: 0,
  };
}

async function connectMqtt(clientId: string, credentials: Credentials): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync(mqttOptions(clientId, credentials));
  closers.push(() => client.endAsync(true));
  return client;
}

/** How an attempt ends that may be closed without a word. */
async function attempt(clientId: string, credentials: Credentials): Promise<"connected" | "closed"> {
  const client = mqtt.connect(mqttOptions(clientId, credentials));
  client.on("error", () => {});
  const outcome = await new Promise<"connected" | "closed">((resolve) => {
    client.once("connect", () => resolve("connected"));
    client.once("close", () => resolve("closed"));
  });
  await client.endAsync(true);
  return outcome;
}

/** What the new identity is good for: its own topics, by its thing's name. */
async function proveIdentity(thingName: string, credentials: Credentials): Promise<void> {
  const client = await connectMqtt(thingName, credentials);
  const [granted] = await client.subscribeAsync(`own/${thingName}/#`, { qos: 1 });
  expect(granted?.qos).toBe(1);
  const message = new Promise<string>((resolve) => client.once("message", (_topic, payload) => resolve(String(payload))));
  await client.publishAsync(`own/${thingName}/hello`, "here I am", { qos: 1 });
  expect(await message).toBe("here I am");
}

const refusalOf = (answer: Promise<unknown>) =>
  answer.then(
    () => "nothing was refused",
    (error: { name: string }) => error.name,
  );

/** The device's side hides the service's words one level down. */
const rejectionOf = (answer: Promise<unknown>) =>
  answer.then(
    () => undefined,
    (error: { modeledError?: object }) => error.modeledError,
  );

describe("[AW 13] by claim, with the vendor's identity client", () => {
  test("keys of the server: the device comes back as itself", async () => {
    await createTemplate("by-keys", { preProvisioningHook: { targetArn: hookUrl } });
    const client = await connectCrt("claimant", await createClaim("by-keys"));
    const identity = openIdentity(client);
    const keys = await identity.createKeysAndCertificate({});
    expect(keys.certificatePem).toContain("BEGIN CERTIFICATE");
    const made: Credentials = { certificatePem: keys.certificatePem ?? "", privateKeyPem: keys.privateKey ?? "" };
    // Not before it has been provisioned.
    expect(await attempt("lamp_0001", made)).toBe("closed");
    const { certificateOwnershipToken = "" } = keys;
    const registered = await identity.registerThing({
      templateName: "by-keys",
      certificateOwnershipToken,
      parameters: { SerialNumber: "0001" },
    });
    expect(registered).toEqual({ thingName: "lamp_0001", deviceConfiguration: { FallbackUrl: "https://example.com", Place: "cellar" } });
    expect(hookRequests).toMatchObject([
      {
        certificateId: keys.certificateId,
        clientId: "claimant",
        templateArn: aws.arn("provisioningtemplate/by-keys"),
        parameters: { SerialNumber: "0001" },
      },
    ]);
    expect(await aws.iot.send(new DescribeThingCommand({ thingName: "lamp_0001" }))).toMatchObject({ attributes: { location: "cellar" } });
    expect((await aws.iot.send(new ListThingPrincipalsCommand({ thingName: "lamp_0001" }))).principals).toEqual([
      aws.arn(`cert/${keys.certificateId}`),
    ]);
    await proveIdentity("lamp_0001", made);
    expect(
      await rejectionOf(
        identity.registerThing({ templateName: "by-keys", certificateOwnershipToken, parameters: { SerialNumber: "0002" } }),
      ),
    ).toMatchObject({
      statusCode: 400,
      errorCode: "InvalidCertificateOwnershipToken",
    });
    const { certificateOwnershipToken: another = "" } = await identity.createKeysAndCertificate({});
    expect(
      await rejectionOf(
        identity.registerThing({ templateName: "by-keys", certificateOwnershipToken: another, parameters: { SerialNumber: "stolen" } }),
      ),
    ).toMatchObject({
      statusCode: 403,
      errorCode: "AccessDenied",
    });
  });

  test("a key of the device's own, by a request made with openssl", async (context) => {
    needProgram(context, "openssl");
    await createTemplate("by-request");
    const keyFile = join(aws.server.dataDir, "own.key");
    execFileSync("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", keyFile]);
    const certificateSigningRequest = execFileSync("openssl", ["req", "-new", "-key", keyFile, "-subj", "/CN=lamp"]).toString();
    const identity = new iotidentity.IotIdentityClient(await connectCrt311("claimant", await createClaim("by-request")));
    const [accept, reject] = [collect(), collect()];
    await identity.subscribeToCreateCertificateFromCsrAccepted({}, crtMqtt.QoS.AtLeastOnce, accept.handle);
    await identity.subscribeToCreateCertificateFromCsrRejected({}, crtMqtt.QoS.AtLeastOnce, reject.handle);
    await identity.subscribeToRegisterThingAccepted({ templateName: "by-request" }, crtMqtt.QoS.AtLeastOnce, accept.handle);
    await identity.publishCreateCertificateFromCsr({ certificateSigningRequest }, crtMqtt.QoS.AtLeastOnce);
    const { certificatePem = "", certificateOwnershipToken = "" } =
      (await accept.next()) as iotidentity.model.CreateCertificateFromCsrResponse;
    await identity.publishRegisterThing(
      { templateName: "by-request", certificateOwnershipToken, parameters: { SerialNumber: "csr" } },
      crtMqtt.QoS.AtLeastOnce,
    );
    expect(await accept.next()).toMatchObject({ thingName: "lamp_csr" });
    await proveIdentity("lamp_csr", { certificatePem, privateKeyPem: readFileSync(keyFile, "utf8") });
    await identity.publishCreateCertificateFromCsr({ certificateSigningRequest: "no request" }, crtMqtt.QoS.AtLeastOnce);
    expect(await reject.next()).toMatchObject({ statusCode: 400, errorCode: "InvalidCertificateSigningRequest" });
  });

  test("claims that many devices share hand each its own key only; CBOR", async () => {
    await createTemplate("shared");
    const claim = await createClaim("shared");
    const devices = await Promise.all(["d1", "d2"].map((clientId) => connectMqtt(clientId, claim)));
    const seen = devices.map((device) => {
      const answers: { topic: string; members: Record<string, string> }[] = [];
      device.on("message", (topic, payload) =>
        answers.push({ topic, members: { ...decodeProvisioningRequest("cbor", payload) } as Record<string, string> }),
      );
      return answers;
    });
    for (const device of devices) {
      await device.subscribeAsync("$aws/certificates/create/cbor/+", { qos: 1 });
      await device.subscribeAsync("$aws/provisioning-templates/shared/provision/cbor/+", { qos: 1 });
    }
    await Promise.all(devices.map((device) => device.publishAsync("$aws/certificates/create/cbor", Buffer.from([0xa0]), { qos: 1 })));
    await expect.poll(() => seen.map((answers) => answers.length)).toEqual([1, 1]);
    const [first, second] = seen.map(([answer]) => answer?.members);
    expect(first?.privateKey).toContain("PRIVATE KEY");
    expect(first?.privateKey).not.toBe(second?.privateKey);
    const request = { certificateOwnershipToken: first?.certificateOwnershipToken, parameters: { SerialNumber: "cbor" } };
    await devices[0]?.publishAsync(
      "$aws/provisioning-templates/shared/provision/cbor",
      Buffer.from(encodeProvisioningAnswer("cbor", request)),
      { qos: 1 },
    );
    await expect.poll(() => seen.map((answers) => answers.length)).toEqual([2, 1]);
    expect(seen[0]?.[1]).toEqual({
      topic: "$aws/provisioning-templates/shared/provision/cbor/accepted",
      members: { thingName: "lamp_cbor", deviceConfiguration: { FallbackUrl: "https://example.com", Place: "attic" } },
    });
    // A claim is good for nothing else.
    expect((await devices[1]?.subscribeAsync("own/#", { qos: 1 }).catch(() => [{ qos: 128 }]))?.[0]?.qos).toBe(128);
  });
});

test("[AW 3.4] just in time: a device of one's own CA is provisioned at its first connection", async (context) => {
  needProgram(context, "openssl");
  const folder = aws.server.dataDir;
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  for (const name of ["jit-ca", "jit"]) openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${name}.key`);
  openssl("req", "-x509", "-new", "-key", "jit-ca.key", "-subj", "/O=Maker/CN=jit-ca", "-days", "2", "-out", "jit-ca.crt");
  openssl("req", "-new", "-key", "jit.key", "-subj", "/O=Maker/CN=lamp-77", "-out", "jit.csr");
  openssl(
    "x509",
    "-req",
    "-in",
    "jit.csr",
    "-CA",
    "jit-ca.crt",
    "-CAkey",
    "jit-ca.key",
    "-CAcreateserial",
    "-days",
    "2",
    "-out",
    "jit.crt",
  );
  const body = JSON.parse(templateBody({ thingName: { Ref: "AWS::IoT::Certificate::CommonName" } })) as { Parameters: object };
  body.Parameters = { "AWS::IoT::Certificate::CommonName": { Type: "String" }, Location: { Type: "String", Default: "shed" } };
  await createTemplate("jit", { type: "JITP", templateBody: JSON.stringify(body) });
  await aws.iot.send(
    new RegisterCACertificateCommand({
      caCertificate: readFileSync(join(folder, "jit-ca.crt"), "utf8"),
      certificateMode: "SNI_ONLY",
      setAsActive: true,
      allowAutoRegistration: true,
      registrationConfig: { templateName: "jit" },
    }),
  );
  // Leaf and CA, as devices send it.
  const chain = readFileSync(join(folder, "jit.crt"), "utf8") + readFileSync(join(folder, "jit-ca.crt"), "utf8");
  const credentials = { certificatePem: chain, privateKeyPem: readFileSync(join(folder, "jit.key"), "utf8") };
  // The first connection provisions and is dropped.
  expect(await attempt("lamp-77", credentials)).toBe("closed");
  expect(await aws.iot.send(new DescribeThingCommand({ thingName: "lamp-77" }))).toMatchObject({ attributes: { location: "shed" } });
  await proveIdentity("lamp-77", credentials);
});

describe("[AW 16] the API", () => {
  test("RegisterThing with a template of the caller's", async (context) => {
    needProgram(context, "openssl");
    const keyFile = join(aws.server.dataDir, "register.key");
    execFileSync("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", keyFile]);
    const csr = execFileSync("openssl", ["req", "-new", "-key", keyFile, "-subj", "/CN=lamp"]).toString();
    const body = JSON.parse(templateBody()) as { Parameters: Record<string, object>; Resources: Record<string, object> };
    body.Resources.certificate = { Type: "AWS::IoT::Certificate", Properties: { CertificateSigningRequest: { Ref: "CSR" } } };
    body.Parameters = { SerialNumber: { Type: "String" }, CSR: { Type: "String" }, Location: { Type: "String", Default: "attic" } };
    const templateText = JSON.stringify(body);
    const registered = await aws.iot.send(
      new RegisterThingCommand({ templateBody: templateText, parameters: { SerialNumber: "api", CSR: csr } }),
    );
    expect(registered.resourceArns).toMatchObject({ thing: aws.arn("thing/lamp_api"), certificate: expect.stringContaining(":cert/") });
    await proveIdentity("lamp_api", { certificatePem: registered.certificatePem ?? "", privateKeyPem: readFileSync(keyFile, "utf8") });
    expect(await refusalOf(aws.iot.send(new RegisterThingCommand({ templateBody: templateText, parameters: { CSR: csr } })))).toBe(
      "InvalidRequestException",
    );
    expect(await refusalOf(aws.iot.send(new RegisterThingCommand({ templateBody: "{", parameters: {} })))).toBe("InvalidRequestException");
  });

  test("templates and their versions", async () => {
    const { iot: api } = aws;
    const templateName = "versions";
    const first = await createTemplate(templateName, { description: "one", tags: [{ Key: "a", Value: "b" }] });
    expect(await refusalOf(createTemplate(templateName))).toBe("ResourceAlreadyExistsException");
    expect(await refusalOf(createTemplate("bad", { templateBody: "{}" }))).toBe("InvalidRequestException");
    const lambda = "arn:aws:lambda:us-east-2:123456789012:function:allow";
    expect(await refusalOf(createTemplate("bad", { preProvisioningHook: { targetArn: lambda } }))).toBe("InvalidRequestException");
    const described = await api.send(new DescribeProvisioningTemplateCommand({ templateName }));
    expect(described).toMatchObject({
      templateArn: aws.arn(`provisioningtemplate/${templateName}`),
      templateName,
      description: "one",
      defaultVersionId: 1,
      templateBody: first,
      enabled: true,
      provisioningRoleArn: roleArn,
      type: "FLEET_PROVISIONING",
    });
    expect(described.creationDate?.getTime()).toBeGreaterThan(Date.now() - 60_000);
    const second = templateBody({ thingName: { Ref: "SerialNumber" } });
    expect(
      await api.send(new CreateProvisioningTemplateVersionCommand({ templateName, templateBody: second, setAsDefault: true })),
    ).toMatchObject({
      versionId: 2,
      isDefaultVersion: true,
    });
    expect(await api.send(new DescribeProvisioningTemplateVersionCommand({ templateName, versionId: 2 }))).toMatchObject({
      templateBody: second,
    });
    expect(await refusalOf(api.send(new DeleteProvisioningTemplateVersionCommand({ templateName, versionId: 2 })))).toBe(
      "DeleteConflictException",
    );
    await api.send(
      new UpdateProvisioningTemplateCommand({
        templateName,
        defaultVersionId: 1,
        enabled: false,
        preProvisioningHook: { targetArn: hookUrl },
      }),
    );
    await api.send(new DeleteProvisioningTemplateVersionCommand({ templateName, versionId: 2 }));
    const { versions = [] } = await api.send(new ListProvisioningTemplateVersionsCommand({ templateName }));
    expect(versions).toMatchObject([{ versionId: 1, isDefaultVersion: true }]);
    expect(await api.send(new DescribeProvisioningTemplateCommand({ templateName }))).toMatchObject({
      enabled: false,
      preProvisioningHook: { targetArn: hookUrl },
    });
    expect(await refusalOf(api.send(new CreateProvisioningClaimCommand({ templateName })))).toBe("InvalidRequestException");
    const { templates = [] } = await api.send(new ListProvisioningTemplatesCommand({ maxResults: 100 }));
    expect(templates).toContainEqual(expect.objectContaining({ templateName, enabled: false }));
    await api.send(new DeleteProvisioningTemplateCommand({ templateName }));
    expect(await refusalOf(api.send(new DescribeProvisioningTemplateCommand({ templateName })))).toBe("ResourceNotFoundException");
  });
});
