import { expect, test } from "vitest";
import { CodecError } from "./codec-error.ts";
import { Framer } from "./framer.ts";

function collect(): { frames: string[]; sink: (firstByte: number, buffer: Buffer, start: number, end: number) => boolean } {
  const frames: string[] = [];
  return {
    frames,
    sink: (firstByte, buffer, start, end) => {
      frames.push(`${firstByte.toString(16)} ${buffer.toString("hex", start, end)}`);
      return true;
    },
  };
}

function errorOf(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("hands over a whole frame in place, without a copy", () => {
  const chunk = Buffer.from("c0003003000161", "hex");
  const seen: unknown[] = [];
  new Framer({ packetBytesMax: 100 }).push(chunk, (firstByte, buffer, start, end) => {
    seen.push([firstByte, buffer === chunk, start, end]);
    return true;
  });
  expect(seen).toEqual([
    [0xc0, true, 2, 2],
    [0x30, true, 4, 7],
  ]);
});

test("takes a Uint8Array that is a window into a larger buffer", () => {
  const { frames, sink } = collect();
  const memory = Uint8Array.from([9, 9, 0xc0, 0, 9]);
  new Framer({ packetBytesMax: 100 }).push(memory.subarray(2, 4), sink);
  expect(frames).toEqual(["c0 "]);
});

test("copies an incomplete tail, so the chunk may be reused", () => {
  const { frames, sink } = collect();
  const framer = new Framer({ packetBytesMax: 100 });
  const shared = Buffer.from("30050001", "hex");
  framer.push(shared, sink);
  expect(framer.pendingBytes).toBe(4);
  shared.fill(0xff);
  framer.push(Buffer.from("616263", "hex"), sink);
  expect(frames).toEqual(["30 0001616263"]);
  expect(framer.pendingBytes).toBe(0);
});

test("a header that claims much costs nothing until the bytes come", () => {
  const framer = new Framer({ packetBytesMax: 268_435_460 });
  const before = process.memoryUsage().arrayBuffers;
  framer.push(Buffer.from("30ffffff7f", "hex"), () => true);
  framer.push(Buffer.alloc(1000), () => true);
  expect(framer.pendingBytes).toBe(1005);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
});

test("[MQTT-3.2.2-15] refuses an over-long packet from its fixed header alone", () => {
  const framer = new Framer({ packetBytesMax: 10 });
  framer.push(Buffer.from("3008", "hex"), () => true);
  const other = new Framer({ packetBytesMax: 10 });
  const error = errorOf(() => other.push(Buffer.from("3009", "hex"), () => true));
  expect(error).toMatchObject({ code: "mqtt.packet_too_large", reasonCode: 0x95, received: "11 bytes, limit 10" });
});

test("the limit can be changed between packets", () => {
  const framer = new Framer({ packetBytesMax: 2 });
  framer.setPacketBytesMax(5);
  const { frames, sink } = collect();
  framer.push(Buffer.from("3003000161", "hex"), sink);
  expect(frames).toHaveLength(1);
});

test("refuses an illegal first byte before the length arrives", () => {
  for (let firstByte = 0; firstByte < 256; firstByte++) {
    const error = errorOf(() => new Framer({ packetBytesMax: 100 }).push(Uint8Array.of(firstByte), () => true));
    const type = firstByte >> 4;
    const flags = firstByte & 15;
    const isLegal =
      type === 3
        ? [0, 1, 2, 3, 4, 5, 10, 11, 12, 13].includes(flags)
        : [6, 8, 10].includes(type)
          ? flags === 2 || flags === 10
          : type !== 0 && flags === 0;
    expect(error === undefined, `0x${firstByte.toString(16)}`).toBe(isLegal);
    if (!isLegal) expect(error).toMatchObject({ code: "mqtt.malformed_packet" });
  }
});

test("packets in front of a broken one are delivered, bytes behind it are not", () => {
  const framer = new Framer({ packetBytesMax: 100 });
  const { frames, sink } = collect();
  const error = errorOf(() => framer.push(Buffer.from("c00000c000", "hex"), sink));
  expect(error).toBeInstanceOf(CodecError);
  framer.push(Buffer.from("c000", "hex"), sink);
  expect(frames).toEqual(["c0 "]);
});

test("a sink that says false or throws ends the stream", () => {
  const calls: number[] = [];
  const framer = new Framer({ packetBytesMax: 100 });
  const sink = (firstByte: number): boolean => {
    calls.push(firstByte);
    return false;
  };
  framer.push(Buffer.from("c000d000", "hex"), sink);
  framer.push(Buffer.from("e000", "hex"), sink);
  expect(calls).toEqual([0xc0]);

  const thrown = new Framer({ packetBytesMax: 100 });
  expect(() =>
    thrown.push(Buffer.from("c000", "hex"), () => {
      throw new Error("sink");
    }),
  ).toThrow("sink");
  const { frames, sink: collecting } = collect();
  thrown.push(Buffer.from("c000", "hex"), collecting);
  expect(frames).toEqual([]);
});
