/** The engine's public door: what the front door, the platform and tests call. */
import type { Properties, ProtocolVersion, QoS } from "./codec/packet.ts";
import type { CloseReason, ConnectionFacts, Refusal, StoredRetained, StoredSubscription, Transport } from "./ports.ts";

/** One accepted byte stream. The front door calls these; nothing here throws. */
export interface Connection {
  /**
   * Bytes as they came, split anywhere: all of `bytes`, or its first `end`. The engine copies what it keeps: the buffer may
   * be reused after the call.
   */
  receive(bytes: Uint8Array, end?: number): void;
  /** The transport's buffer emptied after being over its limit. */
  drained(): void;
  /** The stream ended or broke; called once. `isGoodbye`: the client closed it by the words of its carrier, a WebSocket Close frame. */
  closed(isGoodbye?: boolean): void;
}

export interface CloudMessage {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  properties?: Properties;
  /** Rules already passed (default 0). */
  hops?: number;
  /** Session that gets it, once, even without a subscription to the topic, unless it unsubscribed from it. */
  addressee?: string;
  /** Kept as the retained message of its topic; with an empty payload what was kept is removed. */
  isRetained?: boolean;
}

export interface RouteOutcome {
  /** Sessions that got it on their socket. */
  delivered: number;
  /** Offline persistent sessions it was queued for. */
  queued: number;
  /** The journal has to commit what some session is owed: `committed` tells when it has. */
  isOwed?: true;
  /** It was to be retained, and a limit forbade it. */
  isNotRetained?: true;
}

/** How a session is connected now. */
export interface SessionConnection {
  clientId: string;
  protocolVersion: ProtocolVersion;
  isCleanStart: boolean;
  /** 0 = none. */
  keepAliveSeconds: number;
  /** Milliseconds since the epoch. */
  connectedAt: number;
  /** Infinity = the session never ends. */
  sessionExpirySeconds: number;
  facts: ConnectionFacts;
}

export interface EndOptions {
  /** What its client left for the case of its going is not sent. */
  isWillSuppressed?: boolean;
}

export interface BrokerStatistics {
  connections: number;
  sessions: number;
  subscriptions: number;
  messagesReceived: number;
  messagesSent: number;
  messagesDropped: number;
  bytesReceived: number;
  bytesSent: number;
}

export interface Broker {
  /** Loads sessions from the journal; call before `accept`. */
  start(): Promise<void>;
  accept(transport: Transport, facts: ConnectionFacts): Connection;
  /** Routes a message from the cloud to every subscriber. */
  publish(message: CloudMessage): RouteOutcome;
  /** Resolves when everything owed so far is safe: whoever answers for a message with `isOwed` waits for it. */
  committed(): Promise<void>;
  /**
   * Hands a message to one session whether it subscribed or not; what it owes then (QoS 1 and 2) is safe when `committed` resolves.
   * Who may not receive it does not: `no_session`.
   * @param onAcknowledged called once, when the client has answered a message of QoS 1 or 2; must be cheap and must not throw
   */
  deliver(sessionId: string, message: CloudMessage, onAcknowledged?: () => void): "delivered" | "queued" | "no_session";
  isConnected(sessionId: string): boolean;
  /** Undefined while the session's client is not there. */
  connectionOf(sessionId: string): SessionConnection | undefined;
  retainedMessage(topic: string): StoredRetained | undefined;
  /** In a fixed order of topics, from behind `afterTopic` on; fewer than `countMax` at the end. Costs a walk through the levels of the topics. */
  listRetained(afterTopic: string | undefined, countMax: number): StoredRetained[];
  /** `subject` of the latest Admission, also of a session that waits for its client; undefined after a restart until it comes back. */
  subjectOf(sessionId: string): unknown;
  /** Ids of all sessions, connected or not, that begin so; walks through all of them. */
  sessionIdsOf(prefix: string): string[];
  subscriptionsOf(sessionId: string): readonly StoredSubscription[];
  /**
   * As if the client had sent SUBSCRIBE, with its rights and limits; all or none. Without a session that was connected since the start
   * nobody's rights are known. Safe when `committed` resolves.
   */
  subscribe(sessionId: string, filters: readonly string[], qos: QoS): "ok" | "no_session" | Refusal;
  /** What is not subscribed is passed over. */
  unsubscribe(sessionId: string, filters: readonly string[]): "ok" | "no_session";
  /** Closes a session's connection; its stored state stays. False when not connected. */
  kick(sessionId: string, reason: CloseReason, refusal?: Refusal, options?: EndOptions): boolean;
  /** Closes the connection and forgets the session, its subscriptions and its queue. */
  endSession(sessionId: string, reason: CloseReason, refusal?: Refusal, options?: EndOptions): void;
  /** Rights changed (topic classes, rules): compiled grants are asked for anew and subscriptions no longer allowed end. */
  forgetGrants(sessionId?: string): void;
  /** A session may do more than before: what it was refused to publish is asked for anew, its subscriptions need not be. */
  forgetRefusals(sessionId: string): void;
  statistics(): BrokerStatistics;
  /** Sends MQTT 5 clients DISCONNECT 0x8B, flushes, closes all. */
  close(): Promise<void>;
}
