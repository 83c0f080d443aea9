/** PUBLISH: the hot path. [section 3.3 of 3.1.1 and 5.0] */
import { isUtf8 } from "node:buffer";
import { ByteReader, decodeString } from "./byte-reader.ts";
import {
  ByteWriter,
  cannotEncode,
  checkPacketId,
  fieldBytesMax,
  variableByteIntegerBytes,
  variableByteIntegerMax,
  writeVariableByteInteger,
} from "./byte-writer.ts";
import { packetTypes } from "./fixed-header.ts";
import type { Properties, ProtocolVersion, PublishPacket, QoS } from "./packet.ts";
import { decodePropertyList, encodeProperties, propertiesBytes, propertyListBytes } from "./properties.ts";
import { formatByte, violation } from "./rules.ts";

/** Where the parts of a PUBLISH lie in its buffer. One object serves any number of packets. */
export interface PublishView {
  qos: QoS;
  isDuplicate: boolean;
  isRetained: boolean;
  topicStart: number;
  /** Equal to `topicStart` on 5.0 when a topic alias stands for the topic. */
  topicEnd: number;
  /** 0 when QoS is 0. */
  packetId: number;
  /** Property list without its length field; equal to `propertiesEnd` when there are none. */
  propertiesStart: number;
  propertiesEnd: number;
  payloadStart: number;
  payloadEnd: number;
}

export function createPublishView(): PublishView {
  return {
    qos: 0,
    isDuplicate: false,
    isRetained: false,
    topicStart: 0,
    topicEnd: 0,
    packetId: 0,
    propertiesStart: 0,
    propertiesEnd: 0,
    payloadStart: 0,
    payloadEnd: 0,
  };
}

/**
 * Fills `view` without building objects. Topic text, packet identifier and the bounds of the properties are checked; the
 * properties themselves are checked when {@link decodePublishProperties} reads them.
 *
 * @throws CodecError `mqtt.malformed_packet`, `mqtt.string_invalid`, `mqtt.protocol_error`, `mqtt.topic_name_invalid`
 */
export function viewPublish(
  firstByte: number,
  buffer: Buffer,
  bodyStart: number,
  bodyEnd: number,
  version: ProtocolVersion,
  view: PublishView,
): void {
  locatePublish(firstByte, buffer, bodyStart, bodyEnd, version, view);
  checkTopicBytes(buffer, view.topicStart, view.topicEnd, version);
}

/**
 * {@link viewPublish} without looking at the topic's text, which is most of its cost. For callers that compare the topic's
 * bytes with those of a topic they checked before, and check new ones with {@link checkTopicBytes}.
 *
 * @throws CodecError `mqtt.malformed_packet`, `mqtt.protocol_error`, `mqtt.topic_name_invalid` (empty topic)
 */
export function locatePublish(
  firstByte: number,
  buffer: Buffer,
  bodyStart: number,
  bodyEnd: number,
  version: ProtocolVersion,
  view: PublishView,
): void {
  const qos = (firstByte >> 1) & 3;
  // [MQTT-3.3.1-4]
  if (qos === 3) throw violation("publishQosReserved", version, formatByte(firstByte));
  // [MQTT-3.3.1-2]
  if (qos === 0 && (firstByte & 0x08) !== 0) throw violation("duplicateOnQos0", version, formatByte(firstByte));
  view.qos = qos as QoS;
  view.isDuplicate = (firstByte & 0x08) !== 0;
  view.isRetained = (firstByte & 0x01) !== 0;

  const topicStart = bodyStart + 2;
  if (topicStart > bodyEnd) throw violation("truncated", version, "no topic length");
  const topicEnd = topicStart + (((buffer[bodyStart] ?? 0) << 8) | (buffer[bodyStart + 1] ?? 0));
  let position = qos === 0 ? topicEnd : topicEnd + 2;
  if (position > bodyEnd) throw violation("truncated", version, "body ends in the topic or packet identifier");
  view.topicStart = topicStart;
  view.topicEnd = topicEnd;

  view.packetId = 0;
  if (qos !== 0) {
    const packetId = ((buffer[topicEnd] ?? 0) << 8) | (buffer[topicEnd + 1] ?? 0);
    // [MQTT-2.2.1-3]
    if (packetId === 0) throw violation("packetIdZero", version, "0");
    view.packetId = packetId;
  }

  if (version === 5) {
    const reader = new ByteReader(buffer, position, bodyEnd, version);
    const listBytes = reader.readVariableByteInteger();
    view.propertiesStart = reader.take(listBytes);
    position = reader.position;
  } else {
    view.propertiesStart = position;
  }
  view.propertiesEnd = position;
  view.payloadStart = position;
  view.payloadEnd = bodyEnd;
  // On 5.0 a topic alias may stand for the topic, which only the properties can tell.
  if (topicStart !== topicEnd) return;
  if (version !== 5) throw violation("topicEmpty", version, "empty topic");
  if (view.propertiesStart === view.propertiesEnd) throw violation("topicMissing", version, "empty topic, no properties");
}

/** Refuses a topic name that is no UTF-8, holds U+0000 or a wildcard. @throws CodecError `mqtt.string_invalid`, `mqtt.topic_name_invalid` */
export function checkTopicBytes(buffer: Buffer, start: number, end: number, version: ProtocolVersion): void {
  let isAscii = true;
  for (let index = start; index < end; index++) {
    const byte = buffer[index] ?? 0;
    if (byte > 0x7f) {
      isAscii = false;
    } else if (byte === 0x2b || byte === 0x23) {
      // [MQTT-3.3.2-2]
      throw violation("topicHasWildcard", version, buffer.toString("utf8", start, end));
    } else if (byte === 0) {
      throw violation("stringHasNull", version, `U+0000 at byte ${index - start} of the topic`);
    }
  }
  if (!isAscii && !isUtf8(buffer.subarray(start, end))) throw violation("stringNotUtf8", version, "topic");
}

