import fc from "fast-check";
import { expect, test } from "vitest";
import { formatUploadBlock } from "./device-upload.ts";
import { readUploadBlock } from "./file-upload.ts";
import { answerTimeRequest } from "./ntp.ts";

/** 8.9 by hand: length, header, `123456789`, its CRC-16/ARC 0xBB3D with the low byte first. */
const header = '{"id":"3","params":{"uploadId":"u","offset":0,"bSize":9,"isComplete":true}}';
const frame = Buffer.concat([Buffer.from([0, header.length]), Buffer.from(`${header}123456789`), Buffer.from([0x3d, 0xbb])]);

test("8.9 a frame written by hand", () => {
  const block = readUploadBlock(frame);
  expect(block).toMatchObject({ kind: "block", id: "3", uploadId: "u", offset: 0, announcedBytes: 9, isComplete: true, isIntact: true });
  expect(block.kind === "block" && Buffer.from(block.bytes).toString()).toBe("123456789");
});

test("8.9 a frame cut anywhere is refused or known to be damaged; a flipped bit in the bytes is found", () => {
  for (let length = 0; length < frame.length; length++) {
    const block = readUploadBlock(frame.subarray(0, length));
    if (block.kind === "block") expect(block.isIntact).toBe(false);
    else expect([400, 460]).toContain(block.code);
  }
  const damaged = Buffer.from(frame);
  damaged[damaged.length - 5] = (damaged[damaged.length - 5] ?? 0) ^ 1;
  expect(readUploadBlock(damaged)).toMatchObject({ isIntact: false });
});

test("what the device's side writes is read; whatever else comes has a code", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(), fc.boolean(), (bytes, offset, isComplete) => {
      const read = readUploadBlock(formatUploadBlock({ id: "1", uploadId: "u", offset, bytes, isComplete }));
      expect(read).toMatchObject({ offset, isComplete, isIntact: true, announcedBytes: bytes.length });
      expect(["block", "refused"]).toContain(readUploadBlock(bytes).kind);
    }),
  );
});

test.each([
  ['{"deviceSendTime":"100"}', { deviceSendTime: "100", serverRecvTime: "1010", serverSendTime: "1015" }],
  ['{"deviceSendTime":100}', { deviceSendTime: 100, serverRecvTime: 1010, serverSendTime: 1015 }],
  ["{}", { deviceSendTime: "0", serverRecvTime: "1010", serverSendTime: "1015" }],
])("8.3 %s is answered in the same type", (text, expected) => {
  const answer = answerTimeRequest(new TextEncoder().encode(text), 1010, 1015);
  expect(answer && JSON.parse(new TextDecoder().decode(answer))).toEqual(expected);
});

test("8.3 what is no request is not answered", () => {
  expect(answerTimeRequest(new TextEncoder().encode("hello"), 1, 2)).toBeUndefined();
  expect(answerTimeRequest(new TextEncoder().encode("[1]"), 1, 2)).toBeUndefined();
});
