/**
 * What the engine asks of the world. Everything a dialect or the platform decides reaches the engine through these; the
 * engine itself knows MQTT only.
 */
import type { ConnectPacket, Properties, ProtocolVersion, QoS, Will } from "./codec/packet.ts";

/** Time and turns. Tests fake it; nothing else in this package may read a clock or set a timer. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `task` once after `milliseconds`; the returned function cancels it. */
  after(milliseconds: number, task: () => void): () => void;
  /** Runs `task` once after the current poll phase (setImmediate): where outgoing bytes are flushed. */
  soon(task: () => void): void;
}

/** One byte stream to a client, whatever carries it (TCP, TLS, WebSocket, a test). */
export interface Transport {
  /** Hands over bytes; they must not be changed afterwards. */
  write(bytes: Uint8Array): void;
  /** Bytes accepted by `write` and not yet taken by the kernel: the back-pressure signal. */
  readonly bufferedBytes: number;
  pause(): void;
  resume(): void;
  /** Sends what is buffered, then closes; `isPeerDone`: the client has said goodbye, nothing it still sends matters. */
  end(isPeerDone?: boolean): void;
  /** Closes at once. */
  destroy(): void;
}

/** What the front door knows of a connection before its first packet. The engine passes it through. */
export interface ConnectionFacts {
  remoteAddress: string;
  remotePort: number;
  localPort: number;
  carrier: "tcp" | "websocket";
  tls?: {
    version: string;
    cipher: string;
    serverName?: string;
    /** SHA-256 fingerprint (lower-case hex, no colons) and subject of a presented client certificate. */
    clientCertificate?: {
      fingerprint: string;
      subject: string;
      isAuthorized: boolean;
      /** DER of the leaf, then of what else the client sent of its chain. Reads from the socket: call it before the first await. */
      chain?: () => Uint8Array[];
    };
    /** Application protocol that was agreed on (ALPN). */
    alpn?: string;
  };
  /** Of a WebSocket: path and query of the upgrade request, undecoded, and its headers by lower-case name. */
  upgrade?: { target: string; headers: Readonly<Record<string, string | string[] | undefined>> };
}

/** A "no" with its reasons. `code` is stable API (`access.signature_mismatch`); `received`/`expected` go to the device log. */
export interface Refusal {
  code: string;
  received?: string;
  expected?: string;
  /** MQTT 5 reason code of the PUBACK, SUBACK or DISCONNECT that tells it; absent: 0x87. */
  reasonCode?: number;
}

/** How MQTT behaves for one session. A dialect chooses; `plain` switches all of MQTT on. */
export interface SessionBehaviour {
  /** Highest QoS a client may publish or be granted. */
  qosMax: QoS;
  /** What happens to a publish above `qosMax`. */
  onQosAboveMax: "disconnect" | "drop";
  /** `deliver` = retain flag ignored, message routed as an ordinary one. */
  retain: "store" | "deliver" | "refuse";
  will: "publish" | "ignore";
  /** A client that closes its WebSocket without DISCONNECT is lost, and its will sent (the default), or has said goodbye. */
  onCarrierGoodbye?: "lost" | "disconnect";
  wildcards: boolean;
  sharedSubscriptions: boolean;
  /** `minimum` = min(publisher, granted) as the standard says; `publisher` = the publisher's QoS whatever was granted. */
  deliveryQos: "minimum" | "publisher";
  /** What happens to a publish that the gatekeeper refuses. PUBACK carries 0x87 on MQTT 5 in both cases. */
  onPublishRefused: "acknowledge" | "disconnect";
  /** What happens on a filter that the gatekeeper refuses: `answer` it in the SUBACK (the default) or close the connection. */
  onSubscribeRefused?: "answer" | "disconnect";
  /** A publish over `payloadBytesMax` is treated as one that the gatekeeper refuses (the default), or the connection is closed. */
  onPayloadTooLarge?: "drop" | "disconnect";
  /** `a/#` matches `a` as the standard says (the default), or only what is below it. */
  hashMatchesParent?: boolean;
  /** Retained messages are sent for a filter with wildcards too (the default), or only for the very topic. */
  retainedForWildcards?: boolean;
  /** False: CONNACK says that they are not available, and using one is a protocol error 0xA1 (5.0 section 3.2.2.3.12). Default true. */
  subscriptionIdentifiers?: boolean;
  /** False: a session of one protocol version is not resumed by another. Default true. */
  isSessionSharedByVersions?: boolean;
  /** Bounds of a Message Expiry Interval in seconds: a smaller wish is raised, a larger one cut. */
  messageExpirySeconds?: { min: number; max: number };
  subscriptionsMax: number;
  filtersPerSubscribeMax: number;
  /** Server's Receive Maximum: QoS 1/2 publishes of the client not yet answered. */
  receiveMaximum: number;
  /** QoS 1/2 deliveries to the client not yet answered. */
  inflightMax: number;
  payloadBytesMax: number;
  /** Largest packet of the client, told to MQTT 5 clients as Maximum Packet Size; absent, and at most: the broker's. */
  packetBytesMax?: number;
  topicBytesMax: number;
  topicAliasMax: number;
  /** Session expiry given to a 3.x client with clean session = 0, and the cap for MQTT 5, in seconds. */
  sessionExpirySecondsMax: number;
  queueMessagesMax: number;
  queueBytesMax: number;
  queueAgeSecondsMax: number;
}

