import type { Properties, ProtocolVersion, PublishPacket, QoS } from "./packet.ts";
/** Where the parts of a PUBLISH lie in its buffer. Reusable. */
export interface PublishView {
  qos: QoS;
  isDuplicate: boolean;
  isRetained: boolean;
  topicStart: number;
  topicEnd: number;
  /** 0 when QoS is 0. */
  packetId: number;
  /** Property bytes without their length; equal to `propertiesEnd` when there are none. */
  propertiesStart: number;
  propertiesEnd: number;
  payloadStart: number;
  payloadEnd: number;
}
export function createPublishView(): PublishView {
  return {
    qos: 0,
    isDuplicate: false,
    isRetained: false,
    topicStart: 0,
    topicEnd: 0,
    packetId: 0,
    propertiesStart: 0,
    propertiesEnd: 0,
    payloadStart: 0,
    payloadEnd: 0,
  };
}
export function viewPublish(
  firstByte: number,
  buffer: Buffer,
  bodyStart: number,
  bodyEnd: number,
  version: ProtocolVersion,
  view: PublishView,
): void {
  throw new Error(`not written yet ${firstByte} ${buffer.length} ${bodyStart} ${bodyEnd} ${version} ${view.qos}`);
}
export function decodePublish(
  firstByte: number,
  buffer: Buffer,
  bodyStart: number,
  bodyEnd: number,
  version: ProtocolVersion,
): PublishPacket {
  throw new Error(`not written yet ${firstByte} ${buffer.length} ${bodyStart} ${bodyEnd} ${version}`);
}
/** Properties of a viewed PUBLISH (5.0), validated. Undefined when there are none. */
export function decodePublishProperties(buffer: Buffer, start: number, end: number): Properties | undefined {
  throw new Error(`not written yet ${buffer.length} ${start} ${end}`);
}
export function encodePublish(
  topic: string | Uint8Array,
  payload: Uint8Array,
  qos: QoS,
  isDuplicate: boolean,
  isRetained: boolean,
  packetId: number,
  properties: Properties | undefined,
  version: ProtocolVersion,
): Buffer {
  throw new Error(`not written yet ${topic} ${payload.length} ${qos} ${isDuplicate} ${isRetained} ${packetId} ${properties} ${version}`);
}
/** Offset of the packet id in an encoded PUBLISH with QoS > 0. */
export function packetIdOffset(encoded: Buffer): number {
  throw new Error(`not written yet ${encoded.length}`);
}
