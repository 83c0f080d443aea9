import { decodeProvisioningRequest } from "@thingstead/dialects";
import { beforeEach, expect, test } from "vitest";
import type { ThingClientSubject } from "../../access/index.ts";
import type { NewLogEntry } from "../../device-log/index.ts";
import { PlatformError } from "../../errors/index.ts";
import { defaultProvisioningLimits, type Provisioning, type ProvisionRequest } from "../../fleet/index.ts";
import { createProvisioningHandlers } from "./provisioning.ts";
import type { AwsUplinkHandlers } from "./uplink.ts";

const certificate = {
  id: "ab",
  pem: "PEM",
  status: "ACTIVE",
  mode: "DEFAULT",
  notBefore: 0,
  notAfter: 0,
  createdAt: 0,
  modifiedAt: 0,
} as const;
const subject: ThingClientSubject = {
  kind: "thing-client",
  dialect: "aws",
  clientId: "c1",
  principal: { kind: "certificate", id: "claim" },
  connectionId: "x",
  remoteAddress: "127.0.0.1",
};

let handlers: AwsUplinkHandlers;
let delivered: { sessionId: string; topic: string; members: unknown; qos: 0 | 1 | undefined }[];
let entries: NewLogEntry[];
let failures: unknown[];
let isThere = true;
let asked: { name: string; request: ProvisionRequest }[];
let outcome: () => Promise<never> | undefined;

beforeEach(() => {
  isThere = true;
  [delivered, entries, failures, asked, outcome] = [[], [], [], [], () => undefined];
  const provisioning = {
    limits: { ...defaultProvisioningLimits, requestsMax: 1, requestBytesMax: 1_000 },
    createCertificate: async () => (await outcome()) ?? { certificate, privateKeyPem: "KEY", ownershipToken: "T" },
    createCertificateFromRequest: async (csr: string) => ({ certificate: { ...certificate, pem: `for ${csr}` }, ownershipToken: "T" }),
    provision: async (name: string, request: ProvisionRequest) => {
      asked.push({ name, request });
      return (await outcome()) ?? { certificate, thingName: "t", resourceArns: {}, deviceConfiguration: { a: "b" } };
    },
  } as Partial<Provisioning> as Provisioning;
  handlers = createProvisioningHandlers({
    provisioning,
    answers: {
      deliver: (sessionId, topic, payload, qos) => {
        const format = topic.includes("/cbor/") ? "cbor" : "json";
        delivered.push({ sessionId, topic, members: { ...decodeProvisioningRequest(format, payload) }, qos });
      },
    },
    broker: () => ({ subjectOf: (sessionId) => ({ s1: subject, other: { kind: "client" } })[sessionId], isConnected: () => isThere }),
    deviceLog: { write: (entry) => entries.push(entry) },
    onFailure: (error) => failures.push(error),
  });
});

async function publish(row: keyof AwsUplinkHandlers, topic: string, payload: string | Uint8Array, sessionId: string | undefined = "s1") {
  const [, , templateName, , last] = topic.split("/");
  const parts = { format: topic.split("/").at(-1) ?? "", ...(last !== undefined && { templateName: templateName ?? "" }) };
  await handlers[row]?.({ topic, parts, payload: Buffer.from(payload), qos: 1, receivedAt: 0, ...(sessionId !== "" && { sessionId }) });
}

const create = "$aws/certificates/create/json";
const fromCsr = "$aws/certificates/create-from-csr/json";
const provision = "$aws/provisioning-templates/lamps/provision/json";

test("[AW 13] a private key goes to the session that asked, in the format that it asked in, and is kept nowhere", async () => {
  await publish("certificates/create", create, "");
  await publish("certificates/create", "$aws/certificates/create/cbor", new Uint8Array([0xa0]));
  const members = { certificateId: "ab", certificatePem: "PEM", privateKey: "KEY", certificateOwnershipToken: "T" };
  expect(delivered).toEqual([
    { sessionId: "s1", topic: "$aws/certificates/create/json/accepted", members, qos: 0 },
    { sessionId: "s1", topic: "$aws/certificates/create/cbor/accepted", members, qos: 0 },
  ]);
  expect(entries).toEqual([]);
});