/** The message on its way: what a tap sees and what is routed. */
export interface Message {
  topic: string;
  /** A view into the read buffer, valid during the call: whoever keeps it copies it. */
  payload: Uint8Array;
  qos: QoS;
  isRetained: boolean;
  properties?: Properties;
  /** Milliseconds since the epoch when the engine accepted it. */
  receivedAt: number;
  /** Session that published; absent for messages from the cloud. */
  publisherSessionId?: string;
  /** How many rules a message has been through: guards republish loops. */
  hops: number;
}

/**
 * Sees a message after it was allowed and before it is acknowledged. Called synchronously on the hot path: it must not
 * throw nor block. A tap that owes durability returns a promise; the PUBACK then waits for it (all taps' promises).
 */
export type Tap = (message: Message) => undefined | Promise<void>;

/** Permission to publish on one topic, compiled once per session and topic and then cached by the engine. */
export interface PublishGrant {
  /** Topic that is routed, when it differs from the topic on the wire (`?_sn=default` is stripped, for instance). */
  topic?: string;
  /** Offer the message to subscribers. System topics that only the platform handles say false. */
  isRouted: boolean;
  taps: readonly Tap[];
  /** Publishing with RETAIN is refused, with this, as a refused publish; absent: allowed. */
  retainRefusal?: Refusal;
}

export interface SubscribeGrant {
  qos: QoS;
}

/** What one admitted session may do. Calls are synchronous; results are cached until `Broker.forgetGrants()`. */
export interface SessionRights {
  publish(topic: string): PublishGrant | Refusal;
  /** For a shared subscription the filter behind `$share/<shareName>/` is asked for. */
  subscribe(filter: string, requestedQos: QoS, shareName?: string): SubscribeGrant | Refusal;
  /**
   * Whether a message on this topic may be delivered; absent: what was subscribed may. Asked once per session and topic, then cached
   * (bounded) until `Broker.forgetGrants()`. A refused delivery is skipped without a word to the client.
   */
  receive?(topic: string): boolean;
}

export interface Admission {
  /** Identity the session is bound to: a later connection with the same id takes over. Not the MQTT client id. */
  sessionId: string;
  rights: SessionRights;
  behaviour: SessionBehaviour;
  /** Keep-alive the server counts with (seconds, 0 = none); also sent as Server Keep Alive on MQTT 5 when it differs. */
  keepAliveSeconds: number;
  /** Opaque to the engine, handed back to the observer. */
  subject: unknown;
  /** Filters the server subscribes on behalf of the client (no SUBSCRIBE on the wire); UNSUBSCRIBE cancels them. */
  implicitSubscriptions?: readonly { filter: string; qos: QoS }[];
  /** Messages are addressed to it without subscriptions (`CloudMessage.addressee`): its UNSUBSCRIBE of any filter is remembered. */
  isAddressable?: boolean;
}

export interface ConnectRefusal extends Refusal {
  /** Closed without a CONNACK. */
  isSilent?: true;
  /** CONNACK return code for 3.1/3.1.1 clients. */
  returnCode: 1 | 2 | 3 | 4 | 5;
  /** CONNACK reason code for 5.0 clients. */
  reasonCode: number;
}

