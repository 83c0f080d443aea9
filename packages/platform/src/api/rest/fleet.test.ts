/** Things with certificates over REST, on the room itself and a store in memory. */
import { beforeEach, expect, test } from "vitest";
import { createQuickStart } from "../../fleet/index.ts";
import { pems, useBench } from "../../fleet/testing/bench.ts";
import { createTestPorts, testKey } from "../in-memory-ports.ts";
import { buildApi } from "../server.ts";
import { createAnswerCheck } from "./answer-check.ts";

const bench = useBench();
// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever JSON the API answers
let call: (method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE", path: string, body?: object) => Promise<{ status: number; body: any }>;

beforeEach(async () => {
  const { fleet, registry } = bench;
  const { ports } = createTestPorts();
  const quickStart = createQuickStart({
    fleet,
    account: ports.fleetDoor.account,
    onFailure(error) {
      throw error;
    },
  });
  const { app } = await buildApi({ ...ports, registry, fleet, quickStart });
  const fits = createAnswerCheck((await app.inject("/api/v1/openapi.json")).json());
  call = async (method, path, payload) => {
    const answer = await app.inject({
      method,
      url: `/api/v1/fleet${path}`,
      headers: { authorization: `Bearer ${testKey.id}:${testKey.secret}` },
      ...(payload === undefined ? {} : { payload }),
    });
    const body = answer.body === "" ? undefined : answer.json();
    if (body !== undefined)
      expect(fits(method, `/api/v1/fleet${path}`, answer.statusCode, body), `${method} ${path} as documented`).toEqual([]);
    return { status: answer.statusCode, body };
  };
});

const document = { Version: "2012-10-17", Statement: [] };
const refused = (status: number, code: string) => ({ status, body: { error: { code } } });

test("a thing is made, shown, changed, found and deleted", async () => {
  await call("POST", "/types", { typeName: "lamp", searchableAttributes: ["room"] });
  const made = await call("POST", "/things", { thingName: "l1", typeName: "lamp", attributes: { room: "hall" } });
  expect(made).toMatchObject({ status: 201, body: { thingName: "l1", version: 1, attributes: { room: "hall" } } });
  expect((await call("GET", "/things/l1")).body).toMatchObject({ typeName: "lamp", status: "UNACTIVE" });
  const change = { attributes: { floor: "1", room: "" }, mergesAttributes: true, typeName: null, expectedVersion: 1 };
  const changed = (await call("PATCH", "/things/l1", change)).body;
  expect(changed).toMatchObject({ version: 2, attributes: { floor: "1" } });
  expect(changed).not.toHaveProperty("typeName");
  expect(await call("PATCH", "/things/l1", change)).toMatchObject(refused(409, "fleet.version_conflict"));
  expect((await call("GET", "/things?attributeName=floor&attributeValue=1")).body.items).toMatchObject([{ thingName: "l1" }]);
  expect((await call("GET", "/things?typeName=lamp")).body).toEqual({ items: [] });
  expect(await call("GET", "/things?attributeValue=1")).toMatchObject(refused(400, "fleet.invalid_attributes"));
  expect(await call("POST", "/things", { thingName: "a b" })).toMatchObject(refused(400, "fleet.invalid_name"));
  expect((await call("DELETE", "/things/l1?expectedVersion=2")).status).toBe(204);
  expect(await call("GET", "/things/l1")).toMatchObject(refused(404, "fleet.thing_not_found"));
});

test("lists go on by a token, and refuse one that is none of theirs", async () => {
  for (const thingName of ["a", "b", "c"]) await call("POST", "/things", { thingName });
  const first = (await call("GET", "/things?pageSize=2")).body;
  expect(first.items).toHaveLength(2);
  expect((await call("GET", `/things?pageSize=2&nextToken=${first.nextToken}`)).body).toMatchObject({ items: [{ thingName: "c" }] });
  expect(await call("GET", `/policies?nextToken=${first.nextToken}`)).toMatchObject(refused(400, "fleet.invalid_token"));
  expect(await call("GET", "/things?pageSize=0")).toMatchObject(refused(400, "api.request_invalid"));
});

test("certificates: keys, a request, a registered one; attached, judged, taken away", async () => {
  const { body: withKeys } = await call("POST", "/certificates", {});
  expect(withKeys).toMatchObject({ status: "ACTIVE", privateKey: "private", publicKey: "public", ca: "the CA", certificate: pems.rsa });
  const asked = await call("POST", "/certificates", { csr: "a request", status: "INACTIVE" });
  expect(asked).toMatchObject({ status: 201, body: { status: "INACTIVE" } });
  expect(asked.body).not.toHaveProperty("privateKey");
  const registered = await call("POST", "/certificates/register", { certificate: pems.p384 });
  expect(registered).toMatchObject({ status: 201, body: { mode: "SNI_ONLY" } });
  expect(await call("POST", "/certificates/register", { certificate: pems.p384 })).toMatchObject(refused(409, "fleet.certificate_exists"));
  expect(await call("POST", "/certificates/register", { certificate: "none" })).toMatchObject(refused(400, "fleet.certificate_invalid"));
  expect((await call("GET", "/certificates")).body.items).toHaveLength(3);

  const place = `/certificates/${withKeys.certificateId}`;
  await call("POST", "/things", { thingName: "l1" });
  await call("POST", "/policies", { policyName: "p", document });
  expect((await call("PUT", `/things/l1/certificates/${withKeys.certificateId}`, { isExclusive: true })).status).toBe(204);
  expect((await call("PUT", `${place}/policies/p`)).status).toBe(204);
  const principal = { kind: "certificate", id: withKeys.certificateId, isExclusive: true };
  expect((await call("GET", "/things/l1/principals")).body.items).toEqual([principal]);
  expect((await call("GET", `${place}/things`)).body.items).toEqual(["l1"]);
  expect((await call("GET", `${place}/policies`)).body.items).toEqual(["p"]);
  expect(await call("DELETE", "/things/l1")).toMatchObject(refused(409, "fleet.thing_has_principals"));
  expect(await call("DELETE", place)).toMatchObject(refused(406, "fleet.certificate_active"));
  expect((await call("PATCH", place, { status: "REVOKED" })).body.status).toBe("REVOKED");
  expect(await call("PATCH", place, { status: "PENDING_ACTIVATION" })).toMatchObject(refused(400, "api.request_invalid"));
  expect(await call("DELETE", place)).toMatchObject(refused(409, "fleet.certificate_attached"));
  expect((await call("DELETE", `/things/l1/certificates/${withKeys.certificateId}`)).status).toBe(204);
  expect((await call("DELETE", `${place}/policies/p`)).status).toBe(204);
  expect((await call("DELETE", place)).status).toBe(204);
  expect(await call("GET", `${place}/things`)).toMatchObject(refused(404, "fleet.certificate_not_found"));
});

test("policies: as JSON or text, versions and the default one, where they are attached", async () => {
  expect((await call("POST", "/policies", { policyName: "p", document })).body).toMatchObject({
    document: JSON.stringify(document),
    defaultVersionId: "1",
  });
  expect(await call("POST", "/policies", { policyName: "q", document: "{}" })).toMatchObject(refused(400, "fleet.policy_malformed"));
  const text = '{ "Version": "2012-10-17", "Statement": [] }';
  expect((await call("POST", "/policies/p/versions", { document: text })).body).toMatchObject({ versionId: "2", isDefault: false });
  expect((await call("POST", "/policies/p/versions/2/default")).body).toMatchObject({ document: text, isDefault: true });
  expect((await call("GET", "/policies/p")).body).toMatchObject({ document: text, defaultVersionId: "2" });
  expect((await call("GET", "/policies/p/versions")).body.items).toHaveLength(2);
  expect(await call("DELETE", "/policies/p/versions/2")).toMatchObject(refused(409, "fleet.policy_version_default"));
  expect((await call("DELETE", "/policies/p/versions/1")).status).toBe(204);
  expect(await call("GET", "/policies/p/versions/1")).toMatchObject(refused(404, "fleet.policy_version_not_found"));

  await call("POST", "/groups", { groupName: "g" });
  expect((await call("PUT", "/groups/g/policies/p")).status).toBe(204);
  expect((await call("GET", "/policies/p/targets")).body.items).toEqual([{ kind: "group", id: "g" }]);
  expect((await call("GET", "/groups/g/policies")).body.items).toEqual(["p"]);
  expect(await call("DELETE", "/policies/p")).toMatchObject(refused(409, "fleet.policy_attached"));
  expect((await call("DELETE", "/groups/g/policies/p")).status).toBe(204);
  expect((await call("DELETE", "/policies/p")).status).toBe(204);
  expect((await call("GET", "/policies")).body.items).toEqual([]);
});

test("groups in a tree, and the things in them", async () => {
  await call("POST", "/things", { thingName: "l1" });
  await call("POST", "/groups", { groupName: "house", description: "all" });
  expect((await call("POST", "/groups", { groupName: "hall", parentName: "house" })).body).toMatchObject({ ancestors: ["house"] });
  expect((await call("PUT", "/groups/hall/things/l1")).status).toBe(204);
  expect((await call("GET", "/groups/house/things")).body.items).toEqual([]);
  expect((await call("GET", "/groups/house/things?isRecursive=true")).body.items).toEqual(["l1"]);
  expect((await call("GET", "/things/l1/groups")).body.items).toEqual(["hall"]);
  expect((await call("GET", "/groups?parentName=house")).body.items).toEqual(["hall"]);
  expect((await call("PATCH", "/groups/hall", { attributes: { floor: "1" } })).body).toMatchObject({
    version: 2,
    attributes: { floor: "1" },
  });
  expect((await call("GET", "/groups/house")).body).toMatchObject({ description: "all" });
  expect(await call("DELETE", "/groups/house")).toMatchObject(refused(409, "fleet.group_has_children"));
  expect((await call("DELETE", "/groups/hall/things/l1")).status).toBe(204);
  expect((await call("DELETE", "/groups/hall")).status).toBe(204);
});

test("types are deprecated before they go", async () => {
  expect((await call("POST", "/types", { typeName: "lamp", description: "light" })).status).toBe(201);
  expect((await call("PATCH", "/types/lamp", { searchableAttributes: ["room"] })).body).toMatchObject({ searchableAttributes: ["room"] });
  expect((await call("POST", "/types/lamp/deprecate")).body).toHaveProperty("deprecatedAt");
  expect(await call("DELETE", "/types/lamp")).toMatchObject(refused(409, "fleet.type_not_deprecated"));
  expect((await call("POST", "/types/lamp/restore")).body).not.toHaveProperty("deprecatedAt");
  expect((await call("GET", "/types")).body.items).toMatchObject([{ typeName: "lamp", description: "light" }]);
  expect((await call("GET", "/types/lamp")).status).toBe(200);
});

test("CAs of customers, with and without a proof", async () => {
  const { registrationCode } = (await call("GET", "/registration-code")).body;
  expect(registrationCode).toMatch(/^\w+$/);
  expect(await call("POST", "/cas", { certificate: pems.ca })).toMatchObject({ status: 400 });
  const made = await call("POST", "/cas", { certificate: pems.ca, mode: "SNI_ONLY", isAutoRegistering: true });
  expect(made).toMatchObject({ status: 201, body: { status: "ACTIVE", mode: "SNI_ONLY", isAutoRegistering: true } });
  const place = `/cas/${made.body.caId}`;
  expect((await call("GET", "/cas")).body.items).toHaveLength(1);
  expect(await call("DELETE", place)).toMatchObject(refused(406, "fleet.ca_active"));
  expect((await call("PATCH", place, { status: "INACTIVE", registration: null })).body.status).toBe("INACTIVE");
  expect((await call("GET", place)).body.certificate).toBe(made.body.certificate);
  expect((await call("DELETE", place)).status).toBe(204);
  expect((await call("DELETE", "/registration-code")).status).toBe(204);
  expect((await call("GET", "/registration-code")).body.registrationCode).not.toBe(registrationCode);
});

test("a quick start answers everything that a device needs, by the vendor's file names", async () => {
  const { status, body } = await call("POST", "/quick-start", { thingName: "esp32", policy: { topics: ["topic/esp32at"] } });
  expect(status).toBe(201);
  expect(body).toMatchObject({
    thing: { thingName: "esp32" },
    clientId: "esp32",
    certificate: { status: "ACTIVE" },
    policy: { policyName: "esp32" },
    endpoint: { host: "things.example", port: 8883, ports: [1883, 8883] },
    files: {
      "device.pem.crt": pems.rsa,
      "private.pem.key": "private",
      "public.pem.key": "public",
      "Amazon-root-CA-1.pem": "the CA",
    },
  });
  expect(body.policy.document).toContain("arn:aws:iot:us-east-2:123456789012:topicfilter/topic/esp32at");
  expect(body.policy.document).not.toContain('"*"');
  expect(await call("POST", "/quick-start", { thingName: "esp32" })).toMatchObject(refused(409, "fleet.thing_taken"));
  const both = { thingName: "x", policy: { topics: [], allowsEverything: true } };
  expect(await call("POST", "/quick-start", both)).toMatchObject(refused(400, "api.request_invalid"));
  const tooMany = { thingName: "x", policy: { topics: Array.from({ length: 51 }, () => "a") } };
  expect(await call("POST", "/quick-start", tooMany)).toMatchObject(refused(400, "api.request_invalid"));
});

test("a quick start for a key that the device keeps tells no key", async () => {
  const { body } = await call("POST", "/quick-start", {
    thingName: "a",
    credential: { csr: "a request" },
    policy: { allowsEverything: true },
  });
  expect(Object.keys(body.files)).toEqual(["device.pem.crt", "Amazon-root-CA-1.pem"]);
});
