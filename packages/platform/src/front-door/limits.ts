/** Everything the front door bounds. Merged from the configuration file under `limits.frontDoor`. */
export interface FrontDoorLimits {
  /** Open connections on all device ports together. */
  connectionsMax: number;
  /** Open connections of one remote address. Generous: whole fleets sit behind one NAT. */
  connectionsPerAddressMax: number;
  /** TLS handshakes under way at the same time; bounds the memory and CPU of a reconnect storm. */
  tlsPendingMax: number;
  /** From accept (and again from the end of the TLS handshake) until the protocol can be told. */
  firstByteMilliseconds: number;
  /** From ClientHello to the end of the TLS handshake. Small devices take seconds for one RSA operation. */
  handshakeMilliseconds: number;
  /** TCP keep-alive probes start after this silence: finds half-open peers below MQTT. */
  tcpKeepAliveMilliseconds: number;
  /** From the server's "end" to a forced close when the peer does not answer the FIN. */
  closeGraceMilliseconds: number;
  /** Largest TLS record sent, in bytes (512 to 16384). Lower it for clients with 4 KiB record buffers. */
  tlsSendFragmentBytesMax: number;
  /** A switch, not a bound: plain connections are read into one buffer, without Node's streams. Off, they are ordinary sockets. */
  sharedReadBuffer: boolean;
  /** Pending connections in the kernel's accept queue. */
  backlogMax: number;
  /** First bytes shown, as hex, in a refusal. */
  refusalBytesShownMax: number;
  /** Entries the front door writes to the device log per minute and code; the rest is counted in the next entry. */
  refusalsLoggedPerMinuteMax: number;
  /** Request line and headers of one HTTP request. */
  httpHeaderBytesMax: number;
  httpBodyBytesMax: number;
  /** From the first byte of an HTTP request to its last. */
  httpRequestMilliseconds: number;
  /** From the end of a request until its answer is made and taken by the client. */
  httpAnswerMilliseconds: number;
  /** Silence between two requests of one connection. */
  httpIdleMilliseconds: number;
  /** Payload of one WebSocket message; an MQTT packet may span several. */
  webSocketMessageBytesMax: number;
}

export const defaultFrontDoorLimits: FrontDoorLimits = {
  connectionsMax: 100_000,
  connectionsPerAddressMax: 10_000,
  tlsPendingMax: 1_000,
  firstByteMilliseconds: 10_000,
  handshakeMilliseconds: 20_000,
  tcpKeepAliveMilliseconds: 60_000,
  closeGraceMilliseconds: 5_000,
  tlsSendFragmentBytesMax: 16_384,
  sharedReadBuffer: true,
  backlogMax: 4_096,
  refusalBytesShownMax: 32,
  refusalsLoggedPerMinuteMax: 60,
  httpHeaderBytesMax: 8_192,
  httpBodyBytesMax: 262_144,
  httpRequestMilliseconds: 15_000,
  httpAnswerMilliseconds: 120_000,
  httpIdleMilliseconds: 15_000,
  webSocketMessageBytesMax: 1_048_576,
};
