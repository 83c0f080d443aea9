/** SUBSCRIBE. [section 3.8 of 3.1.1 and 5.0] */
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter, cannotEncode, checkPacketId, stringFieldBytes } from "./byte-writer.ts";
import { packetTypes } from "./fixed-header.ts";
import type { ProtocolVersion, QoS, SubscribePacket, Subscription } from "./packet.ts";
import { decodeProperties, encodeProperties, propertiesBytes, propertyListBytes } from "./properties.ts";
import { formatByte, violation } from "./rules.ts";
import { findBrokenFilterRule, parseSharedFilter } from "./topic.ts";

const optionBits = { noLocal: 0x04, retainAsPublished: 0x08 } as const;
const retainHandlingShift = 4;

export function decodeSubscribe(reader: ByteReader): SubscribePacket {
  const packetId = reader.readPacketId();
  const properties = reader.version === 5 ? decodeProperties(reader, "subscribe") : undefined;
  const subscriptions: Subscription[] = [];
  while (reader.remainingBytes > 0) {
    const filter = readFilter(reader);
    subscriptions.push(readOptions(reader, filter));
  }
  // [MQTT-3.8.3-2]
  if (subscriptions.length === 0) throw violation("subscribeEmpty", reader.version, "no topic filter");
  return { type: "subscribe", packetId, subscriptions, ...(properties !== undefined && { properties }) };
}

/** Reads a topic filter; SUBSCRIBE and UNSUBSCRIBE carry the same. */
export function readFilter(reader: ByteReader): string {
  const filter = reader.readString();
  const broken = findBrokenFilterRule(filter);
  if (broken !== undefined) throw violation(broken, reader.version, JSON.stringify(filter));
  return filter;
}

function readOptions(reader: ByteReader, filter: string): Subscription {
  const version = reader.version;
  const options = reader.readByte();
  const qos = options & 3;
  if (qos === 3) throw violation("subscriptionQosReserved", version, formatByte(options));
  if (version !== 5) {
    // 3.1 leaves the upper bits unused without a value; 3.1.1 requires 0.
    if (version === 4 && options > 2) throw violation("subscriptionOptionsReserved", version, formatByte(options));
    return { filter, qos: qos as QoS, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 };
  }
  const retainHandling = (options >> retainHandlingShift) & 3;
  if (retainHandling === 3) throw violation("retainHandlingReserved", version, formatByte(options));
  // [MQTT-3.8.3-5]
  if ((options & 0xc0) !== 0) throw violation("subscriptionOptionsReserved", version, formatByte(options));
  const isNoLocal = (options & optionBits.noLocal) !== 0;
  // [MQTT-3.8.3-4]
  if (isNoLocal && parseSharedFilter(filter) !== undefined) throw violation("noLocalOnShared", version, filter);
  return {
    filter,
    qos: qos as QoS,
    isNoLocal,
    isRetainAsPublished: (options & optionBits.retainAsPublished) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  };
}

export function encodeSubscribe(packet: SubscribePacket, version: ProtocolVersion): Buffer {
  if (packet.subscriptions.length === 0) throw cannotEncode("no subscription", "at least one");
  const listBytes = version === 5 ? propertyListBytes(packet.properties, "subscribe") : 0;
  let bodyBytes = 2 + (version === 5 ? propertiesBytes(listBytes) : 0);
  for (const { filter } of packet.subscriptions) bodyBytes += stringFieldBytes(filter) + 1;
  const writer = new ByteWriter((packetTypes.subscribe << 4) | 0x02, bodyBytes);
  writer.writeUint16(checkPacketId(packet.packetId));
  if (version === 5) encodeProperties(writer, packet.properties, "subscribe", listBytes);
  for (const subscription of packet.subscriptions) {
    writer.writeString(subscription.filter);
    writer.writeByte(version === 5 ? optionsOf(subscription) : subscription.qos);
  }
  return writer.finish();
}

function optionsOf(subscription: Subscription): number {
  return (
    subscription.qos |
    (subscription.isNoLocal ? optionBits.noLocal : 0) |
    (subscription.isRetainAsPublished ? optionBits.retainAsPublished : 0) |
    (subscription.retainHandling << retainHandlingShift)
  );
}
