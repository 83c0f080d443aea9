/** CONNACK. [section 3.2 of 3.1.1 and 5.0] */
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter, checkInteger } from "./byte-writer.ts";
import { packetTypes } from "./fixed-header.ts";
import type { ConnackPacket, ProtocolVersion } from "./packet.ts";
import { decodeProperties, encodeProperties, propertiesBytes, propertyListBytes } from "./properties.ts";
import { readReasonCode } from "./reason-codes.ts";
import { formatByte, violation } from "./rules.ts";

export function decodeConnack(reader: ByteReader): ConnackPacket {
  const version = reader.version;
  const flags = reader.readByte();
  // 3.1 has no session present flag and leaves the byte undefined, so it is not looked at there.
  if (version !== 3 && flags > 1) throw violation("connackFlagsReserved", version, formatByte(flags));
  const isSessionPresent = version !== 3 && flags === 1;
  const reasonCode = readReasonCode(reader, version === 5 ? "connack" : "connackBefore5");
  if (isSessionPresent && reasonCode !== 0) throw violation("sessionPresentOnRefusal", version, formatByte(reasonCode));
  const properties = version === 5 ? decodeProperties(reader, "connack") : undefined;
  reader.finish();
  return { type: "connack", isSessionPresent, reasonCode, ...(properties !== undefined && { properties }) };
}

export function encodeConnack(packet: ConnackPacket, version: ProtocolVersion): Buffer {
  checkInteger(packet.reasonCode, 0, version === 5 ? 255 : 5, "CONNACK code");
  const listBytes = version === 5 ? propertyListBytes(packet.properties, "connack") : 0;
  const writer = new ByteWriter(packetTypes.connack << 4, 2 + (version === 5 ? propertiesBytes(listBytes) : 0));
  writer.writeByte(packet.isSessionPresent && version !== 3 ? 1 : 0);
  writer.writeByte(packet.reasonCode);
  if (version === 5) encodeProperties(writer, packet.properties, "connack", listBytes);
  return writer.finish();
}
