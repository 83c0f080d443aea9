/** How much the modem takes. The defaults are those of the hardware wherever its manual names one. */
export interface ModemLimits {
  /** A command line without its CR LF. */
  lineBytesMax: number;
  /** What a host may type after one `>`. */
  promptBytesMax: number;
  /** Header, topic and payload of one +MQTTSUBRECV; longer messages arrive in several. */
  mqttBufferBytesMax: number;
  /** Messages that are larger end the connection. */
  mqttPacketBytesMax: number;
  mqttTopicsMax: number;
  /** Between attempts to reconnect. */
  mqttReconnectMilliseconds: number;
  /** Each step of a connection, and each acknowledgement. */
  networkMilliseconds: number;
  socketsMax: number;
  /** Data of one CIPSEND. */
  sendBytesMax: number;
  /** Data of one +IPD. */
  receiveChunkBytesMax: number;
  /** Received and not yet read in passive mode; then the socket is paused. */
  receiveBufferBytesMax: number;
  /** Passthrough: what waits for the network; then the host is told to wait. */
  passthroughBytesMax: number;
  /** Silence around `+++`. */
  passthroughSilenceMilliseconds: number;
  httpHeadersMax: number;
  httpHeaderBytesMax: number;
  httpUrlBytesMax: number;
  /** Data of one +HTTPCLIENT or +HTTPCGET line. */
  httpChunkBytesMax: number;
  /** Items kept by SYSMFG, and bytes of one. */
  flashItemsMax: number;
  flashItemBytesMax: number;
  /** Memory of AT+USERRAM. */
  userRamBytesMax: number;
  /** Free memory after start, as AT+SYSRAM tells it. */
  heapBytes: number;
}

export const defaultModemLimits: ModemLimits = {
  lineBytesMax: 256,
  promptBytesMax: 65_536,
  mqttBufferBytesMax: 1_024,
  mqttPacketBytesMax: 1_048_576,
  mqttTopicsMax: 10,
  mqttReconnectMilliseconds: 10_000,
  networkMilliseconds: 10_000,
  socketsMax: 5,
  sendBytesMax: 8_192,
  receiveChunkBytesMax: 2_920,
  receiveBufferBytesMax: 5_744,
  passthroughBytesMax: 1_048_576,
  passthroughSilenceMilliseconds: 20,
  httpHeadersMax: 10,
  httpHeaderBytesMax: 1_024,
  httpUrlBytesMax: 8_192,
  httpChunkBytesMax: 2_048,
  flashItemsMax: 256,
  flashItemBytesMax: 16_384,
  userRamBytesMax: 61_440,
  heapBytes: 148_408,
};
