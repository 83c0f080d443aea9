import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { systemRandom } from "../clock.ts";
import { createFakeClock } from "../fake-clock.ts";
import { parseByteRange } from "./byte-range.ts";
import { createDownloadLinks } from "./download-links.ts";
import { createDownloads } from "./downloads.ts";
import { createFirmwareFolder } from "./firmware-folder.ts";
import { defaultOtaLimits } from "./limits.ts";

const folder = mkdtempSync(join(tmpdir(), "thingstead-firmware-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251));
const limits = { ...defaultOtaLimits, downloadPieceBytes: 64, downloadCacheBytesMax: 128, downloadsMax: 1, fileBytesMax: 2_000 };

async function* inPieces(all: Buffer, size: number) {
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
}

test.each([
  [undefined, undefined],
  ["bytes=0-0", { first: 0, last: 0 }],
  ["bytes=10-", { first: 10, last: 99 }],
  ["bytes=10-5000", { first: 10, last: 99 }],
  ["bytes=-5", { first: 95, last: 99 }],
  ["bytes=-500", { first: 0, last: 99 }],
  ["Bytes = 1 - 2", { first: 1, last: 2 }],
  ["bytes=100-", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=5-4", undefined],
  ["bytes=0-1,3-4", undefined],
  ["bytes=-", undefined],
  ["lines=0-1", undefined],
])("reads the range %s", (header, expected) => {
  expect(parseByteRange(header, 100)).toEqual(expected);
});

test("a link is short, good until its time and for its file alone", () => {
  const links = createDownloadLinks(Buffer.alloc(32, 1));
  const path = links.path({ fileId: 12, taskId: 100_000, expiresAt: 1_790_000_000 });
  expect(path.length).toBeLessThan(50);
  expect(links.read(path, 1_789_999_999)).toEqual({ fileId: 12, taskId: 100_000, expiresAt: 1_790_000_000 });
  expect(links.read(path, 1_790_000_000)).toBe("expired");
  expect(links.read(path.replace("/ota/c.", "/ota/d."), 0)).toBe("invalid");
  expect(createDownloadLinks(Buffer.alloc(32, 2)).read(path, 0)).toBe("invalid");
  for (const other of ["/ota/", "/ota/a.b.c", `${path}x`, path.slice(0, -1), "/ota/c.0.0.ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ"]) {
    expect(links.read(other, 0)).toBe("invalid");
  }
});

async function open() {
  const firmware = createFirmwareFolder({ folder, random: systemRandom, limits });
  const written = await firmware.write(inPieces(bytes, 77), {});
  const file = { id: 1, createdAt: 0, ...written };
  let reads = 0;
  const counting = {
    read(sha256: string, offset: number, count: number) {
      reads++;
      return firmware.read(sha256, offset, count);
    },
  };
  const downloads = createDownloads({
    store: { findFile: async (id) => (id === 1 ? file : undefined) },
    firmware: counting,
    downloadOrigin: () => "https://host",
    linkKey: Buffer.alloc(32, 3),
    clock: createFakeClock(1_000_000),
    limits,
  });
  const pathOf = (id: number) => downloads.link(id, 0).slice("https://host".length);
  return { downloads, firmware, file, path: pathOf(1), pathOf, reads: () => reads };
}

async function take(source: { next(): Uint8Array | Promise<Uint8Array> | undefined } | undefined): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (let piece = source?.next(); piece !== undefined; piece = source?.next()) pieces.push(await piece);
  return Buffer.concat(pieces);
}

test("every range of a file comes as it is, however pieces fall", async () => {
  const { downloads, path } = await open();
  for (const [first, last] of [
    [0, 999],
    [0, 0],
    [63, 64],
    [64, 127],
    [1, 998],
    [999, 999],
    [500, 563],
  ] as const) {
    const answer = await downloads.answer({ path, range: `bytes=${first}-${last}`, ifRange: undefined, isHead: false });
    if (answer.kind !== "file") throw new Error(answer.code);
    expect(answer).toMatchObject({ status: 206, bytes: last - first + 1 });
    expect((await take(answer.source)).equals(bytes.subarray(first, last + 1))).toBe(true);
    answer.source?.close();
  }
});

test("two downloads of one piece read it once, and memory keeps no more than allowed", async () => {
  const { downloads, path, reads } = await open();
  const ask = () => downloads.answer({ path, range: "bytes=0-63", ifRange: undefined, isHead: false });
  const one = await ask();
  if (one.kind !== "file") throw new Error(one.code);
  await take(one.source);
  // The place is free only when the first is closed.
  expect(await ask()).toMatchObject({ kind: "refused", code: "ota.too_many_downloads" });
  one.source?.close();
  one.source?.close();
  expect(downloads.openCount).toBe(0);
  const two = await ask();
  if (two.kind !== "file") throw new Error(two.code);
  await take(two.source);
  expect(reads()).toBe(1);
  two.source?.close();
});

test("refusals have a code each", async () => {
  const { downloads, path, pathOf } = await open();
  const ask = (change: object) => downloads.answer({ path, range: undefined, ifRange: undefined, isHead: true, ...change });
  expect(await ask({ path: "/ota/x" })).toMatchObject({ code: "ota.download_link_invalid" });
  expect(await ask({ path: pathOf(2) })).toMatchObject({ code: "ota.download_gone" });
  expect(await ask({ range: "bytes=1000-" })).toMatchObject({ headers: { "Content-Range": "bytes */1000" } });
  expect(await ask({ range: "bytes=1-2", ifRange: '"other"' })).toMatchObject({ status: 200, bytes: 1_000 });
});

test("an upload is whole and named by its digest, or nothing is left of it", async () => {
  const { firmware, file } = await open();
  expect(file.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
  await expect(firmware.write(inPieces(Buffer.alloc(2_001), 500), {})).rejects.toMatchObject({ code: "ota.file_too_large" });
  await expect(firmware.write(inPieces(Buffer.alloc(0), 1), {})).rejects.toMatchObject({ code: "ota.file_empty" });
  for (const wrong of [{ bytes: 999 }, { md5: "0".repeat(32) }, { sha256: "0".repeat(64) }]) {
    await expect(firmware.write(inPieces(bytes, 100), wrong)).rejects.toMatchObject({ code: "ota.file_mismatch" });
  }
  async function* broken() {
    yield bytes;
    throw new Error("gone");
  }
  await expect(firmware.write(broken(), {})).rejects.toThrow("gone");
  expect(readdirSync(folder)).toEqual([file.sha256]);
  await expect(firmware.read("0".repeat(64), 0, 1)).rejects.toMatchObject({ code: "ota.file_lost" });
});
