import type { Packet, ProtocolVersion } from "./packet.ts";
/** Encodes one packet. */
export function encodePacket(packet: Packet, version: ProtocolVersion): Buffer {
  throw new Error(`not written yet ${packet.type} ${version}`);
}
