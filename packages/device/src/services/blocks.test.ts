import { createHash } from "node:crypto";
import { crc16, formatFileBlock, formatFileBlockRefusal, readFileBlockRequest } from "@thingstead/dialects";
import { expect, test } from "vitest";
import { Requests } from "../requests.ts";
import { createFakeLink, jsonOf, type Sent, settle } from "../testing/fake-link.ts";
import { downloadBlocks } from "./block-download.ts";
import { FileClient } from "./files.ts";

const image = Buffer.from(Array.from({ length: 250 }, (_, index) => index));
const down = "/sys/pk/dn/thing/file/download_reply";
const file = {
  name: "",
  bytes: image.length,
  signMethod: "SHA256" as const,
  digest: createHash("sha256").update(image).digest("hex"),
  streamId: 7,
  streamFileId: 1,
};

function blockFor(message: Sent): Uint8Array {
  const request = readFileBlockRequest(message.payload);
  if (request.kind === "refused") throw new Error(request.message);
  const { id, offset, bytes } = request;
  return formatFileBlock({ id, fileBytes: image.length, offset, bytes: image.subarray(offset, offset + bytes) });
}

test("7.5 lost, damaged and late blocks are asked for again; the subscription ends with the download", async () => {
  const cloud = createFakeLink({ limits: { downloadBlockBytes: 100, requestTimeoutMilliseconds: 50 } });
  const mishaps = ["lost", "damaged", "late", "", "", ""];
  cloud.answer((message) => {
    const mishap = mishaps[cloud.sent.length - 1];
    const block = blockFor(message);
    if (mishap === "damaged") block[block.length - 3] = (block[block.length - 3] ?? 0) ^ 1;
    if (mishap === "late") cloud.deliver(down, formatFileBlock({ id: "0", fileBytes: 250, offset: 50, bytes: image.subarray(50, 60) }));
    if (mishap === "" || mishap === "damaged") cloud.deliver(down, block);
  });
  const got: Buffer[] = [];
  const done = downloadBlocks(cloud.link, new Requests(cloud.link), file, (piece) => void got.push(piece), { pieceBytesMax: 64 });
  for (let turn = 0; turn < 6; turn += 1) {
    await settle();
    cloud.advance(50);
  }
  await done;
  expect(Buffer.concat(got).equals(image)).toBe(true);
  expect(got.map(({ length }) => length)).toEqual([64, 36, 64, 36, 50]);
  expect(cloud.sent).toHaveLength(6);
  expect(cloud.filters.size).toBe(0);
  expect(cloud.timers.size).toBe(0);
});

test("7.5 a refusal and another file end the download", async () => {
  const cloud = createFakeLink();
  cloud.answer(() => cloud.deliver(down, formatFileBlockRefusal("1", 404, "gone")));
  const sink = () => {};
  const requests = new Requests(cloud.link);
  await expect(downloadBlocks(cloud.link, requests, file, sink, {})).rejects.toMatchObject({ details: { cloudCode: 404 } });
  cloud.answer((message) => cloud.deliver(down, blockFor(message)));
  await expect(downloadBlocks(cloud.link, requests, { ...file, digest: "0" }, sink, {})).rejects.toMatchObject({
    code: "device.file_mismatch",
  });
  const aborted = AbortSignal.abort(new Error("enough"));
  await expect(downloadBlocks(cloud.link, requests, file, sink, { signal: aborted })).rejects.toThrow("enough");
});

const up = "/sys/pk/dn/thing/file/upload/mqtt/";

test("8.9 blocks carry their header and CRC; one whose answer is lost is sent again and known to be stored", async () => {
  const cloud = createFakeLink({ limits: { uploadBlockBytes: 100, requestTimeoutMilliseconds: 50 } });
  const client = new FileClient(cloud.link, new Requests(cloud.link));
  const stored: Buffer[] = [];
  let sends = 0;
  cloud.answer(({ topic, payload }) => {
    if (topic === `${up}init`) {
      const { id, params } = JSON.parse(payload.toString());
      expect(params).toMatchObject({ fileName: "a.bin", fileSize: 250, conflictStrategy: "append" });
      return cloud.deliver(`${topic}_reply`, { id, code: 200, data: { fileName: "a.bin", uploadId: "u1", offset: 50 } });
    }
    sends += 1;
    const bodyAt = 2 + payload.readUInt16BE(0);
    const { id, params } = JSON.parse(payload.subarray(2, bodyAt).toString());
    const bytes = payload.subarray(bodyAt, -2);
    expect(payload.readUInt16LE(payload.length - 2)).toBe(crc16(bytes));
    expect(params).toEqual({ uploadId: "u1", offset: sends === 1 ? 50 : 150, bSize: 100, isComplete: sends > 1 });
    if (sends === 1) {
      stored.push(bytes);
      return cloud.deliver(`${topic}_reply`, { id, code: 200, data: {} });
    }
    // Stored, but the answer is lost; the second time it is too late for it.
    if (sends === 2) stored.push(bytes);
    else cloud.deliver(`${topic}_reply`, { id, code: 78124, message: "finished", data: {} });
  });
  const done = client.upload("a.bin", image, { ifExists: "append" });
  for (let turn = 0; turn < 4; turn += 1) await settle();
  cloud.advance(50);
  expect(await done).toEqual({ uploadId: "u1" });
  expect(Buffer.concat(stored).equals(image.subarray(50))).toBe(true);
  expect(sends).toBe(3);
});

test("8.9 a refusal is told at once, and damaged blocks only so often", async () => {
  const cloud = createFakeLink({ limits: { blockTries: 3 } });
  const client = new FileClient(cloud.link, new Requests(cloud.link));
  let sends = 0;
  cloud.answer((message) => {
    const { topic, payload } = message;
    if (topic === `${up}init`) {
      return cloud.deliver(`${topic}_reply`, { id: jsonOf(message).id, code: 200, data: { uploadId: "u1", offset: 0 } });
    }
    sends += 1;
    const { id } = JSON.parse(payload.subarray(2, 2 + payload.readUInt16BE(0)).toString());
    cloud.deliver(`${topic}_reply`, { id, code: 78121, message: "crc", data: {} });
  });
  await expect(client.upload("a.bin", image)).rejects.toMatchObject({ details: { cloudCode: 78121 } });
  expect(sends).toBe(3);
});
