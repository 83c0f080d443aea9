import { expect, test } from "vitest";
import { alinkLimits, formatAlinkReply, formatAlinkRequest, readAlinkReply, readAlinkRequest } from "./alink.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (payload: Uint8Array) => new TextDecoder().decode(payload);

test("[alibaba-device 5.1] a request is read as the document shows it", () => {
  const payload = bytes('{"id":"123","version":"1.0","sys":{"ack":0},"params":{"a":1},"method":"thing.event.property.post"}');
  expect(readAlinkRequest(payload)).toEqual({
    kind: "request",
    id: "123",
    version: "1.0",
    method: "thing.event.property.post",
    params: { a: 1 },
    wantsReply: false,
  });
});

test.each([
  ["a number as id stays a number", '{"id":123,"params":{}}', { id: 123 }],
  ["an id that is no number of a counter", '{"id":"1|exp-topic|/sys/pk/dn/x"}', { id: "1|exp-topic|/sys/pk/dn/x" }],
  ["no id", "{}", { id: "" }],
  ["no params", '{"id":"1"}', { params: {} }],
  ["params as the text of an object", '{"id":"1","params":"{}"}', { params: {} }],
  ["params as the text of a list", '{"id":"1","params":"[1]"}', { params: [1] }],
  ["params that are the text of a number", '{"id":"1","params":"7"}', { params: "7" }],
  ["an answer that is wanted", '{"id":"1","sys":{"ack":1}}', { wantsReply: true }],
  ["no word about an answer", '{"id":"1","sys":{}}', { wantsReply: true }],
])("[alibaba-device 5.1] leniently: %s", (_name, given, wanted) => {
  expect(readAlinkRequest(bytes(given))).toMatchObject({ kind: "request", ...wanted });
});

test.each([
  ["no JSON", "not json", 6207],
  ["a list", "[]", 6207],
  ["a text", '"x"', 6207],
  ["null", "null", 6207],
  ["nested so deep that writing it again exhausts the stack", `{"id":"1","params":{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}}`, 6207],
  ["an id that is an object", '{"id":{}}', 460],
  ["an id that is too long", JSON.stringify({ id: "x".repeat(alinkLimits.idCharactersMax + 1) }), 460],
])("a request that is %s is refused", (_name, given, code) => {
  expect(readAlinkRequest(bytes(given))).toMatchObject({ kind: "refused", code });
});

test("bytes that are no UTF-8 are no JSON", () => {
  expect(readAlinkRequest(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ kind: "refused", code: 6207 });
});

test("a request that looks like a refusal of ours is a request", () => {
  expect(readAlinkRequest(bytes('{"kind":"refused","code":1,"message":"x","id":"5"}'))).toMatchObject({ kind: "request", id: "5" });
});

test("[alibaba-device 5.1] a reply has all six members, in the document's order", () => {
  expect(text(formatAlinkReply({ id: "123", code: 200, method: "thing.event.property.post" }))).toBe(
    '{"code":200,"data":{},"id":"123","message":"success","method":"thing.event.property.post","version":"1.0"}',
  );
  expect(text(formatAlinkReply({ id: 7, code: 460, message: "bad" }))).toBe(
    '{"code":460,"data":{},"id":7,"message":"bad","version":"1.0"}',
  );
});

test("[alibaba-device 5.3] a request of the cloud is byte for byte the seed's", () => {
  expect(text(formatAlinkRequest({ id: "36195462", method: "thing.service.property.set", params: { LightSwitch: 1 } }))).toBe(
    '{"method":"thing.service.property.set","id":"36195462","params":{"LightSwitch":1},"version":"1.0.0"}',
  );
});

test("[alibaba-device 5.3] a device's answer", () => {
  expect(readAlinkReply(bytes('{"id":"36195462","code":200,"data":{}}'))).toEqual({ kind: "reply", id: "36195462", code: 200, data: {} });
  expect(readAlinkReply(bytes('{"id":1,"code":"100001","message":"jammed","data":{"a":1}}'))).toEqual({
    kind: "reply",
    id: 1,
    code: 100001,
    message: "jammed",
    data: { a: 1 },
  });
  expect(readAlinkReply(bytes('{"code":200}'))).toMatchObject({ kind: "refused", code: 460 });
  expect(readAlinkReply(bytes('{"id":"4","code":"ok"}'))).toMatchObject({ kind: "refused", id: "4" });
  expect(readAlinkReply(bytes("{"))).toMatchObject({ kind: "refused", code: 6207 });
});
