import type { PublishReplyPacket } from "./packet.ts";
/** Bytes {@link writePublishReply} writes. */
export const publishReplyBytes = 4;
/** Writes a reply without reason (all versions) at `offset`; returns the offset behind it. */
export function writePublishReply(target: Buffer, offset: number, type: PublishReplyPacket["type"], packetId: number): number {
  throw new Error(`not written yet ${target.length} ${offset} ${type} ${packetId}`);
}
