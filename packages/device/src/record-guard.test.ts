import { Duplex, duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { RecordGuard } from "./record-guard.ts";
import { settle } from "./testing/fake-link.ts";

const record = (bytes: number) => Buffer.concat([Buffer.from([0x17, 3, 3, bytes >> 8, bytes & 0xff]), Buffer.alloc(bytes, 7)]);

async function pass(chunks: Buffer[]): Promise<{ received: Buffer; error: unknown }> {
  const [near, far] = duplexPair();
  const guard = new RecordGuard(near, "things.example:443", 100);
  const received: Buffer[] = [];
  let error: unknown;
  guard.on("data", (chunk: Buffer) => received.push(chunk)).on("error", (caught) => (error = caught));
  for (const chunk of chunks) far.write(chunk);
  await settle();
  await settle();
  guard.destroy();
  return { received: Buffer.concat(received), error };
}

test("records of any length up to the limit pass, wherever the stream is cut", async () => {
  const bytes = Buffer.concat([record(1), record(100), record(0), record(63)]);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const { received, error } = await pass([bytes.subarray(0, cut), bytes.subarray(cut)].filter(({ length }) => length > 0));
    expect(error, String(cut)).toBeUndefined();
    expect(received.equals(bytes), String(cut)).toBe(true);
  }
});

test("a larger record ends the stream with what came and what fits", async () => {
  const bytes = Buffer.concat([record(100), record(101)]);
  for (const chunks of [[bytes], [...bytes].map((byte) => Buffer.from([byte]))]) {
    const { error } = await pass(chunks);
    expect(error).toMatchObject({
      code: "device.record_too_large",
      details: { server: "things.example:443", received: 101, expected: 100 },
    });
  }
});

test("what is written goes out, and the end with it", async () => {
  const [near, far] = duplexPair();
  const guard = new RecordGuard(near, "s", 100);
  const out: Buffer[] = [];
  let hasEnded = false;
  far.on("data", (chunk: Buffer) => out.push(chunk)).on("end", () => (hasEnded = true));
  guard.write("hello");
  guard.end();
  guard.resume();
  await settle();
  await settle();
  expect(Buffer.concat(out).toString()).toBe("hello");
  expect(hasEnded).toBe(true);
  expect(guard).toBeInstanceOf(Duplex);
});
