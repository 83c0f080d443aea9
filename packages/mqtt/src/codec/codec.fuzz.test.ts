/**
 * Property tests: no bytes make the codec throw anything but a CodecError, and every packet that can be built survives the
 * wire. fast-check prints the seed and the shrunk case of a failure.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CodecError } from "./codec-error.ts";
import { decodePacket } from "./decode-packet.ts";
import { encodePacket } from "./encode-packet.ts";
import { Framer } from "./framer.ts";
import type { Packet, Properties, ProtocolVersion } from "./packet.ts";
import { type PropertyOwner, type PropertyRow, propertyOwners, propertyTable } from "./property-table.ts";

const folder = join(import.meta.dirname, "../../../../conformance/mqtt");
const seeds = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .flatMap((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as { hex: string; version: ProtocolVersion }[])
  .map(({ hex, version }) => ({ bytes: Buffer.from(hex, "hex"), version }))
  .filter(({ bytes }) => bytes.length < 1000);

const versions = fc.constantFrom<ProtocolVersion>(3, 4, 5);

/** Everything a stream yields, errors included; each piece is wiped afterwards as a shared read buffer would be. */
function readStream(pieces: readonly Uint8Array[], version: ProtocolVersion): unknown[] {
  const framer = new Framer({ packetBytesMax: 100_000 });
  const seen: unknown[] = [];
  for (const piece of pieces) {
    const shared = Buffer.from(piece);
    try {
      framer.push(shared, (firstByte, buffer, start, end) => {
        const packet = decodePacket(firstByte, buffer, start, end, version);
        seen.push(JSON.stringify(packet));
        // What was decoded can be encoded, and comes back the same.
        const decodedVersion = packet.type === "connect" ? packet.protocolVersion : version;
        expect(JSON.stringify(decodeOne(encodePacket(packet, version), decodedVersion))).toBe(JSON.stringify(packet));
        return true;
      });
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      seen.push(`${error.code} ${error.clause}`);
    }
    shared.fill(0xee);
  }
  return seen;
}

function decodeOne(bytes: Uint8Array, version: ProtocolVersion): Packet | undefined {
  let decoded: Packet | undefined;
  new Framer({ packetBytesMax: 1_000_000 }).push(bytes, (firstByte, buffer, start, end) => {
    decoded = decodePacket(firstByte, buffer, start, end, version);
    return true;
  });
  return decoded;
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}

const cuts = fc.array(fc.nat(2000), { maxLength: 4 });

test("random bytes yield packets or a CodecError, however they are cut", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), versions, cuts, (bytes, version, places) => {
      expect(readStream(cutAt(bytes, places), version)).toEqual(readStream([bytes], version));
    }),
    { numRuns: 1000 },
  );
});

test("random bodies behind a legal first byte yield a packet or a CodecError", () => {
  const legal = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => readStream([Uint8Array.of(byte)], 5).length === 0);
  fc.assert(
    fc.property(fc.constantFrom(...legal), fc.uint8Array({ maxLength: 127 }), versions, (firstByte, body, version) => {
      expect(readStream([Uint8Array.of(firstByte, body.length, ...body)], version)).toHaveLength(1);
    }),
    { numRuns: 3000 },
  );
});

test("mutated vectors yield packets or a CodecError, however they are cut", () => {
  const edit = fc.record({ at: fc.nat(2000), kind: fc.constantFrom("set", "insert", "remove"), byte: fc.nat(255) });
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 3 }), cuts, (seed, edits, places) => {
      const bytes = [...seed.bytes];
      for (const { at, kind, byte } of edits) {
        const place = at % (bytes.length + 1);
        if (kind === "insert") bytes.splice(place, 0, byte);
        else if (kind === "remove") bytes.splice(place, 1);
        else bytes[place] = byte;
      }
      const mutated = Uint8Array.from(bytes);
      expect(readStream(cutAt(mutated, places), seed.version)).toEqual(readStream([mutated], seed.version));
    }),
    { numRuns: 4000 },
  );
});

// Valid packets, built from the same property table that the codec reads.

