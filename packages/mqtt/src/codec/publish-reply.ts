/** PUBACK, PUBREC, PUBREL and PUBCOMP: one layout. [sections 3.4 to 3.7 of 3.1.1 and 5.0] */
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter, checkInteger, checkPacketId } from "./byte-writer.ts";
import { packetTypes } from "./fixed-header.ts";
import type { ProtocolVersion, PublishReplyPacket } from "./packet.ts";
import { decodeProperties, encodeProperties, propertiesBytes, propertyListBytes } from "./properties.ts";
import { readReasonCode } from "./reason-codes.ts";

type ReplyType = PublishReplyPacket["type"];

const firstBytes: Record<ReplyType, number> = {
  puback: packetTypes.puback << 4,
  pubrec: packetTypes.pubrec << 4,
  pubrel: (packetTypes.pubrel << 4) | 0x02,
  pubcomp: packetTypes.pubcomp << 4,
};

/** Bytes {@link writePublishReply} writes. */
export const publishReplyBytes = 4;

export function decodePublishReply(reader: ByteReader, type: ReplyType): PublishReplyPacket {
  const packetId = reader.readPacketId();
  // [5.0 section 3.4.2.1] Reason and properties may be left out when the reason is 0; before 5.0 there are none.
  const reasonCode = reader.version === 5 && reader.remainingBytes > 0 ? readReasonCode(reader, type) : 0;
  const properties = reader.version === 5 && reader.remainingBytes > 0 ? decodeProperties(reader, type) : undefined;
  reader.finish();
  return { type, packetId, ...(reasonCode !== 0 && { reasonCode }), ...(properties !== undefined && { properties }) };
}

export function encodePublishReply(packet: PublishReplyPacket, version: ProtocolVersion): Buffer {
  const packetId = checkPacketId(packet.packetId);
  const reasonCode = packet.reasonCode ?? 0;
  checkInteger(reasonCode, 0, 255, "reason code");
  const listBytes = version === 5 ? propertyListBytes(packet.properties, packet.type) : 0;
  if (version !== 5 || (reasonCode === 0 && listBytes === 0)) {
    const encoded = Buffer.allocUnsafe(publishReplyBytes);
    writePublishReply(encoded, 0, packet.type, packetId);
    return encoded;
  }
  const writer = new ByteWriter(firstBytes[packet.type], 3 + (listBytes === 0 ? 0 : propertiesBytes(listBytes)));
  writer.writeUint16(packetId);
  writer.writeByte(reasonCode);
  if (listBytes > 0) encodeProperties(writer, packet.properties, packet.type, listBytes);
  return writer.finish();
}

/** Writes a reply without reason (the same in all versions) at `offset`; returns the offset behind it. */
export function writePublishReply(target: Buffer, offset: number, type: ReplyType, packetId: number): number {
  target[offset] = firstBytes[type];
  target[offset + 1] = 2;
  target[offset + 2] = packetId >> 8;
  target[offset + 3] = packetId & 0xff;
  return offset + publishReplyBytes;
}
