import { expect, test } from "vitest";
import { formatBareRequest, formatDeviceReply, formatDeviceRequest, serviceOfMethod } from "./device-requests.ts";
import { formatShadowDelete, formatShadowGet, formatShadowUpdate, readShadowMessage } from "./device-shadow.ts";
import { formatUploadBlock } from "./device-upload.ts";
import { crc16 } from "./file-download.ts";
import { readShadowRequest } from "./shadow.ts";

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

test("5.1, 6.3 requests and replies of devices", () => {
  const request = { id: "123", method: "thing.event.property.post", params: { LightSwitch: 1 } };
  expect(text(formatDeviceRequest(request))).toBe(
    '{"id":"123","version":"1.0","params":{"LightSwitch":1},"method":"thing.event.property.post"}',
  );
  expect(text(formatDeviceRequest({ ...request, wantsReply: false }))).toBe(
    '{"id":"123","version":"1.0","sys":{"ack":0},"params":{"LightSwitch":1},"method":"thing.event.property.post"}',
  );
  expect(text(formatBareRequest({ id: "123", params: {} }))).toBe('{"id":"123","params":{}}');
  expect(text(formatDeviceReply({ id: 36195462, code: 200 }))).toBe('{"id":36195462,"code":200,"data":{}}');
  expect(serviceOfMethod("thing.service.BatteryModule:blink")).toBe("BatteryModule:blink");
  expect(serviceOfMethod("thing.event.alarm.post")).toBeUndefined();
});

test("8.1 what a device sends is what the cloud's side reads", () => {
  const token = "pk.dn-1";
  expect(readShadowRequest(formatShadowGet(token))).toMatchObject({ kind: "get", clientToken: token });
  expect(readShadowRequest(formatShadowUpdate({ reported: { color: "red" }, version: 1, clientToken: token }))).toMatchObject({
    kind: "update",
    reported: { color: "red" },
    clearsDesired: false,
    version: 1,
  });
  expect(readShadowRequest(formatShadowUpdate({ clearsDesired: true, version: 2, clientToken: token }))).toMatchObject({
    kind: "update",
    clearsDesired: true,
  });
  expect(readShadowRequest(formatShadowDelete({ names: ["color"], version: 3, clientToken: token }))).toMatchObject({
    kind: "delete",
    reported: { color: null },
  });
  expect(readShadowRequest(formatShadowDelete({ version: 4, clientToken: token }))).toMatchObject({ kind: "delete", reported: "all" });
});

test("8.1 answers and changes, as the documents print them", () => {
  const done = readShadowMessage(bytes({ method: "reply", payload: { status: "success", version: 1 }, timestamp: 1469564576 }));
  expect(done).toMatchObject({ method: "reply", isSuccess: true, version: 1, clientToken: undefined });
  const content = { errorcode: "409", errormessage: "conflict" };
  expect(readShadowMessage(bytes({ method: "reply", payload: { status: "error", content }, clientToken: "t" }))).toMatchObject({
    isSuccess: false,
    errorCode: 409,
    errorMessage: "conflict",
    clientToken: "t",
  });
  const state = { reported: {}, desired: { color: "green" } };
  expect(readShadowMessage(bytes({ method: "control", payload: { status: "success", state }, version: 2, timestamp: 1 }))).toMatchObject({
    method: "control",
    desired: { color: "green" },
    version: 2,
  });
  for (const wrong of ["", "[]", "null", '{"method":"update"}', "\xff"])
    expect(readShadowMessage(Buffer.from(wrong, "latin1"))).toBeUndefined();
});

test("8.9 a block of an upload: header, bytes, CRC", () => {
  const block = Buffer.from(formatUploadBlock({ id: "3", uploadId: "u", offset: 5, bytes: Buffer.from("123456789"), isComplete: true }));
  const header = '{"id":"3","params":{"uploadId":"u","offset":5,"bSize":9,"isComplete":true}}';
  expect(block.readUInt16BE(0)).toBe(header.length);
  expect(block.subarray(2, -2).toString()).toBe(`${header}123456789`);
  expect(block.readUInt16LE(block.length - 2)).toBe(0xbb3d);
  expect(crc16(Buffer.from("123456789"))).toBe(0xbb3d);
});
