import { expect, test } from "vitest";
import { PacketFrames } from "./packet-frames.ts";

const puback = Buffer.from([0x40, 2, 0, 1]);
const pingresp = Buffer.from([0xd0, 0]);
const large = Buffer.concat([Buffer.from([0x30, 0xc8, 0x01]), Buffer.alloc(200, 0x40)]);

/** Pieces put together to packets again. */
function packetsOf(frames: PacketFrames, ...writes: Buffer[]): Buffer[] {
  const packets: Buffer[] = [];
  let started: Uint8Array[] = [];
  for (const { bytes, isLast } of writes.flatMap((write) => frames.cut(write))) {
    started.push(bytes);
    if (!isLast) continue;
    packets.push(Buffer.concat(started));
    started = [];
  }
  expect(started).toEqual([]);
  return packets;
}

test("[MQTT-6.0.0-2] packets of one write come apart", () => {
  expect(packetsOf(new PacketFrames(), Buffer.concat([puback, large, pingresp, puback]))).toEqual([puback, large, pingresp, puback]);
});

test("a packet in several writes stays one, and the next begins behind it", () => {
  for (let cut = 3; cut < large.length; cut += 1) {
    const rest = Buffer.concat([large.subarray(cut), puback]);
    expect(packetsOf(new PacketFrames(), large.subarray(0, cut), rest, pingresp)).toEqual([large, puback, pingresp]);
  }
});
