import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { type AnnouncedFile, downloadFile } from "./download.ts";

const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251));
const file: AnnouncedFile = {
  url: "http://things.example/ota/image",
  bytes: bytes.length,
  signMethod: "MD5",
  digest: createHash("md5").update(bytes).digest("hex"),
};

interface Behaviour {
  /** Bytes of each answer before the stream breaks; the last number goes on for good. */
  passedBytes: number[];
  ignoresRange?: boolean;
  status?: number;
  content?: Buffer;
}

/** A server without sockets: every connection is a pair of streams. */
function world({ passedBytes, ignoresRange = false, status = 200, content = bytes }: Behaviour) {
  const ranges: (string | undefined)[] = [];
  const delays: number[] = [];
  const server = createServer((request, response) => {
    const { range } = request.headers;
    const limit = passedBytes[Math.min(ranges.length, passedBytes.length - 1)] ?? 0;
    ranges.push(range);
    if (status !== 200) return response.writeHead(status).end();
    const start = range === undefined || ignoresRange ? 0 : Number(/bytes=(\d+)-/.exec(range)?.[1]);
    const whole = content.subarray(start);
    response.writeHead(start === 0 ? 200 : 206, { "content-length": whole.length });
    if (limit >= whole.length) return response.end(whole);
    response.flushHeaders();
    response.write(whole.subarray(0, limit));
    // A turn later, so that what was written is read before the stream ends in the middle.
    setImmediate(() => setImmediate(() => response.socket?.end()));
  });
  const ports = {
    downloads: {
      allowsPlain: true,
      open() {
        const [near, far] = duplexPair();
        server.emit("connection", far);
        return near;
      },
    },
    clock: {
      now: () => 0,
      random: () => 0,
      after(milliseconds: number, task: () => void) {
        delays.push(milliseconds);
        queueMicrotask(task);
        return () => {};
      },
    },
    limits: { downloadIdleMilliseconds: 1_000, downloadTries: 3 },
  };
  const got = Buffer.alloc(content.length);
  const sink = (piece: Buffer, offset: number) => void piece.copy(got, offset);
  return { ports, ranges, delays, got, sink };
}

test("7.2 a download that breaks goes on where it stopped, and tries are counted from the last byte that came", async () => {
  const { ports, ranges, delays, got, sink } = world({ passedBytes: [300, 0, 300, 0, 1_000] });
  const progress: number[] = [];
  await downloadFile(ports, file, sink, { onProgress: ({ receivedBytes }) => progress.push(receivedBytes) });
  expect(got.equals(bytes)).toBe(true);
  expect(ranges).toEqual([undefined, "bytes=300-", "bytes=300-", "bytes=600-", "bytes=600-"]);
  expect(delays).toEqual([250, 500, 250, 500]);
  expect(progress.at(-1)).toBe(1_000);
});

test("a server that starts over is understood, and pieces are no larger than asked", async () => {
  const { ports, got, sink } = world({ passedBytes: [300, 1_000], ignoresRange: true });
  const sizes: number[] = [];
  await downloadFile(
    ports,
    file,
    (piece, offset) => {
      sizes.push(piece.length);
      sink(piece, offset);
    },
    { pieceBytesMax: 64 },
  );
  expect(got.equals(bytes)).toBe(true);
  expect(Math.max(...sizes)).toBe(64);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(1_000);
});

test.each<[string, Behaviour, object]>([
  ["device.download_failed", { passedBytes: [100, 0] }, { offset: 100, tries: 3 }],
  ["device.download_refused", { passedBytes: [0], status: 403 }, { status: 403 }],
  ["device.download_failed", { passedBytes: [0], status: 503 }, { offset: 0, tries: 3 }],
  ["device.file_mismatch", { passedBytes: [1_000], content: Buffer.from(bytes).fill(1, 5, 6) }, { kind: "MD5" }],
  ["device.file_mismatch", { passedBytes: [2_000], content: Buffer.concat([bytes, bytes]) }, { kind: "length" }],
])("ends with %s: %j", async (code, behaviour, details) => {
  const { ports, sink } = world(behaviour);
  await expect(downloadFile(ports, file, sink)).rejects.toMatchObject({ code, details });
});

test("a fault of the sink ends the download as it is, without another try", async () => {
  const { ports, ranges } = world({ passedBytes: [1_000] });
  const fault = new Error("flash");
  const failing = () => {
    throw fault;
  };
  await expect(downloadFile(ports, file, failing)).rejects.toBe(fault);
  expect(ranges).toHaveLength(1);
});

test("plain HTTP is refused unless it is allowed", async () => {
  const { ports, sink, ranges } = world({ passedBytes: [1_000] });
  const strict = { ...ports, downloads: { ...ports.downloads, allowsPlain: false } };
  await expect(downloadFile(strict, file, sink)).rejects.toMatchObject({ code: "device.download_insecure" });
  expect(ranges).toEqual([]);
});
