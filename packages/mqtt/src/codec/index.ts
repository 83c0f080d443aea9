/** The codec's door: packets, framing, decoding and encoding of MQTT 3.1, 3.1.1 and 5.0. */
export { CodecError, type CodecErrorCode, codecErrors } from "./codec-error.ts";
export { decodePacket } from "./decode-packet.ts";
export { encodePacket } from "./encode-packet.ts";
export { type FrameReceiver, Framer, type FramerOptions, type FrameSink } from "./framer.ts";
export type * from "./packet.ts";
export {
  checkTopicBytes,
  copyPublish,
  createPublishView,
  decodePublish,
  decodePublishProperties,
  encodePublish,
  locatePublish,
  type PublishView,
  packetIdOffset,
  viewPublish,
} from "./publish.ts";
export { publishReplyBytes, writePublishReply } from "./publish-reply.ts";
export {
  hasWildcard,
  isParentOfHash,
  isTopicFilterValid,
  isTopicMatching,
  isTopicNameValid,
  parseSharedFilter,
  type SharedFilter,
} from "./topic.ts";
