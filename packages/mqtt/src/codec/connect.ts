/** CONNECT. [section 3.1 of 3.1.1 and 5.0] */
import type { ByteReader } from "./byte-reader.ts";
import { ByteWriter, binaryFieldBytes, checkInteger, stringFieldBytes } from "./byte-writer.ts";
import { packetTypes } from "./fixed-header.ts";
import type { ConnectPacket, ProtocolVersion, QoS, Will } from "./packet.ts";
import { decodeProperties, encodeProperties, propertiesBytes, propertyListBytes } from "./properties.ts";
import { formatByte, violation } from "./rules.ts";
import { hasWildcard } from "./topic.ts";

const protocolNames: Record<ProtocolVersion, string> = { 3: "MQIsdp", 4: "MQTT", 5: "MQTT" };
const bridgeBit = 0x80;

const flagBits = { reserved: 0x01, cleanStart: 0x02, will: 0x04, willRetain: 0x20, password: 0x40, userName: 0x80 } as const;
const willQosShift = 3;

/** Reads name and level, then sets the reader's version. Everything behind them depends on it. */
export function decodeConnect(reader: ByteReader): ConnectPacket {
  const { version, isBridge } = readProtocol(reader);
  reader.version = version;
  const flags = readFlags(reader);
  const keepAliveSeconds = reader.readUint16();
  const properties = version === 5 ? decodeProperties(reader, "connect") : undefined;
  const clientId = reader.readString();
  const isCleanStart = (flags & flagBits.cleanStart) !== 0;
  checkClientId(clientId, isCleanStart, version);
  const will = (flags & flagBits.will) !== 0 ? readWill(reader, flags) : undefined;
  const userName = isFieldThere(reader, flags, flagBits.userName) ? reader.readString() : undefined;
  const password = isFieldThere(reader, flags, flagBits.password) ? reader.readBinary() : undefined;
  reader.finish();
  return {
    type: "connect",
    protocolVersion: version,
    ...(isBridge && { isBridge }),
    clientId,
    isCleanStart,
    keepAliveSeconds,
    ...(userName !== undefined && { userName }),
    ...(password !== undefined && { password }),
    ...(will !== undefined && { will }),
    ...(properties !== undefined && { properties }),
  };
}

function readProtocol(reader: ByteReader): { version: ProtocolVersion; isBridge: boolean } {
  const name = reader.readString();
  // [MQTT-3.1.2-1]
  if (name !== "MQTT" && name !== "MQIsdp") throw violation("protocolName", reader.version, JSON.stringify(name));
  const level = reader.readByte();
  // [MQTT-3.1.2-2] Bridges of mosquitto set the top bit on levels 3 and 4; that is tolerated because bridges are deployed.
  const plain = level === (3 | bridgeBit) || level === (4 | bridgeBit) ? level & ~bridgeBit : level;
  for (const version of [3, 4, 5] as const) {
    if (plain === version && protocolNames[version] === name) return { version, isBridge: plain !== level };
  }
  throw violation("protocolLevel", reader.version, `${name} with level ${level}`);
}

function readFlags(reader: ByteReader): number {
  const version = reader.version;
  const flags = reader.readByte();
  // [MQTT-3.1.2-3] 3.1 calls the bit unused and gives it no value, so its clients may send anything there.
  if ((flags & flagBits.reserved) !== 0 && version !== 3) throw violation("connectReservedFlag", version, formatByte(flags));
  const willQos = (flags >> willQosShift) & 3;
  if (willQos === 3) throw violation("willQosReserved", version, formatByte(flags));
  if ((flags & flagBits.will) === 0) {
    if (willQos !== 0) throw violation("willQosWithoutWill", version, formatByte(flags));
    if ((flags & flagBits.willRetain) !== 0) throw violation("willRetainWithoutWill", version, formatByte(flags));
  }
  // [MQTT-3.1.2-22] 5.0 allows a password alone.
  if (version !== 5 && (flags & (flagBits.password | flagBits.userName)) === flagBits.password) {
    throw violation("passwordWithoutUserName", version, formatByte(flags));
  }
  return flags;
}

