import fc from "fast-check";
import { expect, test } from "vitest";
import {
  crc16,
  formatFileBlock,
  formatFileBlockRefusal,
  formatFileBlockRequest,
  readFileBlock,
  readFileBlockRequest,
} from "./file-download.ts";
import {
  formatFirmwareGet,
  formatFirmwareGetReply,
  formatOtaInform,
  formatOtaProgress,
  formatOtaPush,
  type OtaPush,
  readOtaInform,
  readOtaProgress,
  readOtaPush,
  readOtaRequest,
} from "./ota.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const md5 = "93230c3bde425a9d7984a594ac55ea1e";
const sha256 = "a".repeat(64);
const file = { name: "image.bin", bytes: 432_945, md5, sha256, url: "https://host:8443/ota/1.2.3.abc" };
const push: OtaPush = { module: "default", version: "2.0.0", isDifferential: false, signMethod: "MD5", files: [file] };

test("7.1: a push of one file, byte for byte", () => {
  expect(textOf(formatOtaPush(1_507_707_025, push))).toBe(
    `{"code":"1000","data":{"size":432945,"version":"2.0.0","url":"${file.url}","md5":"${md5}","sign":"${md5}","signMethod":"Md5"},"id":1507707025,"message":"success"}`,
  );
});

test("7.1: md5 is there for MD5 only; module, isDiff, extData and digestsign only where they say something", () => {
  const full: OtaPush = {
    ...push,
    module: "MCU",
    isDifferential: true,
    signMethod: "SHA256",
    digestSign: "sig",
    tags: { key1: "value1" },
    userInfo: '{"ota_notice":"x"}',
  };
  expect(JSON.parse(textOf(formatOtaPush(1, full))).data).toEqual({
    size: 432_945,
    version: "2.0.0",
    url: file.url,
    sign: sha256,
    signMethod: "SHA256",
    isDiff: 1,
    digestsign: "sig",
    module: "MCU",
    extData: { key1: "value1", _package_udi: '{"ota_notice":"x"}' },
  });
});

test("7.1: several files come as flat elements of a last member", () => {
  const text = textOf(formatOtaPush(1, { ...push, files: [file, { ...file, name: "two" }] }));
  const { data } = JSON.parse(text);
  expect(Object.keys(data).at(-1)).toBe("files");
  expect(data.files[1]).toEqual({ fileSize: 432_945, fileName: "two", fileUrl: file.url, fileMd5: md5, fileSign: md5 });
  expect(data).not.toHaveProperty("url");
});

test("7.1: firmware/get is answered with the id as it came, and {} when there is nothing", () => {
  expect(textOf(formatFirmwareGetReply("123", undefined))).toBe('{"id":"123","code":200,"data":{}}');
  expect(JSON.parse(textOf(formatFirmwareGetReply(5, push)))).toMatchObject({ id: 5, code: 200, data: { size: 432_945 } });
});

test.each([
  ['{"id":1,"params":{"version":"iotx_ver_1"}}', { id: 1, module: "default", version: "iotx_ver_1" }],
  ['{"id":"123","params":{"version":"1.0.1","module":"MCU"}}', { id: "123", module: "MCU", version: "1.0.1" }],
  ['{"id":"1","params":{"version":1.5,"module":""}}', { module: "default", version: "1.5" }],
  ['{"id":"1","params":{}}', { kind: "refused", code: 460 }],
  ['{"id":"1","params":{"version":""}}', { kind: "refused", code: 460 }],
  [`{"id":"1","params":{"version":"${"v".repeat(65)}"}}`, { kind: "refused", code: 460 }],
  ['{"id":"1","params":{"version":"1","module":7}}', { kind: "refused", code: 460 }],
  ['{"id":"1","params":[]}', { kind: "refused", code: 460 }],
  ["nonsense", { kind: "refused", code: 6207 }],
])("7.1: reads the inform %s", (text, expected) => {
  expect(readOtaInform(bytesOf(text))).toMatchObject(expected);
});

test.each([
  ['{"id":"1","params":{"step":"50","desc":"","module":"MCU"}}', { step: 50, module: "MCU" }],
  ['{"id":1,"params":{"step":-2,"desc":"no space"}}', { step: -2, description: "no space" }],
  ['{"id":1,"params":{"step":"101"}}', { kind: "refused", code: 460 }],
  ['{"id":1,"params":{"step":"1e1"}}', { kind: "refused", code: 460 }],
  ['{"id":1,"params":{"desc":"x"}}', { kind: "refused", code: 460 }],
])("7.1: reads the progress %s", (text, expected) => {
  const read = readOtaProgress(bytesOf(text));
  expect(read).toMatchObject(expected);
  if (!("module" in expected)) expect(read).not.toHaveProperty("module");
});

