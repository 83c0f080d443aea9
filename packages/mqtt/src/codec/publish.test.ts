import { expect, test } from "vitest";
import type { Properties, ProtocolVersion, QoS } from "./packet.ts";
import {
  copyPublish,
  createPublishView,
  decodePublish,
  decodePublishProperties,
  encodePublish,
  packetIdOffset,
  viewPublish,
} from "./publish.ts";
import { publishReplyBytes, writePublishReply } from "./publish-reply.ts";

function bodyStartOf(encoded: Buffer): number {
  let position = 1;
  while (((encoded[position] ?? 0) & 0x80) !== 0) position++;
  return position + 1;
}

test("a view says where everything lies, and is reset by the next packet", () => {
  const view = createPublishView();
  const first = encodePublish("a/温", Buffer.from("payload"), 1, true, true, 513, { topicAlias: 3 }, 5);
  viewPublish(first[0] ?? 0, first, bodyStartOf(first), first.length, 5, view);
  expect(view).toMatchObject({ qos: 1, isDuplicate: true, isRetained: true, packetId: 513 });
  expect(first.toString("utf8", view.topicStart, view.topicEnd)).toBe("a/温");
  expect(first.toString("utf8", view.payloadStart, view.payloadEnd)).toBe("payload");
  expect(decodePublishProperties(first, view.propertiesStart, view.propertiesEnd)).toEqual({ topicAlias: 3 });

  const second = encodePublish("b", new Uint8Array(), 0, false, false, 0, undefined, 4);
  viewPublish(second[0] ?? 0, second, bodyStartOf(second), second.length, 4, view);
  expect(view).toMatchObject({
    qos: 0,
    isDuplicate: false,
    isRetained: false,
    packetId: 0,
    topicStart: 4,
    topicEnd: 5,
    payloadStart: 5,
    payloadEnd: 5,
  });
  expect(view.propertiesStart).toBe(view.propertiesEnd);
});

test("the payload of a decoded packet is a view", () => {
  const encoded = encodePublish("a", Buffer.from("x"), 0, false, false, 0, undefined, 4);
  const { payload } = decodePublish(0x30, encoded, 2, encoded.length, 4);
  encoded[encoded.length - 1] = 0x79;
  expect(Buffer.from(payload).toString()).toBe("y");
});

test("a copy with a patched packet identifier equals a fresh packet", () => {
  for (const version of [3, 4, 5] as const satisfies ProtocolVersion[]) {
    for (const qos of [1, 2] as const satisfies QoS[]) {
      for (const payloadBytes of [0, 100, 200, 20_000]) {
        const topic = "t".repeat(payloadBytes === 100 ? 300 : 5);
        const encoded = encodePublish(topic, Buffer.alloc(payloadBytes, 1), qos, false, false, 1, undefined, version);
        encoded.writeUInt16BE(0xabcd, packetIdOffset(encoded));
        expect(encoded.equals(encodePublish(topic, Buffer.alloc(payloadBytes, 1), qos, false, false, 0xabcd, undefined, version))).toBe(
          true,
        );
      }
    }
  }
});

test("topic text and topic bytes encode alike", () => {
  for (const version of [4, 5] as const) {
    const text = encodePublish("房间/a", Buffer.from("x"), 1, false, false, 7, undefined, version);
    expect(encodePublish(Buffer.from("房间/a"), Buffer.from("x"), 1, false, false, 7, undefined, version).equals(text)).toBe(true);
  }
});

test("properties that a PUBLISH cannot carry are left out: a will's properties can be handed over", () => {
  const properties: Properties = { willDelayIntervalSeconds: 5, contentType: "x" };
  const encoded = encodePublish("a", Buffer.alloc(0), 0, false, false, 0, properties, 5);
  expect(decodePublish(0x30, encoded, 2, encoded.length, 5).properties).toEqual({ contentType: "x" });
});

test("what does not fit its field is refused, not cut", () => {
  const encode = (topic: string, qos: QoS, packetId: number, properties?: Properties, version: ProtocolVersion = 5) =>
    encodePublish(topic, Buffer.alloc(0), qos, false, false, packetId, properties, version);
  const refused = { code: "mqtt.cannot_encode" };
  expect(() => encode("t".repeat(65_536), 0, 0)).toThrow(expect.objectContaining(refused));
  expect(() => encode("t", 1, 0)).toThrow(expect.objectContaining(refused));
  expect(() => encode("t", 1, 65_536, undefined, 4)).toThrow(expect.objectContaining(refused));
  expect(() => encode("t", 0, 0, { topicAlias: 0 })).toThrow(expect.objectContaining(refused));
  expect(() => encode("t", 0, 0, { messageExpiryIntervalSeconds: 1.5 })).toThrow(expect.objectContaining(refused));
  expect(() => encode("t", 0, 0, { contentType: "c".repeat(65_536) })).toThrow(expect.objectContaining(refused));
  expect(() => encode("t", 0, 0, { userProperties: [["a", "b\0"]] })).toThrow(expect.objectContaining(refused));
  expect(() => encode("t", 0, 0, { subscriptionIdentifiers: [268_435_456] })).toThrow(expect.objectContaining(refused));
});

test("replies go into a caller's buffer", () => {
  const target = Buffer.alloc(4 * publishReplyBytes);
  let offset = 0;
  for (const type of ["puback", "pubrec", "pubrel", "pubcomp"] as const) offset = writePublishReply(target, offset, type, 0x0102);
  expect(target.toString("hex")).toBe("40020102500201026202010270020102");
  expect(offset).toBe(target.length);
});

test("a copied body is the packet that encoding makes", () => {
  for (const bytes of [0, 100, 200, 20_000]) {
    const made = encodePublish("a/b", Buffer.alloc(bytes, 7), 1, false, true, 9, undefined, 4);
    expect(copyPublish(made[0] ?? 0, made, bodyStartOf(made), made.length).equals(made)).toBe(true);
  }
});
