/** The AWS API and its data planes by curl, which signs and shows certificates on its own (AWS reference 2.2, 15, 17). */
import { IoTClient, UpdateCertificateCommand } from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type AwsDevice, type AwsFixture, awsRegion, startAwsFixture } from "./support/aws-fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { run } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";

let fixture: AwsFixture;
let device: AwsDevice;

beforeAll(async () => {
  fixture = await startAwsFixture();
  device = await fixture.createDevice({
    thingName: "meter-1",
    statements: [
      { Effect: "Allow", Action: ["iot:Publish", "iot:RetainPublish"], Resource: fixture.arn("topic/meters/*") },
      { Effect: "Allow", Action: ["iot:GetThingShadow", "iot:UpdateThingShadow"], Resource: fixture.arn("thing/meter-1") },
      { Effect: "Deny", Action: "iot:Publish", Resource: fixture.arn("topic/meters/secret") },
    ],
  });
});
afterAll(async () => fixture?.remove());
beforeEach((context) => needProgram(context, "curl"));

interface CurlAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

async function curl(...args: string[]): Promise<CurlAnswer> {
  const { code, stdout, stderr } = await run("curl", ["-sS", "-i", "--max-time", "10", ...args]);
  if (code !== 0) throw new Error(`curl ended with ${code}: ${stderr}`);
  const [head = "", ...rest] = stdout.replace(/^HTTP\/1\.1 100[\s\S]*?\r\n\r\n/, "").split("\r\n\r\n");
  const [line = "", ...lines] = head.split("\r\n");
  const headers = Object.fromEntries(
    lines.map((each) => [each.slice(0, each.indexOf(":")).toLowerCase(), each.slice(each.indexOf(":") + 1).trim()]),
  );
  return { status: Number(line.split(" ")[1]), headers, body: rest.join("\r\n\r\n") };
}

const signed = (service: string, secret = fixture.server.accessKeySecret) => [
  "--aws-sigv4",
  `aws:amz:${awsRegion}:${service}`,
  "--user",
  `${fixture.server.accessKeyId}:${secret}`,
];
const http = (path: string) => `http://127.0.0.1:${fixture.server.httpPort}${path}`;
const https = (path: string) => `https://localhost:${fixture.server.devicePort}${path}`;
const trusting = () => ["--cacert", fixture.server.caFile];
const withCertificate = ({ certificateFile, privateKeyFile }: AwsDevice = device) => [
  ...trusting(),
  "--cert",
  certificateFile,
  "--key",
  privateKeyFile,
];