/**
 * [MQTT-3.1.3-7, MQTT-3.1.3-8] An empty identifier needs clean session 1 on 3.1.1; 3.1 requires at least one character.
 * 3.1's upper limit of 23 is not enforced: no deployed broker does, and cloud client identifiers are far longer.
 */
function checkClientId(clientId: string, isCleanStart: boolean, version: ProtocolVersion): void {
  if (clientId !== "" || version === 5) return;
  if (version === 3 || !isCleanStart) throw violation("clientIdEmpty", version, `empty, clean session ${isCleanStart ? 1 : 0}`);
}

/** 3.1 says the remaining length wins over the flag: user name and password may be missing although announced. */
function isFieldThere(reader: ByteReader, flags: number, bit: number): boolean {
  return (flags & bit) !== 0 && !(reader.version === 3 && reader.remainingBytes === 0);
}

function readWill(reader: ByteReader, flags: number): Will {
  const properties = reader.version === 5 ? decodeProperties(reader, "will") : undefined;
  const topic = reader.readString();
  if (topic === "") throw violation("topicEmpty", reader.version, "empty will topic");
  if (hasWildcard(topic)) throw violation("topicHasWildcard", reader.version, topic);
  const payload = reader.readBinary();
  return {
    topic,
    payload,
    qos: ((flags >> willQosShift) & 3) as QoS,
    isRetained: (flags & flagBits.willRetain) !== 0,
    ...(properties !== undefined && { properties }),
  };
}

/** The packet's own version decides. */
export function encodeConnect(packet: ConnectPacket): Buffer {
  const version = packet.protocolVersion;
  const { will, userName, password } = packet;
  const name = protocolNames[version];
  checkInteger(packet.keepAliveSeconds, 0, 65_535, "keep alive");
  const listBytes = version === 5 ? propertyListBytes(packet.properties, "connect") : 0;
  const willListBytes = version === 5 ? propertyListBytes(will?.properties, "will") : 0;

  let bodyBytes = stringFieldBytes(name) + 4 + stringFieldBytes(packet.clientId);
  if (version === 5) bodyBytes += propertiesBytes(listBytes);
  if (will !== undefined) {
    bodyBytes += stringFieldBytes(will.topic) + binaryFieldBytes(will.payload);
    if (version === 5) bodyBytes += propertiesBytes(willListBytes);
  }
  if (userName !== undefined) bodyBytes += stringFieldBytes(userName);
  if (password !== undefined) bodyBytes += binaryFieldBytes(password);

  const writer = new ByteWriter(packetTypes.connect << 4, bodyBytes);
  writer.writeString(name);
  writer.writeByte(packet.isBridge === true && version !== 5 ? version | bridgeBit : version);
  writer.writeByte(flagsOf(packet));
  writer.writeUint16(packet.keepAliveSeconds);
  if (version === 5) encodeProperties(writer, packet.properties, "connect", listBytes);
  writer.writeString(packet.clientId);
  if (will !== undefined) {
    if (version === 5) encodeProperties(writer, will.properties, "will", willListBytes);
    writer.writeString(will.topic);
    writer.writeBinary(will.payload);
  }
  if (userName !== undefined) writer.writeString(userName);
  if (password !== undefined) writer.writeBinary(password);
  return writer.finish();
}

function flagsOf(packet: ConnectPacket): number {
  let flags = packet.isCleanStart ? flagBits.cleanStart : 0;
  if (packet.will !== undefined) {
    flags |= flagBits.will | (packet.will.qos << willQosShift) | (packet.will.isRetained ? flagBits.willRetain : 0);
  }
  if (packet.userName !== undefined) flags |= flagBits.userName;
  if (packet.password !== undefined) flags |= flagBits.password;
  return flags;
}
