import type { Packet, ProtocolVersion } from "./packet.ts";
/** Decodes one framed packet. */
export function decodePacket(firstByte: number, buffer: Buffer, bodyStart: number, bodyEnd: number, version: ProtocolVersion): Packet {
  throw new Error(`not written yet ${firstByte} ${buffer.length} ${bodyStart} ${bodyEnd} ${version}`);
}