test("[AW 13] a request for a certificate, and the thing", async () => {
  await publish("certificates/create-from-csr", fromCsr, '{"certificateSigningRequest":"CSR"}');
  await publish("provisioning/provision", provision, '{"certificateOwnershipToken":"T","parameters":{"Serial":"1"}}');
  expect(delivered).toMatchObject([
    { topic: "$aws/certificates/create-from-csr/json/accepted", members: { certificatePem: "for CSR", certificateOwnershipToken: "T" } },
    { topic: "$aws/provisioning-templates/lamps/provision/json/accepted", members: { deviceConfiguration: { a: "b" }, thingName: "t" } },
  ]);
  expect(asked).toEqual([
    { name: "lamps", request: { ownershipToken: "T", parameters: { Serial: "1" }, clientId: "c1", claimCertificateId: "claim" } },
  ]);
});

test("[AW 13] a refusal has its own topic", async () => {
  outcome = () => Promise.reject(new PlatformError("provisioning.certificates_exceeded", { expected: 1 }));
  await publish("certificates/create", create, "{}");
  await publish("certificates/create-from-csr", fromCsr, "{}");
  await publish("provisioning/provision", provision, "{}");
  expect(delivered.map(({ topic }) => topic)).toEqual([
    "$aws/certificates/create/json/rejected",
    "$aws/certificates/create-from-csr/json/rejected",
    "$aws/provisioning-templates/lamps/provision/json/rejected",
  ]);
});

test.each<[keyof AwsUplinkHandlers, string, string, string]>([
  ["certificates/create", create, "[]", "InvalidPayload"],
  ["certificates/create", "$aws/certificates/create/xml", "{}", "InvalidPayload"],
  ["certificates/create", create, `{"a":"${"x".repeat(1_000)}"}`, "InvalidPayload"],
  ["certificates/create-from-csr", fromCsr, "{}", "InvalidPayload"],
  ["provisioning/provision", provision, '{"certificateOwnershipToken":1}', "InvalidPayload"],
  ["provisioning/provision", provision, '{"certificateOwnershipToken":"T","parameters":{"a":1}}', "InvalidPayload"],
  ["provisioning/provision", provision, '{"certificateOwnershipToken":"T","parameters":[]}', "InvalidPayload"],
])("[AW 13] %s on %s with %s: %s", async (row, topic, payload, errorCode) => {
  await publish(row, topic, payload);
  expect(delivered).toMatchObject([{ topic: `${topic}/rejected`, members: { statusCode: 400, errorCode } }]);
  expect(entries).toMatchObject([{ kind: "publish", isSuccess: false, code: "provisioning.request_malformed", clientId: "c1", topic }]);
});

test.each([
  ["provisioning.hook_refused", 403, "AccessDenied"],
  ["provisioning.token_missing", 400, "InvalidCertificateOwnershipToken"],
  ["fleet.thing_exists", 409, "ResourceAlreadyExists"],
])("[AW 13] %s is told as %i %s", async (code, statusCode, errorCode) => {
  outcome = () => Promise.reject(new PlatformError(code));
  await publish("provisioning/provision", provision, '{"certificateOwnershipToken":"T"}');
  expect(delivered).toMatchObject([{ members: { statusCode, errorCode } }]);
  expect(entries).toMatchObject([{ code }]);
});

test("a fault of ours is told without its words and reported", async () => {
  const fault = new Error("disk /secret");
  outcome = () => Promise.reject(fault);
  await publish("certificates/create", create, "{}");
  expect(delivered).toMatchObject([{ members: { statusCode: 500, errorCode: "InternalFailure", errorMessage: "The server failed." } }]);
  expect(failures).toEqual([fault]);
});

test("more requests than are served at a time are turned away", async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  outcome = () => promise;
  const first = publish("certificates/create", create, "{}");
  await publish("certificates/create", create, "{}");
  expect(delivered).toMatchObject([{ members: { statusCode: 429, errorCode: "Throttling" } }]);
  reject(new PlatformError("provisioning.certificates_exceeded", { expected: 1 }));
  await first;
  outcome = () => undefined;
  await publish("certificates/create", create, "{}");
  expect(delivered.at(-1)).toMatchObject({ topic: `${create}/accepted` });
});

test.each(["", "other"])("nobody who is no client with rights of its own is handed a key (%j)", async (sessionId) => {
  await publish("certificates/create", create, "{}", sessionId);
  expect(delivered).toEqual([]);
  expect(entries).toMatchObject([{ code: "provisioning.no_session", isSuccess: false, topic: create }]);
});

test("no key is kept for a device that has gone meanwhile", async () => {
  isThere = false;
  await publish("certificates/create", create, "{}");
  expect(delivered).toEqual([]);
});