/** One answer of an enhanced authentication: more to ask, the decision, or "no". `data` goes to the client. */
export type AuthenticationAnswer =
  | { kind: "continue"; data?: Uint8Array }
  | { kind: "admitted"; admission: Admission; data?: Uint8Array }
  | { kind: "refused"; refusal: ConnectRefusal };

/** The server's side of one enhanced authentication. `step` is called once at a time, first with the data of CONNECT. */
export interface AuthenticationExchange {
  step(data: Uint8Array | undefined): Promise<AuthenticationAnswer>;
}

/**
 * Authenticates and authorises. `connect` may take its time, or answer at once; it must not throw for a peer's fault.
 */
export interface Gatekeeper {
  connect(packet: ConnectPacket, facts: ConnectionFacts): Admission | ConnectRefusal | Promise<Admission | ConnectRefusal>;
  /**
   * Enhanced authentication by the method that the packet names; undefined when the method is unknown. Called at CONNECT
   * instead of `connect`, and at every re-authentication, with the CONNECT of the connection. [5.0 section 4.12]
   */
  authenticate?(packet: ConnectPacket, facts: ConnectionFacts): AuthenticationExchange | undefined;
}

/** What a session keeps of a message: shared by all sessions that keep it. */
export interface KeptMessage {
  topic: string;
  /** Own memory, not a view into a read buffer. */
  payload: Uint8Array;
  properties: Properties | undefined;
  receivedAt: number;
}

/** A message owed to a session, and how far its delivery has come. */
export interface OwedMessage {
  /** Grows per session. */
  readonly sequence: number;
  readonly message: KeptMessage;
  readonly qos: 1 | 2;
  readonly isRetained: boolean;
  /** Subscription identifiers. */
  readonly identifiers: number[] | undefined;
  /** `$share/<name>/<filter>` when it came by a shared subscription: another member may have it. */
  readonly shareFilter: string | undefined;
  /** 0 until it is sent for the first time. */
  packetId: number;
  /** QoS 2: PUBREC came; only PUBCOMP is missing. */
  isReleased: boolean;
}

export interface StoredSubscription {
  filter: string;
  qos: QoS;
  isNoLocal: boolean;
  isRetainAsPublished: boolean;
  retainHandling: 0 | 1 | 2;
  identifier?: number;
}

/** A will with the permission it had when its client connected. */
export interface StoredWill {
  will: Will;
  /** Topic that is routed. */
  topic: string;
  isRouted: boolean;
  /** Milliseconds since the epoch; absent while its client is connected. */
  dueAt?: number;
}

export interface StoredSession {
  /** Small number that stands for the session in the journal. */
  key: number;
  sessionId: string;
  protocolVersion: ProtocolVersion;
  /** Seconds that it outlives its connection; absent = never ends. */
  expirySeconds?: number;
  /** Milliseconds since the epoch; absent while connected or for a session that never expires. */
  expiresAt?: number;
  behaviour: SessionBehaviour;
  subscriptions: StoredSubscription[];
  /** Filters of the server's that the client cancelled. */
  cancelledFilters: string[];
  /** Packet identifiers of the client's QoS 2 publishes that are not released. */
  receivedIds: number[];
  will?: StoredWill;
}

export interface StoredRetained {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  properties?: Properties;
  receivedAt: number;
}

/** Where a record lies. Kept beside what was written and handed back when that is dead or written anew. */
export interface JournalSlot {
  /** Grows with time. */
  readonly number: number;
}

export interface JournalContents {
  sessions: {
    session: StoredSession;
    slot: JournalSlot;
    /** In the order of their sequences. */
    messages: { owed: OwedMessage; slot: JournalSlot }[];
  }[];
  retained: { message: StoredRetained; slot: JournalSlot }[];
}

/** What a journal asks of the engine that writes to it. */
export interface JournalOwner {
  /**
   * Writes again, by the usual calls, every live record whose slot is numbered `slotNumberMax` or less, one piece of the
   * work per step of the iterator: so the journal can forget its oldest part.
   */
  rewrite(slotNumberMax: number): Iterator<undefined>;
  /** `isBehind` is false again. */
  caughtUp(): void;
}

/**
 * Durable log of what must survive: sessions, subscriptions, the messages owed to them and how far each has come, retained
 * messages. Writes are ordered; those of one synchronous run of the engine take effect together or not at all; `afterCommit` runs its callback,
 * in the order of the calls, once everything written before it is safe. What nobody waits for is committed soon.
 * The memory journal calls back at once; a disk journal from its group commit. Bytes are taken over during the call.
 */
