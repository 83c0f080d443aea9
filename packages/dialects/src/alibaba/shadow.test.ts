import fc from "fast-check";
import { expect, test } from "vitest";
import { formatShadowControl, formatShadowDocument, formatShadowDone, formatShadowRefusal, readShadowRequest } from "./shadow.ts";

const read = (text: string) => readShadowRequest(new TextEncoder().encode(text));
const parse = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));

test.each([
  ["not json", 400],
  ["[]", 400],
  ['{"state":{}}', 401],
  ['{"method":"update"}', 402],
  ['{"method":"update","state":{"reported":{"a":1}},"version":"1"}', 403],
  ['{"method":"update","state":{"reported":{"a":1}}}', 403],
  ['{"method":"update","state":{"reported":{"a":1}},"version":-2}', 403],
  ['{"method":"update","state":{},"version":1}', 404],
  ['{"method":"delete","state":{},"version":1}', 404],
  ['{"method":"update","state":{"reported":{}},"version":1}', 405],
  ['{"method":"destroy","state":{}}', 406],
])("8.1 %s is refused with %i", (text, code) => {
  expect(read(text)).toMatchObject({ kind: "refused", code });
});

test.each([
  ['{"method":"get"}', { kind: "get" }],
  ['{"method":"get","clientToken":"pk.dn-1","version":1}', { kind: "get", clientToken: "pk.dn-1" }],
  [
    '{"method":"update","state":{"reported":{"color":"red"}},"version":1}',
    { kind: "update", clearsDesired: false, reported: { color: "red" } },
  ],
  ['{"method":"update","state":{"desired":"null"},"version":3}', { kind: "update", clearsDesired: true, version: 3 }],
  ['{"method":"update","state":{"desired":null,"reported":{"a":1}},"version":-1}', { kind: "update", clearsDesired: true, version: -1 }],
  [
    '{"method":"delete","state":{"reported":{"color":"null","room":{"door":null}}},"version":1}',
    { kind: "delete", reported: { color: null, room: { door: null } } },
  ],
  ['{"method":"delete","state":{"reported":"null"},"version":1600000000000}', { kind: "delete", reported: "all", version: 1600000000000 }],
])("8.1 %s is read", (text, expected) => {
  expect(read(text)).toMatchObject(expected);
});

test("a device cannot say what is desired", () => {
  const request = read('{"method":"update","state":{"reported":{"a":1},"desired":{"b":2}},"version":1}');
  expect(request).toMatchObject({ kind: "update", clearsDesired: false, reported: { a: 1 } });
  expect(request).not.toHaveProperty("desired");
});

test("8.1 answers in the vendor's shape, with the token at the top", () => {
  const token = { clientToken: "pk.dn-2" };
  expect(parse(formatShadowDone(token, 1, 1469564576))).toEqual({
    method: "reply",
    payload: { status: "success", version: 1 },
    timestamp: 1469564576,
    clientToken: "pk.dn-2",
  });
  expect(parse(formatShadowRefusal({}, 409, "conflict", 5))).toEqual({
    method: "reply",
    payload: { status: "error", content: { errorcode: "409", errormessage: "conflict" } },
    timestamp: 5,
  });
  const content = {
    reported: {},
    desired: { color: "green" },
    reportedTimes: {},
    desiredTimes: { color: { timestamp: 4 } },
    version: 2,
  };
  const payload = {
    status: "success",
    state: { reported: {}, desired: { color: "green" } },
    metadata: { reported: {}, desired: { color: { timestamp: 4 } } },
  };
  expect(parse(formatShadowControl(content, 5))).toEqual({ method: "control", payload, version: 2, timestamp: 5 });
  expect(parse(formatShadowDocument({}, content, 5))).toEqual({ method: "reply", payload, version: 2, timestamp: 5 });
});

test("whatever bytes come, they are read or refused with a code", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => new TextEncoder().encode(text)),
      ),
      (bytes) => {
        const request = readShadowRequest(bytes);
        if (request.kind === "refused") expect(request.code).toBeGreaterThanOrEqual(400);
      },
    ),
  );
});