test("what the device's side writes, the server's side reads, and the other way round", () => {
  expect(readOtaInform(formatOtaInform("7", { version: "1", module: "MCU" }))).toMatchObject({ id: "7", version: "1", module: "MCU" });
  expect(readOtaProgress(formatOtaProgress("8", { step: -3, description: "d" }))).toMatchObject({ step: -3, description: "d" });
  expect(readOtaRequest(formatFirmwareGet("9"))).toMatchObject({ id: "9", module: "default" });
  for (const signMethod of ["MD5", "SHA256"] as const) {
    const wished: OtaPush = { ...push, signMethod, module: "MCU", isDifferential: true, tags: { a: "b" }, userInfo: "u", digestSign: "s" };
    const read = readOtaPush(formatOtaPush(1, wished));
    const known = { ...file, name: "", md5: signMethod === "MD5" ? md5 : "", sha256: signMethod === "MD5" ? "" : sha256 };
    expect(read).toEqual({ ...wished, files: [known] });
  }
  const stream = { streamId: 5, streamFileId: 1 };
  expect(readOtaPush(formatFirmwareGetReply("1", { ...push, stream }))?.stream).toEqual(stream);
  expect(readOtaPush(formatFirmwareGetReply("1", undefined))).toBeUndefined();
  expect(readOtaPush(bytesOf("{"))).toBeUndefined();
});

test("7.5: CRC-16/ARC by its check values", () => {
  expect(crc16(bytesOf("123456789"))).toBe(0xbb3d);
  expect(crc16(Uint8Array.of(0, 1, 2, 3))).toBe(0xa110);
});

test("7.5: a block is framed as length, header, bytes and their checksum, low byte first", () => {
  const framed = Buffer.from(formatFileBlock({ id: "1", fileBytes: 10, offset: 4, bytes: Uint8Array.of(0, 1, 2, 3) }));
  const headerBytes = framed.readUInt16BE(0);
  expect(JSON.parse(framed.subarray(2, 2 + headerBytes).toString())).toEqual({
    id: "1",
    code: 200,
    message: "success",
    data: { fileLength: 10, bSize: 4, bOffset: 4 },
  });
  expect(framed.subarray(2 + headerBytes).toString("hex")).toBe("0001020310a1");
});

test("7.5: the stray comma of Link SDK 4 is forgiven, commas in texts stay", () => {
  const text = '{"id":"a,}","params":{"fileToken":"x,]","fileInfo":{"streamId":1397345,"fileId":1,},"fileBlock":{"size":5120,"offset":0}}}';
  expect(readFileBlockRequest(bytesOf(text))).toEqual({
    kind: "request",
    id: "a,}",
    fileToken: "x,]",
    streamId: 1_397_345,
    fileId: 1,
    offset: 0,
    bytes: 5_120,
  });
  const leading = '{"id":"1","params":{"fileInfo":{,"streamId":1,,"fileId":2},"fileBlock":{"size":1,"offset":0}}}';
  expect(readFileBlockRequest(bytesOf(leading))).toMatchObject({ streamId: 1, fileId: 2 });
  expect(readFileBlockRequest(bytesOf('{"id":"1","params":{"fileBlock":{"size":0,"offset":0}}}'))).toMatchObject({ code: 460 });
});

test("7.5: every block comes back as it was, and a damaged or cut one does not", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(1_000_000), fc.nat(), (bytes, offset, place) => {
      const framed = formatFileBlock({ id: 3, fileBytes: offset + bytes.length, offset, bytes });
      expect(readFileBlock(framed)).toEqual({ id: 3, code: 200, fileBytes: offset + bytes.length, offset, bytes });
      expect(readFileBlock(framed.subarray(0, place % framed.length))).toBeUndefined();
      const bodyAt = framed.length - bytes.length - 2;
      const damaged = Uint8Array.from(framed);
      damaged[bodyAt + (place % bytes.length)] = (damaged[bodyAt + (place % bytes.length)] ?? 0) ^ 0x55;
      expect(readFileBlock(damaged)).toBeUndefined();
    }),
  );
  expect(readFileBlock(formatFileBlockRefusal("1", 460, "no"))).toMatchObject({ code: 460, bytes: new Uint8Array() });
  expect(readFileBlockRequest(formatFileBlockRequest("1", { streamId: 1, fileId: 2, offset: 3, bytes: 4 }))).toMatchObject({ offset: 3 });
});