export interface Journal {
  /** Called once, before anything is written. */
  open(owner: JournalOwner): Promise<JournalContents>;
  /** The whole state of a session except its messages; replaces what was saved before. */
  saveSession(session: StoredSession, previous: JournalSlot | undefined): JournalSlot;
  /** Forgets the session and every message owed to it. */
  removeSession(key: number, slot: JournalSlot): void;
  saveSubscription(key: number, subscription: StoredSubscription): void;
  removeSubscription(key: number, filter: string): void;
  /** A message is owed to a session. */
  appendMessage(key: number, owed: OwedMessage): JournalSlot;
  /** It is about to be sent for the first time, under this packet identifier. */
  saveSent(key: number, sequence: number, packetId: number): void;
  /** PUBREC came for it. */
  saveReleased(key: number, sequence: number): void;
  /** The debt is paid, expired or dropped. */
  removeMessage(key: number, sequence: number, slot: JournalSlot): void;
  /** The record in this slot is dead without a word: its session is gone. */
  forget(slot: JournalSlot): void;
  /** A QoS 2 publish of the client was taken over; PUBREL has not come yet. */
  saveReceivedId(key: number, packetId: number): void;
  removeReceivedId(key: number, packetId: number): void;
  saveRetained(message: StoredRetained, previous: JournalSlot | undefined): JournalSlot;
  removeRetained(topic: string, slot: JournalSlot): void;
  afterCommit(callback: () => void): void;
  /** More bytes wait for the disk than the journal's limit: who causes more should be held back. */
  readonly isBehind: boolean;
  /** Commits what is pending and lets go of the file. */
  close(): Promise<void>;
}

/** Other nodes. Alone on one node nothing is forwarded. */
export interface Peers {
  /** True when there is no other node: `forward` is then not called, which spares an object per message. */
  readonly isAlone?: boolean;
  /** Offers a message accepted here to the other nodes. */
  forward(message: Message): void;
  /** Tells the other nodes that this one now owns the session: they close theirs. */
  claimSession(sessionId: string): Promise<void>;
}

export type CloseReason =
  | "client_disconnect"
  | "connection_closed"
  | "keep_alive_timeout"
  | "taken_over"
  | "protocol_error"
  | "packet_too_large"
  | "connect_timeout"
  | "refused"
  | "kicked"
  | "quota_exceeded"
  | "server_shutdown"
  | "internal_error";

/** `retained_limit`: the message was not kept for later subscribers. */
export type DropReason = "queue_full" | "expired" | "slow_reader" | "too_large" | "retained_limit";

/**
 * What happened, for the device log, metrics and device status. Called synchronously; must be cheap and must not throw.
 * `subject` is the one of the Admission.
 */
export interface Observer {
  connected(event: {
    sessionId: string;
    subject: unknown;
    facts: ConnectionFacts;
    clientId: string;
    protocolVersion: ProtocolVersion;
    keepAliveSeconds: number;
    isSessionPresent: boolean;
  }): void;
  /** Before or instead of a session: refused by the gatekeeper, malformed first packet, time-out before CONNECT. */
  refused(event: { facts: ConnectionFacts; clientId?: string; userName?: string; refusal: Refusal }): void;
  disconnected(event: {
    sessionId: string;
    subject: unknown;
    facts: ConnectionFacts;
    reason: CloseReason;
    refusal?: Refusal;
    lastPacketAt: number;
  }): void;
  subscribed(event: { sessionId: string; subject: unknown; filter: string; qos: QoS }): void;
  subscribeRefused(event: { sessionId: string; subject: unknown; filter: string; refusal: Refusal }): void;
  unsubscribed(event: { sessionId: string; subject: unknown; filter: string }): void;
  /** Plain arguments, no object: this one is on the hot path. */
  published(sessionId: string, subject: unknown, topic: string, qos: QoS, payloadBytes: number): void;
  publishRefused(event: { sessionId: string; subject: unknown; topic: string; qos: QoS; refusal: Refusal }): void;
  /** Plain arguments, hot path: handed to a connected session's socket. */
  delivered(sessionId: string, subject: unknown, topic: string, qos: QoS, payloadBytes: number): void;
  /** A message owed to a session was given up: queue full, too old, QoS 0 to a slow reader. */
  dropped(event: { sessionId: string; topic: string; qos: QoS; reason: DropReason }): void;
}
