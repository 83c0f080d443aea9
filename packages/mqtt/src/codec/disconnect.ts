/** DISCONNECT. [section 3.14 of 3.1.1 and 5.0] */
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter, checkInteger } from "./byte-writer.ts";
import { packetTypes } from "./fixed-header.ts";
import type { DisconnectPacket, ProtocolVersion } from "./packet.ts";
import { decodeProperties, encodeProperties, propertiesBytes, propertyListBytes } from "./properties.ts";
import { readReasonCode } from "./reason-codes.ts";

export function decodeDisconnect(reader: ByteReader): DisconnectPacket {
  // [5.0 section 3.14.2.1] Reason and properties may be left out when the reason is 0; before 5.0 there are none.
  const reasonCode = reader.version === 5 && reader.remainingBytes > 0 ? readReasonCode(reader, "disconnect") : 0;
  const properties = reader.version === 5 && reader.remainingBytes > 0 ? decodeProperties(reader, "disconnect") : undefined;
  reader.finish();
  return { type: "disconnect", ...(reasonCode !== 0 && { reasonCode }), ...(properties !== undefined && { properties }) };
}

export function encodeDisconnect(packet: DisconnectPacket, version: ProtocolVersion): Buffer {
  const reasonCode = packet.reasonCode ?? 0;
  checkInteger(reasonCode, 0, 255, "reason code");
  const listBytes = version === 5 ? propertyListBytes(packet.properties, "disconnect") : 0;
  if (version !== 5 || (reasonCode === 0 && listBytes === 0)) return Buffer.from([packetTypes.disconnect << 4, 0]);
  const writer = new ByteWriter(packetTypes.disconnect << 4, 1 + (listBytes === 0 ? 0 : propertiesBytes(listBytes)));
  writer.writeByte(reasonCode);
  if (listBytes > 0) encodeProperties(writer, packet.properties, "disconnect", listBytes);
  return writer.finish();
}
