/** AUTH, 5.0 only. [5.0 section 3.15] */
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter, cannotEncode, checkInteger } from "./byte-writer.ts";
import { packetTypes } from "./fixed-header.ts";
import type { AuthPacket, ProtocolVersion } from "./packet.ts";
import { decodeProperties, encodeProperties, propertiesBytes, propertyListBytes } from "./properties.ts";
import { readReasonCode } from "./reason-codes.ts";
import { violation } from "./rules.ts";

export function decodeAuth(reader: ByteReader): AuthPacket {
  // [5.0 section 3.15.2.1] An empty body means success without properties.
  if (reader.remainingBytes === 0) return { type: "auth", reasonCode: 0 };
  const reasonCode = readReasonCode(reader, "auth");
  const properties = decodeProperties(reader, "auth");
  reader.finish();
  // [5.0 section 3.15.2.2.2] Only the empty body above can go without a method.
  if (properties?.authenticationMethod === undefined) throw violation("authMethodAbsent", reader.version, "no authentication method");
  return { type: "auth", reasonCode, properties };
}

export function encodeAuth(packet: AuthPacket, version: ProtocolVersion): Buffer {
  if (version !== 5) throw cannotEncode(`AUTH for protocol level ${version}`, "protocol level 5");
  checkInteger(packet.reasonCode, 0, 255, "reason code");
  const listBytes = propertyListBytes(packet.properties, "auth");
  const isEmpty = packet.reasonCode === 0 && listBytes === 0;
  const writer = new ByteWriter(packetTypes.auth << 4, isEmpty ? 0 : 1 + propertiesBytes(listBytes));
  if (isEmpty) return writer.finish();
  writer.writeByte(packet.reasonCode);
  encodeProperties(writer, packet.properties, "auth", listBytes);
  return writer.finish();
}