const text = fc.string({ unit: "grapheme", maxLength: 12 }).filter((value) => !value.includes("\0"));
const topic = text.map((value) => value.replace(/[+#]/g, "_")).filter((value) => value !== "");
const filter = fc.array(fc.oneof(topic, fc.constant("+")), { minLength: 1, maxLength: 4 }).map((levels) => {
  const joined = levels.map((level) => level.replaceAll("/", "")).join("/");
  return joined === "" || joined.startsWith("$") ? `a/${joined}` : joined;
});
const bytes = fc.uint8Array({ maxLength: 20 }).map((value) => Buffer.from(value));
const packetId = fc.integer({ min: 1, max: 65_535 });
const qos = fc.constantFrom<0 | 1 | 2>(0, 1, 2);

function arbitraryValue(row: PropertyRow): fc.Arbitrary<unknown> {
  if (row.name === "responseTopic") return topic;
  if (row.kind === "string") return text;
  if (row.kind === "binary") return bytes;
  if (row.kind === "pair") return fc.tuple(text, text);
  return fc.integer({ min: row.min, max: row.max });
}

function propertiesOf(owner: PropertyOwner, version: ProtocolVersion): fc.Arbitrary<{ properties?: Properties }> {
  if (version !== 5) return fc.constant({});
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const row of propertyTable) {
    if ((row.owners & propertyOwners[owner]) === 0) continue;
    const maxLength = (row.repeatableIn & propertyOwners[owner]) === 0 ? 1 : 3;
    model[row.name] = row.repeatableIn === 0 ? arbitraryValue(row) : fc.array(arbitraryValue(row), { minLength: 1, maxLength });
  }
  return fc.record(model, { requiredKeys: owner === "auth" ? ["authenticationMethod"] : [] }).map((values) => {
    const properties = values as Properties;
    if (properties.authenticationMethod === undefined) delete properties.authenticationData;
    return Object.keys(properties).length === 0 ? {} : { properties };
  });
}

function packetsOf(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const is5 = version === 5;
  const replies = (["puback", "pubrec", "pubrel", "pubcomp"] as const).map((type) =>
    fc
      .tuple(packetId, fc.constantFrom(0, type === "puback" || type === "pubrec" ? 0x87 : 0x92), propertiesOf(type, version))
      .map(
        ([id, reason, properties]): Packet => ({ type, packetId: id, ...(is5 && reason !== 0 && { reasonCode: reason }), ...properties }),
      ),
  );
  const will = fc
    .tuple(topic, bytes, qos, fc.boolean(), propertiesOf("will", version))
    .map(([willTopic, payload, willQos, isRetained, properties]) => ({
      topic: willTopic,
      payload,
      qos: willQos,
      isRetained,
      ...properties,
    }));
  const connect = fc
    .tuple(text, fc.boolean(), fc.nat(65_535), fc.option(will), fc.option(text), fc.option(bytes), propertiesOf("connect", version))
    .map(
      ([clientId, isCleanStart, keepAliveSeconds, aWill, userName, password, properties]): Packet => ({
        type: "connect",
        protocolVersion: version,
        clientId: is5 ? clientId : `c${clientId}`,
        isCleanStart,
        keepAliveSeconds,
        ...(aWill !== null && { will: aWill }),
        ...(userName !== null && { userName }),
        ...(password !== null && (is5 || userName !== null) && { password }),
        ...properties,
      }),
    );
  const publish = fc.tuple(topic, bytes, qos, fc.boolean(), fc.boolean(), packetId, propertiesOf("publish", version)).map(
    ([name, payload, level, isDuplicate, isRetained, id, properties]): Packet => ({
      type: "publish",
      topic: name,
      payload,
      qos: level,
      isDuplicate: isDuplicate && level !== 0,
      isRetained,
      ...(level !== 0 && { packetId: id }),
      ...properties,
    }),
  );
  const subscription = fc.record({
    filter,
    qos,
    isNoLocal: is5 ? fc.boolean() : fc.constant(false),
    isRetainAsPublished: is5 ? fc.boolean() : fc.constant(false),
    retainHandling: is5 ? qos : fc.constant<0>(0),
  });
  const subscribe = fc
    .tuple(packetId, fc.array(subscription, { minLength: 1, maxLength: 5 }), propertiesOf("subscribe", version))
    .map(([id, subscriptions, properties]): Packet => ({ type: "subscribe", packetId: id, subscriptions, ...properties }));
  const unsubscribe = fc
    .tuple(packetId, fc.array(filter, { minLength: 1, maxLength: 5 }), propertiesOf("unsubscribe", version))
    .map(([id, filters, properties]): Packet => ({ type: "unsubscribe", packetId: id, filters, ...properties }));
  const suback = fc
    .tuple(packetId, fc.array(fc.constantFrom(0, 1, 2, 0x80), { minLength: 1, maxLength: 5 }), propertiesOf("suback", version))
    .map(([id, reasonCodes, properties]): Packet => ({ type: "suback", packetId: id, reasonCodes, ...properties }));
  const unsuback = fc
    .tuple(packetId, fc.array(fc.constantFrom(0, 0x11, 0x87), { minLength: 1, maxLength: 5 }), propertiesOf("unsuback", version))
    .map(
      ([id, reasonCodes, properties]): Packet => ({ type: "unsuback", packetId: id, reasonCodes: is5 ? reasonCodes : [], ...properties }),
    );
  const connack = fc.tuple(fc.boolean(), fc.constantFrom(0, is5 ? 0x87 : 5), propertiesOf("connack", version)).map(
    ([isSessionPresent, reasonCode, properties]): Packet => ({
      type: "connack",
      isSessionPresent: isSessionPresent && reasonCode === 0 && version !== 3,
      reasonCode,
      ...properties,
    }),
  );
  const disconnect = fc
    .tuple(fc.constantFrom(0, 0x04, 0x8e), propertiesOf("disconnect", version))
    .map(([reasonCode, properties]): Packet => ({ type: "disconnect", ...(is5 && reasonCode !== 0 && { reasonCode }), ...properties }));
  const auth = fc
    .tuple(fc.constantFrom(0, 0x18, 0x19), propertiesOf("auth", version))
    .map(([reasonCode, properties]): Packet => ({ type: "auth", reasonCode, ...properties }));
  return fc.oneof(connect, connack, publish, ...replies, subscribe, suback, unsubscribe, unsuback, disconnect, ...(is5 ? [auth] : []));
}

for (const version of [3, 4, 5] as const) {
  test(`random valid packets of level ${version} survive the wire`, () => {
    fc.assert(
      fc.property(packetsOf(version), (packet) => {
        expect(decodeOne(encodePacket(packet, version), version)).toEqual(packet);
      }),
      { numRuns: 1000 },
    );
  });
}
