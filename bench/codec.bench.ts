/**
 * What the codec costs per packet, in nanoseconds: `node bench/codec.bench.ts`. Prints the median of several rounds; it
 * measures, it asserts nothing.
 */
import {
  createPublishView,
  decodePacket,
  encodePublish,
  Framer,
  locatePublish,
  type ProtocolVersion,
  packetIdOffset,
  viewPublish,
} from "../packages/mqtt/src/codec/index.ts";

const rounds = 15;
const packetsPerRound = 100_000;

function measure(name: string, work: () => number): void {
  const samples: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    const packets = work();
    samples.push(Number(process.hrtime.bigint() - start) / packets);
  }
  // The first rounds are the compiler's.
  const warm = samples.slice(5).sort((a, b) => a - b);
  const median = warm[Math.floor(warm.length / 2)] ?? Number.NaN;
  process.stdout.write(`${name.padEnd(56)} ${median.toFixed(0).padStart(6)} ns/packet\n`);
}

const topic = "/sys/a1B2c3D4e5F/device-000123/thing/event/property/post";
const topicBytes = Buffer.from(topic);
let sum = 0;

for (const version of [4, 5] as const satisfies ProtocolVersion[]) {
  for (const payloadBytes of [20, 200, 2000]) {
    const payload = Buffer.alloc(payloadBytes, 0x61);
    const label = `level ${version}, ${payloadBytes} B payload`;
    const encoded = encodePublish(topic, payload, 1, false, false, 1, undefined, version);
    const perChunk = Math.max(1, Math.floor(65_536 / encoded.length));
    const chunk = Buffer.concat(Array.from({ length: perChunk }, () => encoded));
    const chunks = Math.ceil(packetsPerRound / perChunk);
    const framer = new Framer({ packetBytesMax: 1_000_000 });
    const view = createPublishView();

    measure(`frame (64 KiB chunks), ${label}`, () => {
      for (let index = 0; index < chunks; index++) {
        framer.push(chunk, (_firstByte, _buffer, start, end) => {
          sum += end - start;
          return true;
        });
      }
      return chunks * perChunk;
    });
    measure(`frame + viewPublish, ${label}`, () => {
      for (let index = 0; index < chunks; index++) {
        framer.push(chunk, (firstByte, buffer, start, end) => {
          viewPublish(firstByte, buffer, start, end, version, view);
          sum += view.payloadEnd - view.payloadStart;
          return true;
        });
      }
      return chunks * perChunk;
    });
    measure(`frame + locatePublish, ${label}`, () => {
      for (let index = 0; index < chunks; index++) {
        framer.push(chunk, (firstByte, buffer, start, end) => {
          locatePublish(firstByte, buffer, start, end, version, view);
          sum += view.payloadEnd - view.payloadStart;
          return true;
        });
      }
      return chunks * perChunk;
    });
    measure(`frame + decodePacket, ${label}`, () => {
      for (let index = 0; index < chunks; index++) {
        framer.push(chunk, (firstByte, buffer, start, end) => {
          sum += decodePacket(firstByte, buffer, start, end, version).type.length;
          return true;
        });
      }
      return chunks * perChunk;
    });
    measure(`frame split in two chunks each, ${label}`, () => {
      const half = encoded.length >> 1;
      const first = encoded.subarray(0, half);
      const second = encoded.subarray(half);
      const sink = (_firstByte: number, _buffer: Buffer, start: number, end: number): boolean => {
        sum += end - start;
        return true;
      };
      for (let index = 0; index < packetsPerRound; index++) {
        framer.push(first, sink);
        framer.push(second, sink);
      }
      return packetsPerRound;
    });
    measure(`encodePublish from text, ${label}`, () => {
      for (let index = 0; index < packetsPerRound; index++) {
        sum += encodePublish(topic, payload, 1, false, false, 1, undefined, version).length;
      }
      return packetsPerRound;
    });
    measure(`encodePublish from bytes, ${label}`, () => {
      for (let index = 0; index < packetsPerRound; index++) {
        sum += encodePublish(topicBytes, payload, 1, false, false, 1, undefined, version).length;
      }
      return packetsPerRound;
    });
    measure(`copy encoded + patch packet id, ${label}`, () => {
      const offset = packetIdOffset(encoded);
      for (let index = 0; index < packetsPerRound; index++) {
        const copy = Buffer.allocUnsafe(encoded.length);
        copy.set(encoded);
        copy.writeUInt16BE((index & 0x7fff) + 1, offset);
        sum += copy.length;
      }
      return packetsPerRound;
    });
  }
}
process.stdout.write(`(checksum ${sum})\n`);
