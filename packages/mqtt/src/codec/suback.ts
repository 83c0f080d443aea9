/** SUBACK. [section 3.9 of 3.1.1 and 5.0] */
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter, checkInteger, checkPacketId } from "./byte-writer.ts";
import { packetTypes } from "./fixed-header.ts";
import type { ProtocolVersion, SubackPacket } from "./packet.ts";
import { decodeProperties, encodeProperties, propertiesBytes, propertyListBytes } from "./properties.ts";
import { readReasonCode } from "./reason-codes.ts";
import { violation } from "./rules.ts";

export function decodeSuback(reader: ByteReader): SubackPacket {
  const packetId = reader.readPacketId();
  const properties = reader.version === 5 ? decodeProperties(reader, "suback") : undefined;
  const reasonCodes: number[] = [];
  while (reader.remainingBytes > 0) reasonCodes.push(readReasonCode(reader, reader.version === 5 ? "suback" : "subackBefore5"));
  if (reasonCodes.length === 0) throw violation("subackEmpty", reader.version, "no code");
  return { type: "suback", packetId, reasonCodes, ...(properties !== undefined && { properties }) };
}

export function encodeSuback(packet: SubackPacket, version: ProtocolVersion): Buffer {
  const listBytes = version === 5 ? propertyListBytes(packet.properties, "suback") : 0;
  const writer = new ByteWriter(packetTypes.suback << 4, 2 + (version === 5 ? propertiesBytes(listBytes) : 0) + packet.reasonCodes.length);
  writer.writeUint16(checkPacketId(packet.packetId));
  if (version === 5) encodeProperties(writer, packet.properties, "suback", listBytes);
  for (const code of packet.reasonCodes) {
    checkInteger(code, 0, 255, "reason code");
    writer.writeByte(code);
  }
  return writer.finish();
}
