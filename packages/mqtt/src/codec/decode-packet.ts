import { decodeAuth } from "./auth.ts";
import { ByteReader } from "./byte-reader.ts";
import { decodeConnack } from "./connack.ts";
import { decodeConnect } from "./connect.ts";
import { decodeDisconnect } from "./disconnect.ts";
import { checkFirstByteForVersion, packetTypes } from "./fixed-header.ts";
import type { Packet, ProtocolVersion } from "./packet.ts";
import { decodePingreq, decodePingresp } from "./ping.ts";
import { decodePublish } from "./publish.ts";
import { decodePublishReply } from "./publish-reply.ts";
import { formatByte, violation } from "./rules.ts";
import { decodeSuback } from "./suback.ts";
import { decodeSubscribe } from "./subscribe.ts";
import { decodeUnsuback } from "./unsuback.ts";
import { decodeUnsubscribe } from "./unsubscribe.ts";

/**
 * Decodes the frame that {@link Framer} found: `buffer[bodyStart..bodyEnd)` is everything behind the remaining length.
 *
 * `version` is the connection's; CONNECT names its own and may be decoded with any. Payload-like fields are views into
 * `buffer`. Both directions are decoded; which packet a peer may send when is the session's business.
 *
 * @throws CodecError and nothing else, whatever the bytes.
 * @example
 * decodePacket(0xc0, Buffer.alloc(0), 0, 0, 4); // { type: "pingreq" }
 */
export function decodePacket(firstByte: number, buffer: Buffer, bodyStart: number, bodyEnd: number, version: ProtocolVersion): Packet {
  checkFirstByteForVersion(firstByte, version);
  const type = firstByte >> 4;
  if (type === packetTypes.publish) return decodePublish(firstByte, buffer, bodyStart, bodyEnd, version);
  const reader = new ByteReader(buffer, bodyStart, bodyEnd, version);
  switch (type) {
    case packetTypes.connect:
      return decodeConnect(reader);
    case packetTypes.connack:
      return decodeConnack(reader);
    case packetTypes.puback:
      return decodePublishReply(reader, "puback");
    case packetTypes.pubrec:
      return decodePublishReply(reader, "pubrec");
    case packetTypes.pubrel:
      return decodePublishReply(reader, "pubrel");
    case packetTypes.pubcomp:
      return decodePublishReply(reader, "pubcomp");
    case packetTypes.subscribe:
      return decodeSubscribe(reader);
    case packetTypes.suback:
      return decodeSuback(reader);
    case packetTypes.unsubscribe:
      return decodeUnsubscribe(reader);
    case packetTypes.unsuback:
      return decodeUnsuback(reader);
    case packetTypes.pingreq:
      return decodePingreq(reader);
    case packetTypes.pingresp:
      return decodePingresp(reader);
    case packetTypes.disconnect:
      return decodeDisconnect(reader);
    case packetTypes.auth:
      return decodeAuth(reader);
    default:
      throw violation("firstByteIllegal", version, formatByte(firstByte));
  }
}
