/** UNSUBSCRIBE. [section 3.10 of 3.1.1 and 5.0] */
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter, cannotEncode, checkPacketId, stringFieldBytes } from "./byte-writer.ts";
import { packetTypes } from "./fixed-header.ts";
import type { ProtocolVersion, UnsubscribePacket } from "./packet.ts";
import { decodeProperties, encodeProperties, propertiesBytes, propertyListBytes } from "./properties.ts";
import { violation } from "./rules.ts";
import { readFilter } from "./subscribe.ts";

export function decodeUnsubscribe(reader: ByteReader): UnsubscribePacket {
  const packetId = reader.readPacketId();
  const properties = reader.version === 5 ? decodeProperties(reader, "unsubscribe") : undefined;
  const filters: string[] = [];
  while (reader.remainingBytes > 0) filters.push(readFilter(reader));
  // [MQTT-3.10.3-2]
  if (filters.length === 0) throw violation("unsubscribeEmpty", reader.version, "no topic filter");
  return { type: "unsubscribe", packetId, filters, ...(properties !== undefined && { properties }) };
}

export function encodeUnsubscribe(packet: UnsubscribePacket, version: ProtocolVersion): Buffer {
  if (packet.filters.length === 0) throw cannotEncode("no topic filter", "at least one");
  const listBytes = version === 5 ? propertyListBytes(packet.properties, "unsubscribe") : 0;
  let bodyBytes = 2 + (version === 5 ? propertiesBytes(listBytes) : 0);
  for (const filter of packet.filters) bodyBytes += stringFieldBytes(filter);
  const writer = new ByteWriter((packetTypes.unsubscribe << 4) | 0x02, bodyBytes);
  writer.writeUint16(checkPacketId(packet.packetId));
  if (version === 5) encodeProperties(writer, packet.properties, "unsubscribe", listBytes);
  for (const filter of packet.filters) writer.writeString(filter);
  return writer.finish();
}
