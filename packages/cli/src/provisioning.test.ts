import { expect, test } from "vitest";
import { runThingstead } from "./index.ts";
import { createScriptedIo, type ScriptedAnswer } from "./scripted-io.ts";

const product = { productKey: "pk", name: "lamps", description: "", nodeType: "device", topicStyle: "user", dataFormat: 1, createdAt: "t" };
const switches = { authType: "secret", isRegistrationOpen: true, isSelfRegistrationOpen: false, isReleased: false };
const identity = { productKey: "pk", deviceName: "dev1", iotId: "i1" };
const page = { items: [identity], page: 1, pageSize: 20, total: 1 };
const group = { groupId: "g1", name: "house", description: "", createdAt: "t", deviceCount: 3 };
const certificate = { fingerprint: "ab12", serialNumber: "7", certificate: "CERT\n", expiresAt: "2030", createdAt: "t" };

interface Case {
  words: string[];
  answer: ScriptedAnswer;
  request: string;
  body?: unknown;
  shows: string;
}

const cases: Case[] = [
  {
    words: ["product", "update", "pk", "--registration", "on", "--self-registration", "off", "--release", "on"],
    answer: { body: { ...product, ...switches } },
    request: "PATCH /api/v1/products/pk",
    body: { isRegistrationOpen: true, isSelfRegistrationOpen: false, isReleased: true },
    shows: "Registration open",
  },
  {
    words: ["product", "create", "lamps", "--auth-type", "x509", "--registration", "on"],
    answer: { status: 201, body: { ...product, ...switches, authType: "x509" } },
    request: "POST /api/v1/products",
    body: { name: "lamps", authType: "x509", isRegistrationOpen: true },
    shows: "x509",
  },
  {
    words: ["group", "create", "house", "--super", "g0"],
    answer: { status: 201, body: group },
    request: "POST /api/v1/groups",
    body: { name: "house", superGroupId: "g0" },
    shows: "g1",
  },
  {
    words: ["group", "list", "--super", "g0"],
    answer: { body: { ...page, items: [group] } },
    request: "GET /api/v1/groups?page=1&pageSize=20&superGroupId=g0",
    shows: "house",
  },
  { words: ["group", "show", "g1"], answer: { body: group }, request: "GET /api/v1/groups/g1", shows: "house" },
  { words: ["group", "devices", "g1"], answer: { body: page }, request: "GET /api/v1/groups/g1/devices?page=1&pageSize=20", shows: "dev1" },
  {
    words: ["group", "add", "g1", "pk", "dev1", "dev2"],
    answer: { body: { added: 1, alreadyThere: 1, inTooManyGroups: 0, unknown: 0 } },
    request: "POST /api/v1/groups/g1/devices",
    body: {
      devices: [
        { productKey: "pk", deviceName: "dev1" },
        { productKey: "pk", deviceName: "dev2" },
      ],
    },
    shows: "1 of 2 devices",
  },
  {
    words: ["group", "remove", "g1", "pk", "a@b"],
    answer: { status: 204 },
    request: "DELETE /api/v1/groups/g1/devices/pk/a%40b",
    shows: "a@b",
  },
  { words: ["group", "delete", "g1"], answer: { status: 204 }, request: "DELETE /api/v1/groups/g1", shows: "g1" },
  {
    words: ["tag", "show", "pk", "dev1"],
    answer: { body: { tags: { room: "12" } } },
    request: "GET /api/v1/products/pk/devices/dev1/tags",
    shows: "room",
  },
  {
    words: ["tag", "set", "pk", "--tag", "room=1=2", "--tag", "old="],
    answer: { body: { tags: { room: "1=2" } } },
    request: "PATCH /api/v1/products/pk/tags",
    body: { tags: { room: "1=2", old: null } },
    shows: "1=2",
  },
  {
    words: ["tag", "find", "room:12"],
    answer: { body: page },
    request: "GET /api/v1/tagged-devices?page=1&pageSize=20&tags=room%3A12",
    shows: "dev1",
  },
  {
    words: ["sub-device", "list", "gw", "gate"],
    answer: { body: page },
    request: "GET /api/v1/products/gw/devices/gate/sub-devices?page=1&pageSize=20",
    shows: "dev1",
  },
  {
    words: ["sub-device", "add", "gw", "gate", "pk", "dev1"],
    answer: { status: 201, body: { items: [identity] } },
    request: "POST /api/v1/products/gw/devices/gate/sub-devices",
    body: { devices: [{ productKey: "pk", deviceName: "dev1" }] },
    shows: "1 devices",
  },
  {
    words: ["sub-device", "remove", "gw", "gate", "pk", "dev1"],
    answer: { status: 204 },
    request: "DELETE /api/v1/products/gw/devices/gate/sub-devices/pk/dev1",
    shows: "pk/dev1",
  },
  {
    words: ["sub-device", "gateway", "pk", "dev1"],
    answer: { body: { gateway: { ...identity, productKey: "gw", deviceName: "gate" } } },
    request: "GET /api/v1/products/pk/devices/dev1/gateway",
    shows: "gw/gate",
  },
  {
    words: ["certificate", "list", "pk", "dev1"],
    answer: { body: { items: [certificate] } },
    request: "GET /api/v1/products/pk/devices/dev1/certificates",
    shows: "ab12",
  },
  {
    words: ["certificate", "issue", "pk", "dev1"],
    answer: { status: 201, body: { ...certificate, privateKey: "KEY", ca: "CA" } },
    request: "POST /api/v1/products/pk/devices/dev1/certificates",
    body: {},
    shows: "CERT\nKEY\nCA\n",
  },
  {
    words: ["certificate", "register", "pk", "dev1", "c.pem"],
    answer: { status: 201, body: certificate },
    request: "POST /api/v1/products/pk/devices/dev1/certificates",
    body: { certificate: "PEM" },
    shows: "ab12",
  },
  {
    words: ["certificate", "withdraw", "pk", "dev1", "ab12"],
    answer: { status: 204 },
    request: "DELETE /api/v1/products/pk/devices/dev1/certificates/ab12",
    shows: "ab12",
  },
];

