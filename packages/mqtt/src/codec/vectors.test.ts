/**
 * The vectors of conformance/mqtt, each used every way it can be: parse, generate, mirror, and cut at every byte through the
 * framer. An `id` begins with the clause that the vector shows. `isCanonical: false` marks bytes that other software may
 * send and we never do.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CodecError } from "./codec-error.ts";
import { decodePacket } from "./decode-packet.ts";
import { encodePacket } from "./encode-packet.ts";
import { Framer } from "./framer.ts";
import type { Packet, ProtocolVersion } from "./packet.ts";
import { rules } from "./rules.ts";

interface Vector {
  id: string;
  version: ProtocolVersion;
  hex: string;
  packet?: unknown;
  isCanonical?: false;
  error?: string;
  returnCode?: number;
  packetBytesMax?: number;
  note?: string;
}

const folder = join(import.meta.dirname, "../../../../conformance/mqtt");
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => ({ name, vectors: JSON.parse(readFileSync(join(folder, name), "utf8")) as Vector[] }));
const everyVector = files.flatMap((file) => file.vectors);

const packetBytesMaxDefault = 1_048_576;

/** Bytes become `{ hex }`, as the vectors write them. */
function toVectorForm(packet: Packet): unknown {
  return JSON.parse(
    JSON.stringify(packet, (_, value) => (isBytesAsJson(value) ? { hex: Buffer.from(value.data).toString("hex") } : value)),
  );
}

function isBytesAsJson(value: unknown): value is { type: "Buffer"; data: number[] } {
  return typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value;
}

/** Feeds the pieces through a framer. Each piece is wiped after the call, as a shared read buffer would be. */
function decodePieces(vector: Vector, pieces: readonly Uint8Array[]): unknown {
  const framer = new Framer({ packetBytesMax: vector.packetBytesMax ?? packetBytesMaxDefault });
  const packets: unknown[] = [];
  try {
    for (const piece of pieces) {
      const shared = Buffer.from(piece);
      framer.push(shared, (firstByte, buffer, start, end) => {
        packets.push(toVectorForm(decodePacket(firstByte, buffer, start, end, vector.version)));
        return true;
      });
      shared.fill(0xee);
    }
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { code: error.code, clause: error.clause, returnCode: error.returnCode };
  }
  expect(framer.pendingBytes).toBe(0);
  return packets;
}

for (const { name, vectors } of files) {
  describe(name, () => {
    test.each(vectors)("[$id]", (vector) => {
      const bytes = Buffer.from(vector.hex, "hex");
      const whole = decodePieces(vector, [bytes]);
      if (vector.error === undefined) {
        expect(whole).toEqual([vector.packet]);
      } else {
        expect(whole).toMatchObject({ code: vector.error });
        if (vector.returnCode !== undefined) expect(whole).toMatchObject({ returnCode: vector.returnCode });
      }

      expect(
        decodePieces(
          vector,
          [...bytes].map((byte) => Uint8Array.of(byte)),
        ),
        "one byte at a time",
      ).toEqual(whole);
      // Every cut of a long packet runs the same code; its beginning and its end are where the states are.
      for (let cut = 1; cut < bytes.length; cut++) {
        if (cut === 300 && bytes.length > 600) cut = bytes.length - 300;
        const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
        expect(decodePieces(vector, pieces), `cut at ${cut}`).toEqual(whole);
      }
      if (vector.error === undefined) {
        expect(decodePieces(vector, [Buffer.concat([bytes, bytes])]), "twice in one chunk").toEqual([vector.packet, vector.packet]);
      }
    });

    test.each(vectors.filter((vector) => vector.error === undefined))("generates and mirrors [$id]", (vector) => {
      const packet = decodeBytes(Buffer.from(vector.hex, "hex"), vector.version);
      const encoded = encodePacket(packet, vector.version);
      if (vector.isCanonical !== false) expect(encoded.toString("hex")).toBe(vector.hex);
      else expect(encoded.toString("hex")).not.toBe(vector.hex);
      expect(toVectorForm(decodeBytes(encoded, vector.version))).toEqual(vector.packet);
    });
  });
}

function decodeBytes(bytes: Uint8Array, version: ProtocolVersion): Packet {
  const packets: Packet[] = [];
  new Framer({ packetBytesMax: packetBytesMaxDefault }).push(bytes, (firstByte, buffer, start, end) => {
    packets.push(decodePacket(firstByte, buffer, start, end, version));
    return true;
  });
  const [packet] = packets;
  if (packet === undefined) throw new Error("no packet in the bytes");
  return packet;
}

/** The refusal of a whole frame as the decoder reports it, which knows the version; else as the framer does. */
function refusalOf(vector: Vector): CodecError | undefined {
  const bytes = Buffer.from(vector.hex, "hex");
  let headerEnd = 1;
  while (((bytes[headerEnd] ?? 0) & 0x80) !== 0) headerEnd++;
  headerEnd++;
  try {
    const isFramerOnly = headerEnd > Math.min(5, bytes.length) || vector.error === "mqtt.packet_too_large";
    if (!isFramerOnly) decodePacket(bytes[0] ?? 0, bytes, headerEnd, bytes.length, vector.version);
    new Framer({ packetBytesMax: vector.packetBytesMax ?? packetBytesMaxDefault }).push(bytes, () => true);
    return undefined;
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw error;
  }
}

test("the id of every refusal begins with the clause that the codec names", () => {
  for (const vector of everyVector) {
    if (vector.error === undefined) continue;
    expect(`${refusalOf(vector)?.clause} `, vector.id).toBe(`${vector.id.split(" ", 1)[0]} `);
  }
});

test("every rule is shown by a vector, in every version family that has it", () => {
  const shown = new Set(everyVector.map(refusalOf).map((error) => `${error?.code} ${error?.clause} ${error?.expected}`));
  const missing = Object.entries(rules).flatMap(([name, [code, clause311, clause5, expected]]) =>
    [clause311, clause5]
      .filter((clause) => clause !== "-" && !shown.has(`${code} ${clause} ${expected}`))
      .map((clause) => `${name} ${clause}`),
  );
  expect(missing).toEqual([]);
});

test("every packet type has valid vectors in every version that knows it", () => {
  const present = new Set(
    everyVector.flatMap(({ packet, version }) =>
      typeof packet === "object" && packet !== null && "type" in packet ? [`${packet.type} ${version}`] : [],
    ),
  );
  // 14 types on 3.1 and 3.1.1, 15 on 5.0.
  expect(present.size).toBe(14 + 14 + 15);
});

test("ids are unique within a file", () => {
  for (const { name, vectors } of files) expect(new Set(vectors.map(({ id }) => id)).size, name).toBe(vectors.length);
});
