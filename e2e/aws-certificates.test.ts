/** Certificates, CAs and policies of AWS IoT by the vendor's own client, with keys and requests that openssl made. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateThingCommand,
  DeleteCACertificateCommand,
  DeleteCertificateCommand,
  DeletePolicyCommand,
  DeleteThingCommand,
  DescribeCACertificateCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  GetRegistrationCodeCommand,
  IoTClient,
  ListCertificatesByCACommand,
  ListThingsCommand,
  RegisterCACertificateCommand,
  RegisterCertificateCommand,
  RegisterCertificateWithoutCACommand,
  UpdateCACertificateCommand,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { restClient } from "./support/rest-client.ts";
import { type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";

const policyDocument = (resource: string) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "iot:Connect", Resource: resource }] });

let server: ServerProcess;
let iot: IoTClient;
let folder = "";
beforeAll(async () => {
  server = await startServerProcess();
  iot = new IoTClient({
    region: "us-east-1",
    endpoint: `http://127.0.0.1:${server.httpPort}`,
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.accessKeySecret },
    maxAttempts: 1,
  });
  folder = mkdtempSync(join(tmpdir(), "thingstead-aws-pki-"));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  iot.destroy();
  await server.remove();
});
beforeEach((context) => needProgram(context, "openssl"));

const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe", encoding: "utf8" });
const save = (name: string, text = "") => writeFileSync(join(folder, name), text);
const read = (name: string) => readFileSync(join(folder, name), "utf8");
const newKey = (name: string, curve?: string) =>
  curve === undefined
    ? openssl("genrsa", "-out", `${name}.key`, "2048")
    : openssl("ecparam", "-name", curve, "-genkey", "-noout", "-out", `${name}.key`);
const request = (name: string, subject: string) => openssl("req", "-new", "-key", `${name}.key`, "-subj", subject, "-out", `${name}.csr`);
const authority = (name: string) => {
  newKey(name);
  openssl("req", "-x509", "-new", "-key", `${name}.key`, "-subj", `/O=Fleet/CN=${name}`, "-days", "2", "-out", `${name}.crt`);
};
const sign = (name: string, issuer: string) =>
  openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    "-CA",
    `${issuer}.crt`,
    "-CAkey",
    `${issuer}.key`,
    "-CAcreateserial",
    "-days",
    "2",
    "-out",
    `${name}.crt`,
  );
const fingerprintOf = (file: string) =>
  openssl("x509", "-in", file, "-noout", "-fingerprint", "-sha256").split("=")[1]?.trim().replaceAll(":", "").toLowerCase();
const nameOf = (answer: Promise<unknown>) =>
  answer.then(
    () => "nothing was refused",
    (error: Error) => error.name,
  );

describe("AW 3.3", () => {
  test("CreateKeysAndCertificate: openssl verifies the certificate and finds its key", async () => {
    const made = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    save("made.crt", made.certificatePem);
    save("made.key", made.keyPair?.PrivateKey);
    expect(openssl("verify", "-CAfile", server.caFile, "-purpose", "sslclient", "made.crt")).toContain("OK");
    expect(openssl("rsa", "-in", "made.key", "-pubout")).toBe(made.keyPair?.PublicKey);
    expect(openssl("x509", "-in", "made.crt", "-noout", "-pubkey")).toBe(made.keyPair?.PublicKey);
    expect(openssl("x509", "-in", "made.crt", "-noout", "-enddate")).toContain("Dec 31 23:59:59 2049 GMT");
    expect(made.certificateId).toBe(fingerprintOf("made.crt"));
    const { certificateDescription } = await iot.send(new DescribeCertificateCommand({ certificateId: made.certificateId }));
    expect(certificateDescription).toMatchObject({ status: "ACTIVE", certificateMode: "DEFAULT", certificatePem: made.certificatePem });
  });

  test.for([
    ["RSA-2048", undefined],
    ["P-256", "prime256v1"],
    ["P-384", "secp384r1"],
    ["P-521", "secp521r1"],
  ] as const)("CreateCertificateFromCsr with %s", async ([name, curve]) => {
    newKey(name, curve);
    request(name, `/O=Fleet/CN=${name}`);
    const made = await iot.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest: read(`${name}.csr`) }));
    save(`${name}.crt`, made.certificatePem);
    expect(openssl("verify", "-CAfile", server.caFile, `${name}.crt`)).toContain("OK");
    expect(openssl("x509", "-in", `${name}.crt`, "-noout", "-pubkey")).toBe(openssl("pkey", "-in", `${name}.key`, "-pubout"));
    expect(openssl("x509", "-in", `${name}.crt`, "-noout", "-subject")).toContain(`CN = ${name}`);
  });

  test("requests with small keys, other curves and no request at all are refused", async () => {
    const create = (certificateSigningRequest: string) => iot.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest }));
    openssl("genrsa", "-out", "small.key", "1024");
    request("small", "/CN=small");
    newKey("curve", "secp256k1");
    request("curve", "/CN=curve");
    for (const csr of [read("small.csr"), read("curve.csr"), "text"]) expect(await nameOf(create(csr))).toBe("InvalidRequestException");
  });
});

test("AW 3.4 an own CA: code, verification, leaves, deactivation, deletion", async () => {
  authority("fleet-ca");
  const caCertificate = read("fleet-ca.crt");
  const { registrationCode } = await iot.send(new GetRegistrationCodeCommand({}));
  newKey("proof", "prime256v1");
  request("proof", "/CN=somebody");
  sign("proof", "fleet-ca");
  const register = (verificationCertificate: string) =>
    iot.send(new RegisterCACertificateCommand({ caCertificate, verificationCertificate, setAsActive: true, allowAutoRegistration: true }));
  expect(await nameOf(register(read("proof.crt")))).toBe("RegistrationCodeValidationException");
  request("proof", `/CN=${registrationCode}`);
  sign("proof", "fleet-ca");
  const { certificateId: caId } = await register(read("proof.crt"));
  expect(caId).toBe(fingerprintOf("fleet-ca.crt"));
  expect(await nameOf(register(read("proof.crt")))).toBe("ResourceAlreadyExistsException");
  expect((await iot.send(new DescribeCACertificateCommand({ certificateId: caId }))).certificateDescription).toMatchObject({
    status: "ACTIVE",
    autoRegistrationStatus: "ENABLE",
    certificateMode: "DEFAULT",
  });

  newKey("leaf", "prime256v1");
  request("leaf", "/CN=leaf");
  authority("stranger-ca");
  sign("leaf", "stranger-ca");
  const registerLeaf = () => iot.send(new RegisterCertificateCommand({ certificatePem: read("leaf.crt"), status: "ACTIVE" }));
  expect(await nameOf(registerLeaf())).toBe("CertificateValidationException");
  sign("leaf", "fleet-ca");
  const { certificateId } = await registerLeaf();
  expect(certificateId).toBe(fingerprintOf("leaf.crt"));
  expect(await nameOf(registerLeaf())).toBe("ResourceAlreadyExistsException");
  const { certificates = [] } = await iot.send(new ListCertificatesByCACommand({ caCertificateId: caId }));
  expect(certificates.map((one) => one.certificateId)).toEqual([certificateId]);

  expect(await nameOf(iot.send(new DeleteCACertificateCommand({ certificateId: caId })))).toBe("CertificateStateException");
  await iot.send(new UpdateCACertificateCommand({ certificateId: caId, newStatus: "INACTIVE", newAutoRegistrationStatus: "DISABLE" }));
  newKey("late", "prime256v1");
  request("late", "/CN=late");
  sign("late", "fleet-ca");
  expect(await nameOf(iot.send(new RegisterCertificateCommand({ certificatePem: read("late.crt") })))).toBe("CertificateStateException");
  await iot.send(new DeleteCACertificateCommand({ certificateId: caId }));
  expect(await nameOf(iot.send(new DescribeCACertificateCommand({ certificateId: caId })))).toBe("ResourceNotFoundException");
});

test("AW 3.2, 5.1 a certificate with a thing and policies is deleted in order", async () => {
  newKey("own", "prime256v1");
  openssl("req", "-x509", "-new", "-key", "own.key", "-subj", "/CN=own", "-days", "2", "-out", "own.crt");
  const { certificateId, certificateArn: principal } = await iot.send(
    new RegisterCertificateWithoutCACommand({ certificatePem: read("own.crt"), status: "ACTIVE" }),
  );
  await iot.send(new CreateThingCommand({ thingName: "attached" }));
  await iot.send(new AttachThingPrincipalCommand({ thingName: "attached", principal }));
  await iot.send(new CreatePolicyCommand({ policyName: "p", policyDocument: policyDocument("*") }));
  await iot.send(new AttachPolicyCommand({ policyName: "p", target: principal }));
  for (let version = 2; version <= 5; version++) {
    const made = await iot.send(
      new CreatePolicyVersionCommand({
        policyName: "p",
        policyDocument: policyDocument(`arn:aws:iot:us-east-1:000000000000:client/${version}`),
      }),
    );
    expect(made).toMatchObject({ policyVersionId: `${version}`, isDefaultVersion: false });
  }
  const sixth = new CreatePolicyVersionCommand({ policyName: "p", policyDocument: policyDocument("*") });
  expect(await nameOf(iot.send(sixth))).toBe("VersionsLimitExceededException");
  expect(await nameOf(iot.send(new CreatePolicyCommand({ policyName: "q", policyDocument: "{}" })))).toBe("MalformedPolicyException");
  expect(await nameOf(iot.send(new DeletePolicyCommand({ policyName: "p" })))).toBe("DeleteConflictException");
  expect(await nameOf(iot.send(new DeleteThingCommand({ thingName: "attached" })))).toBe("InvalidRequestException");
  const remove = (forceDelete: boolean) => iot.send(new DeleteCertificateCommand({ certificateId, forceDelete }));
  expect(await nameOf(remove(true))).toBe("CertificateStateException");
  await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: "INACTIVE" }));
  expect(await nameOf(remove(false))).toBe("DeleteConflictException");
  await remove(true);
  expect(await nameOf(iot.send(new DescribeCertificateCommand({ certificateId })))).toBe("ResourceNotFoundException");
  await iot.send(new DeleteThingCommand({ thingName: "attached" }));
});

test("a thing is a device of the product aws, whoever makes it", async () => {
  const rest = restClient(server);
  const long = "x".repeat(128);
  expect((await rest("POST", "/products/aws/devices", { deviceName: long })).status).toBe(201);
  expect((await rest("POST", "/products/aws/devices", { deviceName: "a.b" })).body).toMatchObject({
    error: { code: "registry.invalid_device_name" },
  });
  expect(await iot.send(new DescribeThingCommand({ thingName: long }))).toMatchObject({
    version: 1,
    attributes: {},
    defaultClientId: long,
  });
  const { thingId } = await iot.send(new CreateThingCommand({ thingName: "lamp:1", attributePayload: { attributes: { room: "hall" } } }));
  expect((await rest("GET", "/products/aws/devices/lamp:1")).body).toMatchObject({ iotId: thingId, status: "UNACTIVE" });
  const { things = [] } = await iot.send(new ListThingsCommand({ attributeName: "room", attributeValue: "hall" }));
  expect(things.map((thing) => thing.thingName)).toEqual(["lamp:1"]);
  expect((await rest("DELETE", "/products/aws/devices/lamp:1")).status).toBe(204);
  expect(await nameOf(iot.send(new DescribeThingCommand({ thingName: "lamp:1" })))).toBe("ResourceNotFoundException");
});