test("17: control and data plane on one HTTP port, told apart by the service that is signed for", async () => {
  const thing = await curl(...signed("iot"), http("/things/meter-1"));
  expect(thing.status).toBe(200);
  expect(JSON.parse(thing.body)).toMatchObject({ thingName: "meter-1", version: 1 });
  expect(thing.headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
  const document = '{"state":{"desired":{"interval":5}}}';
  const updated = await curl(...signed("iotdata"), "-X", "POST", "-d", document, http("/things/meter-1/shadow"));
  expect([updated.status, JSON.parse(updated.body).version]).toEqual([200, 1]);
  const shadow = await curl(...signed("iotdevicegateway"), http("/things/meter-1/shadow"));
  expect(JSON.parse(shadow.body).state).toMatchObject({ desired: { interval: 5 } });
  const jobs = await curl(...signed("iot-jobs-data"), http("/things/meter-1/jobs"));
  expect(JSON.parse(jobs.body)).toEqual({ inProgressJobs: [], queuedJobs: [] });
  const otherPlane = await curl(...signed("iot"), http("/things/meter-1/shadow"));
  expect([otherPlane.status, otherPlane.headers["x-amzn-errortype"]]).toEqual([404, "UnknownOperationException"]);
  expect(otherPlane.body).toContain("sign for that service");
});

test("17: wrong secrets and keys are refused with the vendor's words; a program of another region is served", async () => {
  const wrong = await curl(...signed("iot", "wrong"), http("/things"));
  expect([wrong.status, wrong.headers["x-amzn-errortype"]]).toEqual([403, "InvalidSignatureException"]);
  expect(wrong.headers["x-thingstead-error"]).toBe("aws.signature_mismatch");
  expect(wrong.body).toContain("GET\\n/things\\n");
  const { accessKeyId, accessKeySecret } = fixture.server;
  const region = await curl("--aws-sigv4", "aws:amz:eu-west-1:iot", "--user", `${accessKeyId}:${accessKeySecret}`, http("/things"));
  expect(region.status).toBe(200);
  const unknown = await curl("--aws-sigv4", `aws:amz:${awsRegion}:iot`, "--user", "AKNOBODY:b", http("/things"));
  expect([unknown.status, unknown.headers["x-amzn-errortype"]]).toEqual([403, "UnrecognizedClientException"]);
});

test("2.2: a device publishes over HTTPS with its certificate, as its policies allow", async () => {
  const rest = restClient(fixture.server);
  const retained = () => curl(...signed("iotdata"), http("/retainedMessage/meters%2F1"));
  expect((await retained()).status).toBe(404);
  const published = await curl(...withCertificate(), "-X", "POST", "-d", '{"kwh":7}', https("/topics/meters/1?qos=1&retain=true"));
  expect(published.status).toBe(200);
  const message = JSON.parse((await retained()).body);
  expect([message.topic, Buffer.from(message.payload, "base64").toString(), message.qos]).toEqual(["meters/1", '{"kwh":7}', 1]);
  const encoded = await curl(...withCertificate(), "-X", "POST", "-d", "x", https("/topics/meters%2Fsecret?qos=1"));
  expect([encoded.status, encoded.headers["x-amzn-errortype"]]).toEqual([403, "ForbiddenException"]);
  expect(encoded.body).toContain("explicit-deny");
  const elsewhere = await curl(...withCertificate(), "-X", "POST", "-d", "x", https("/topics/other"));
  expect([elsewhere.status, elsewhere.headers["x-thingstead-error"]]).toEqual([403, "aws.forbidden"]);
  const log = await rest("GET", "/device-log?code=aws.forbidden");
  expect(log.body.items.length).toBeGreaterThan(0);
});

test("15: shadows over HTTPS with a certificate; another thing's is not its own", async () => {
  const shadow = await curl(
    ...withCertificate(),
    "-X",
    "POST",
    "-d",
    '{"state":{"reported":{"interval":4}}}',
    https("/things/meter-1/shadow"),
  );
  expect([shadow.status, JSON.parse(shadow.body).state]).toEqual([200, { reported: { interval: 4 } }]);
  expect((await curl(...withCertificate(), https("/things/meter-1/shadow"))).status).toBe(200);
  expect((await curl(...withCertificate(), https("/things/meter-2/shadow"))).status).toBe(403);
  const method = await curl(...withCertificate(), "-X", "PUT", https("/things/meter-1/shadow"));
  expect([method.status, method.headers["x-amzn-errortype"]]).toEqual([405, "MethodNotAllowedException"]);
});

test("2.2: without a certificate a device port wants a signature, and serves the data planes alone", async () => {
  const bare = await curl(...trusting(), "-X", "POST", "-d", "x", https("/topics/meters/1"));
  expect([bare.status, bare.headers["x-amzn-errortype"]]).toEqual([403, "MissingAuthenticationTokenException"]);
  const bySignature = await curl(...trusting(), ...signed("iotdata"), "-X", "POST", "-d", "x", https("/topics/meters/1"));
  expect(bySignature.status).toBe(200);
  const control = await curl(...trusting(), ...signed("iot"), https("/things/meter-1"));
  expect([control.status, control.headers["x-thingstead-error"]]).toEqual([403, "aws.wrong_service"]);
});

test("3.2: a certificate that was deactivated is refused at the next request", async () => {
  const other = await fixture.createDevice();
  const publish = () => curl(...withCertificate(other), "-X", "POST", "-d", "x", https("/topics/a"));
  expect((await publish()).status).toBe(200);
  const iot = new IoTClient(fixture.clientOptions());
  await iot.send(new UpdateCertificateCommand({ certificateId: other.certificateId, newStatus: "INACTIVE" }));
  const refused = await publish();
  expect([refused.status, refused.headers["x-thingstead-error"]]).toEqual([403, "aws.certificate_refused"]);
  expect(refused.body).toContain("INACTIVE");
  iot.destroy();
});

test("15.1: topics with every kind of slash reach the vendor's client unchanged", async () => {
  const data = new IoTDataPlaneClient(fixture.clientOptions());
  for (const topic of ["a/b", "/a", "a/", "a//b", "a b/ü%&=?"]) {
    await data.send(new PublishCommand({ topic, payload: Buffer.from(topic), qos: 1, retain: true }));
    const message = await curl(...signed("iotdata"), http(`/retainedMessage/${encodeURIComponent(topic)}`));
    expect(JSON.parse(message.body).topic).toBe(topic);
  }
  data.destroy();
});
