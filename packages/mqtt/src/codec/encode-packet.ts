import { encodeAuth } from "./auth.ts";
import { encodeConnack } from "./connack.ts";
import { encodeConnect } from "./connect.ts";
import { encodeDisconnect } from "./disconnect.ts";
import type { Packet, ProtocolVersion } from "./packet.ts";
import { encodePing } from "./ping.ts";
import { encodePublish } from "./publish.ts";
import { encodePublishReply } from "./publish-reply.ts";
import { encodeSuback } from "./suback.ts";
import { encodeSubscribe } from "./subscribe.ts";
import { encodeUnsuback } from "./unsuback.ts";
import { encodeUnsubscribe } from "./unsubscribe.ts";

/**
 * Puts a packet into bytes, in one allocation of exactly its size and in canonical form (shortest lengths, reason and
 * properties left out where the standard allows). Fields that `version` does not have are left out; properties keep the
 * order of the object's keys. CONNECT goes by its own `protocolVersion`.
 *
 * @throws CodecError `mqtt.cannot_encode` when a value does not fit its field.
 */
export function encodePacket(packet: Packet, version: ProtocolVersion): Buffer {
  switch (packet.type) {
    case "connect":
      return encodeConnect(packet);
    case "connack":
      return encodeConnack(packet, version);
    case "publish": {
      const { topic, payload, qos, isDuplicate, isRetained, packetId, properties } = packet;
      return encodePublish(topic, payload, qos, isDuplicate, isRetained, packetId ?? 0, properties, version);
    }
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      return encodePublishReply(packet, version);
    case "subscribe":
      return encodeSubscribe(packet, version);
    case "suback":
      return encodeSuback(packet, version);
    case "unsubscribe":
      return encodeUnsubscribe(packet, version);
    case "unsuback":
      return encodeUnsuback(packet, version);
    case "pingreq":
    case "pingresp":
      return encodePing(packet.type);
    case "disconnect":
      return encodeDisconnect(packet, version);
    case "auth":
      return encodeAuth(packet, version);
  }
}
