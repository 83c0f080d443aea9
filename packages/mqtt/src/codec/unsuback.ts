/** UNSUBACK. [section 3.11 of 3.1.1 and 5.0] */
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter, checkInteger, checkPacketId } from "./byte-writer.ts";
import { packetTypes } from "./fixed-header.ts";
import type { ProtocolVersion, UnsubackPacket } from "./packet.ts";
import { decodeProperties, encodeProperties, propertiesBytes, propertyListBytes } from "./properties.ts";
import { readReasonCode } from "./reason-codes.ts";
import { violation } from "./rules.ts";

export function decodeUnsuback(reader: ByteReader): UnsubackPacket {
  const packetId = reader.readPacketId();
  const reasonCodes: number[] = [];
  if (reader.version !== 5) {
    reader.finish();
    return { type: "unsuback", packetId, reasonCodes };
  }
  const properties = decodeProperties(reader, "unsuback");
  while (reader.remainingBytes > 0) reasonCodes.push(readReasonCode(reader, "unsuback"));
  if (reasonCodes.length === 0) throw violation("unsubackEmpty", reader.version, "no reason code");
  return { type: "unsuback", packetId, reasonCodes, ...(properties !== undefined && { properties }) };
}

/** Before 5.0 the packet has no codes and `reasonCodes` is left out. */
export function encodeUnsuback(packet: UnsubackPacket, version: ProtocolVersion): Buffer {
  const listBytes = version === 5 ? propertyListBytes(packet.properties, "unsuback") : 0;
  const writer = new ByteWriter(packetTypes.unsuback << 4, version === 5 ? 2 + propertiesBytes(listBytes) + packet.reasonCodes.length : 2);
  writer.writeUint16(checkPacketId(packet.packetId));
  if (version !== 5) return writer.finish();
  encodeProperties(writer, packet.properties, "unsuback", listBytes);
  for (const code of packet.reasonCodes) {
    checkInteger(code, 0, 255, "reason code");
    writer.writeByte(code);
  }
  return writer.finish();
}
