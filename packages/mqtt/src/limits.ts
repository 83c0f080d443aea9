import type { SessionBehaviour } from "./ports.ts";

/** Every limit of the engine that is not a matter of one session's behaviour (those are in `SessionBehaviour`). */
export interface BrokerLimits {
  /** From the accepted stream to a complete CONNECT. */
  connectTimeoutMilliseconds: number;
  /** Largest CONNECT that an unknown peer may send. */
  connectBytesMax: number;
  /** Largest packet of an admitted client, fixed header included. Told to MQTT 5 clients as Maximum Packet Size. */
  packetBytesMax: number;
  /** AUTH packets of a client in one enhanced authentication. */
  authenticationStepsMax: number;
  /** Packets that a client sent behind its CONNECT and that wait for the gatekeeper. */
  heldBytesMax: number;
  /** Open streams, admitted or not. */
  connectionsMax: number;
  /** Sessions with or without a connection. */
  sessionsMax: number;
  /** Subscriptions of all sessions. */
  subscriptionsMax: number;
  /** Compiled publish grants kept per session. */
  grantCacheEntriesMax: number;
  /** Topics kept per session of which it is known whether it may receive them; only for sessions whose rights limit that. */
  receiveCacheEntriesMax: number;
  /** Topics whose destinations are kept compiled. */
  routeCacheEntriesMax: number;
  /** Bytes waiting for one client above which the publishers that feed it are paused. */
  outgoingBytesSoftMax: number;
  /** Bytes waiting for one client above which nothing more is written to it: QoS 0 is dropped, QoS 1 and 2 stay queued. */
  outgoingBytesHardMax: number;
  /** Bytes waiting for all clients together above which the same happens to each that is over the soft limit. */
  outgoingBytesTotalMax: number;
  /** How long one slow reader may keep its publishers paused. */
  pauseMilliseconds: number;
  /** How long a client may stay a slow reader after that before it is disconnected. */
  slowReaderMilliseconds: number;
  /** A refused or disconnected client gets this long to take its last bytes. */
  closeTimeoutMilliseconds: number;
  /** Bytes read from one client before everybody else has had a turn. */
  readBytesPerTurnMax: number;
  /** Bytes of a refused or disconnected client that are read and thrown away before its stream is cut. */
  closingBytesMax: number;
  /** How often keep-alive, expiry and the deadlines above are looked at. */
  sweepMilliseconds: number;
  /** Topic and payload bytes of the messages queued for all sessions together; the oldest are dropped above it. */
  queuedBytesMax: number;
  /** How often changed statistics are published below `$SYS/broker` while somebody is subscribed. */
  statisticsMilliseconds: number;
  /** Retained messages of the whole broker. */
  retainedMessagesMax: number;
  /** Memory of all retained messages: topic and payload bytes and what a message weighs beside them. */
  retainedBytesMax: number;
  /** Levels of a topic or filter. */
  topicLevelsMax: number;
}

/** Defaults for one small machine; each can be set by itself. */
export const defaultBrokerLimits: Readonly<BrokerLimits> = {
  connectTimeoutMilliseconds: 10_000,
  connectBytesMax: 8 * 1024,
  packetBytesMax: 300 * 1024,
  authenticationStepsMax: 16,
  heldBytesMax: 128 * 1024,
  connectionsMax: 100_000,
  sessionsMax: 200_000,
  subscriptionsMax: 2_000_000,
  grantCacheEntriesMax: 256,
  receiveCacheEntriesMax: 1_024,
  routeCacheEntriesMax: 50_000,
  outgoingBytesSoftMax: 1024 * 1024,
  outgoingBytesHardMax: 64 * 1024 * 1024,
  outgoingBytesTotalMax: 128 * 1024 * 1024,
  pauseMilliseconds: 2_000,
  slowReaderMilliseconds: 30_000,
  closeTimeoutMilliseconds: 5_000,
  readBytesPerTurnMax: 64 * 1024,
  closingBytesMax: 4 * 1024 * 1024,
  sweepMilliseconds: 500,
  statisticsMilliseconds: 10_000,
  queuedBytesMax: 512 * 1024 * 1024,
  retainedMessagesMax: 1_000_000,
  retainedBytesMax: 256 * 1024 * 1024,
  topicLevelsMax: 128,
};

/** What an admitted client may send, and is told. */
export function packetBytesMaxOf(limits: Readonly<BrokerLimits>, { packetBytesMax }: SessionBehaviour): number {
  return Math.min(limits.packetBytesMax, packetBytesMax ?? limits.packetBytesMax);
}