test.each(cases)("$words", async ({ words, answer, request, body, shows }) => {
  const { io, seen } = createScriptedIo({ files: { "c.pem": "PEM" }, answer: () => answer });
  expect(await runThingstead(words, io)).toBe(0);
  expect(seen.stdout).toContain(shows);
  const [sent] = seen.requests;
  expect(`${sent?.method} ${sent?.url.replace("http://server.example", "")}`).toBe(request);
  expect(sent?.body === undefined ? undefined : JSON.parse(sent.body)).toEqual(body);
  const asJson = createScriptedIo({ files: { "c.pem": "PEM" }, answer: () => answer });
  expect(await runThingstead([...words, "--json"], asJson.io)).toBe(0);
  expect(JSON.parse(asJson.seen.stdout)).toEqual(answer.body ?? expect.objectContaining({}));
});

test.each([
  ["tag", "set", "pk"],
  ["tag", "set", "pk", "--tag", "=x"],
  ["product", "update", "pk", "--registration", "yes"],
  ["group", "add", "g1", "pk"],
  ["certificate", "register", "pk", "dev1"],
])("wrong usage: %s %s %s", async (...words) => {
  const { io, seen } = createScriptedIo();
  expect(await runThingstead(words, io)).toBe(2);
  expect(seen.requests).toEqual([]);
});

test("a device without a gateway, and a certificate that is no file", async () => {
  const alone = createScriptedIo({ answer: () => ({ body: { gateway: null } }) });
  expect(await runThingstead(["sub-device", "gateway", "pk", "dev1"], alone.io)).toBe(0);
  expect(alone.seen.stdout).toContain("no gateway");
  const missing = createScriptedIo();
  expect(await runThingstead(["certificate", "register", "pk", "dev1", "none.pem"], missing.io)).toBe(1);
  expect(missing.seen.stderr).toContain("[cli.file_unreadable]");
});