/**
 * Properties of a viewed PUBLISH (5.0). Undefined when there are none. Byte properties are views.
 *
 * @throws CodecError
 */
export function decodePublishProperties(buffer: Buffer, propertiesStart: number, propertiesEnd: number): Properties | undefined {
  return decodePropertyList(new ByteReader(buffer, propertiesStart, propertiesEnd, 5), propertiesEnd, "publish");
}

/** The whole packet as an object; `payload` is a view into `buffer`. @throws CodecError */
export function decodePublish(
  firstByte: number,
  buffer: Buffer,
  bodyStart: number,
  bodyEnd: number,
  version: ProtocolVersion,
): PublishPacket {
  const view = createPublishView();
  viewPublish(firstByte, buffer, bodyStart, bodyEnd, version, view);
  const properties = version === 5 ? decodePublishProperties(buffer, view.propertiesStart, view.propertiesEnd) : undefined;
  const topic = decodeString(buffer, view.topicStart, view.topicEnd, version);
  if (topic === "" && properties?.topicAlias === undefined) throw violation("topicMissing", version, "empty topic, no topic alias");
  return {
    type: "publish",
    topic,
    payload: buffer.subarray(view.payloadStart, view.payloadEnd),
    qos: view.qos,
    isDuplicate: view.isDuplicate,
    isRetained: view.isRetained,
    ...(view.qos !== 0 && { packetId: view.packetId }),
    ...(properties !== undefined && { properties }),
  };
}

/**
 * Encodes a PUBLISH in one allocation. `packetId` is ignored on QoS 0 and `properties` before 5.0. To send one message to
 * many subscribers, encode once, copy, and patch the identifier at {@link packetIdOffset}.
 *
 * @param topic text, or its UTF-8 bytes when the caller has them.
 * @throws CodecError `mqtt.cannot_encode`
 */
export function encodePublish(
  topic: string | Uint8Array,
  payload: Uint8Array,
  qos: QoS,
  isDuplicate: boolean,
  isRetained: boolean,
  packetId: number,
  properties: Properties | undefined,
  version: ProtocolVersion,
): Buffer {
  const firstByte = (packetTypes.publish << 4) | (isDuplicate && qos !== 0 ? 0x08 : 0) | (qos << 1) | (isRetained ? 0x01 : 0);
  const topicBytes = typeof topic === "string" ? Buffer.byteLength(topic) : topic.length;
  if (topicBytes > fieldBytesMax) throw cannotEncode(`topic of ${topicBytes} bytes`, `at most ${fieldBytesMax} bytes`);
  const bodyBytes = 2 + topicBytes + (qos === 0 ? 0 : 2) + payload.length;
  if (version === 5) return encodePublish5(firstByte, topic, qos, packetId, properties, payload, bodyBytes);

  if (bodyBytes > variableByteIntegerMax) throw cannotEncode(`body of ${bodyBytes} bytes`, `at most ${variableByteIntegerMax} bytes`);
  const encoded = Buffer.allocUnsafe(1 + variableByteIntegerBytes(bodyBytes) + bodyBytes);
  encoded[0] = firstByte;
  let position = writeVariableByteInteger(encoded, 1, bodyBytes);
  encoded[position] = topicBytes >> 8;
  encoded[position + 1] = topicBytes & 0xff;
  position += 2;
  if (typeof topic !== "string") encoded.set(topic, position);
  // As many bytes as characters means ASCII, for which the latin1 writer is the cheaper one.
  else encoded.write(topic, position, topicBytes === topic.length ? "latin1" : "utf8");
  position += topicBytes;
  if (qos !== 0) position = encoded.writeUInt16BE(checkPacketId(packetId), position);
  encoded.set(payload, position);
  return encoded;
}

/**
 * A PUBLISH whose body is the bytes of a received one: a copy, where {@link encodePublish} puts it together anew. With
 * QoS 1 and 2 it still has the packet identifier it came with.
 */
export function copyPublish(firstByte: number, buffer: Buffer, bodyStart: number, bodyEnd: number): Buffer {
  const bodyBytes = bodyEnd - bodyStart;
  const packet = Buffer.allocUnsafe(1 + variableByteIntegerBytes(bodyBytes) + bodyBytes);
  packet[0] = firstByte;
  buffer.copy(packet, writeVariableByteInteger(packet, 1, bodyBytes), bodyStart, bodyEnd);
  return packet;
}

function encodePublish5(
  firstByte: number,
  topic: string | Uint8Array,
  qos: QoS,
  packetId: number,
  properties: Properties | undefined,
  payload: Uint8Array,
  bodyBytesWithoutProperties: number,
): Buffer {
  const listBytes = propertyListBytes(properties, "publish");
  const writer = new ByteWriter(firstByte, bodyBytesWithoutProperties + propertiesBytes(listBytes));
  if (typeof topic === "string") writer.writeString(topic);
  else writer.writeBinary(topic);
  if (qos !== 0) writer.writeUint16(checkPacketId(packetId));
  encodeProperties(writer, properties, "publish", listBytes);
  writer.writeBytes(payload);
  return writer.finish();
}

/** Offset of the packet identifier in an encoded PUBLISH with QoS 1 or 2. */
export function packetIdOffset(encoded: Buffer): number {
  let position = 1;
  while (((encoded[position] ?? 0) & 0x80) !== 0) position++;
  return position + 3 + (((encoded[position + 1] ?? 0) << 8) | (encoded[position + 2] ?? 0));
}
