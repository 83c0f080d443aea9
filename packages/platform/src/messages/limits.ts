export interface MessageLimits {
  payloadBytesMax: number;
  topicBytesMax: number;
}

/** The vendor's: 256 KB, and 128 bytes for a custom topic (alibaba-device.md, 3). */
export const defaultMessageLimits: MessageLimits = { payloadBytesMax: 256 * 1024, topicBytesMax: 128 };
