export interface MessageLimits {
  payloadBytesMax: number;
  topicBytesMax: number;
  /** What a caller may wait for the answer of a device. */
  rrpcTimeoutMillisecondsMin: number;
  rrpcTimeoutMillisecondsMax: number;
  /** Calls that wait at the same time, of all devices. */
  rrpcPendingMax: number;
  /** A connection that broke without a word counts as half connected for so long. */
  rrpcHalfConnectedSeconds: number;
  /** Broken connections that are remembered for that. */
  rrpcLostConnectionsMax: number;
  broadcastPayloadBytesMax: number;
  /** Time between two broadcasts to all devices of a product. */
  broadcastIntervalSeconds: number;
  /** Products whose last broadcast is remembered. */
  broadcastProductsMax: number;
  /** Devices that get a broadcast in one turn of the event loop. */
  broadcastDevicesPerTurn: number;
}

/** The vendor's: 256 KB, and 128 bytes for a custom topic; RRPC 1 to 8 s; broadcasts 64 KB, one a minute (alibaba-device.md, 3, 8.4, 8.5). */
export const defaultMessageLimits: MessageLimits = {
  payloadBytesMax: 256 * 1024,
  topicBytesMax: 128,
  rrpcTimeoutMillisecondsMin: 1_000,
  rrpcTimeoutMillisecondsMax: 8_000,
  rrpcPendingMax: 10_000,
  rrpcHalfConnectedSeconds: 60,
  rrpcLostConnectionsMax: 10_000,
  broadcastPayloadBytesMax: 64 * 1024,
  broadcastIntervalSeconds: 60,
  broadcastProductsMax: 10_000,
  broadcastDevicesPerTurn: 500,
};
