/** Who a session is, what its client may do and what it asked for: all of it but the messages on their way. [MQTT-4.1] */
import type { ProtocolVersion } from "../codec/index.ts";
import type { JournalSlot, PublishGrant, Refusal, SessionBehaviour, SessionRights, StoredSubscription, StoredWill } from "../ports.ts";
import type { Destinations } from "../routing/router.ts";
import type { Link } from "./link.ts";
import { type ReceiveCache, receiveCacheOf } from "./receive-cache.ts";
import type { PendingWill } from "./will.ts";

/** Most sessions never need these: a set of their own would cost each idle connection 200 bytes. */
const noFilters: ReadonlySet<string> = new Set();
const noIdentifiers: ReadonlySet<number> = new Set();

/** A topic of this session's publishes, compiled: its permission and, once asked for, its receivers. */
export interface TopicRoute {
  /** Topic that is routed; may differ from the one on the wire. */
  topic: string;
  grant: PublishGrant | undefined;
  refusal: Refusal | undefined;
  destinations: Destinations | undefined;
  /** `Router.version` at which nobody heard this topic; 0 = never looked. */
  unheardVersion: number;
  /** `Session.routesEpoch` when it was compiled. */
  epoch: number;
}

export class SessionState {
  readonly id: string;
  /** Stands for it in the journal. */
  readonly key: number;
  /** Opaque, from the latest Admission; undefined for a session loaded from the journal until its client comes back. */
  subject: unknown;
  #rights: SessionRights | undefined;
  /** Undefined: what was subscribed may be received, or nobody knows yet what may. */
  #receipts: ReceiveCache | undefined;
  behaviour: SessionBehaviour;
  version: ProtocolVersion;
  link: Link | undefined;
  /** The connection that is being given this session, or has it. */
  claimant: Link | undefined;
  /** 0 = ends with its connection; Infinity = never. [MQTT-3.1.2-23] */
  expirySeconds = 0;
  expiresAt: number | undefined;
  readonly subscriptions = new Map<string, StoredSubscription>();
  /** Filters the server subscribed for the client: not the client's to ask permission for. */
  implicitFilters: ReadonlySet<string> = noFilters;
  /** Messages are addressed to it without subscriptions. */
  isAddressable = false;
  /** Those of them that the client cancelled with UNSUBSCRIBE. */
  #cancelledFilters: Set<string> | undefined;
  #unreleased: Set<number> | undefined;
  #routes: Map<string, TopicRoute> | undefined;
  routesEpoch = 1;
  pendingWill: PendingWill | undefined;
  /** The will of the connected client, for the case that the server ends without a word. */
  will: StoredWill | undefined;
  isEnded = false;
  /** Where the journal keeps it; undefined when it does not know it. */
  slot: JournalSlot | undefined;

  constructor(key: number, id: string, behaviour: SessionBehaviour, version: ProtocolVersion) {
    this.key = key;
    this.id = id;
    this.behaviour = behaviour;
    this.version = version;
  }

  /** Packet identifiers of QoS 2 publishes of the client that PUBREL has not released. [MQTT-4.3.3-10] */
  get unreleased(): ReadonlySet<number> {
    return this.#unreleased ?? noIdentifiers;
  }

  /** A QoS 2 publish of the client was taken over. */
  holdIdentifier(packetId: number): void {
    this.#unreleased ??= new Set();
    this.#unreleased.add(packetId);
  }

  /** PUBREL: the identifier is free again. False when it was not held. */
  freeIdentifier(packetId: number): boolean {
    return this.#unreleased?.delete(packetId) === true;
  }

  /** The session is over: no identifier means anything any more. */
  freeIdentifiers(): void {
    this.#unreleased = undefined;
  }

  get cancelledFilters(): ReadonlySet<string> {
    return this.#cancelledFilters ?? noFilters;
  }

  cancelFilter(filter: string): void {
    this.#cancelledFilters ??= new Set();
    this.#cancelledFilters.add(filter);
  }

  wishFilter(filter: string): void {
    this.#cancelledFilters?.delete(filter);
  }

  /** Topics of this session's publishes, compiled. */
  get routes(): Map<string, TopicRoute> {
    this.#routes ??= new Map();
    return this.#routes;
  }

  get rights(): SessionRights | undefined {
    return this.#rights;
  }

  /** From now on these are its rights; nothing that was compiled from others holds. */
  grant(rights: SessionRights, receiveCacheEntriesMax: number): void {
    this.#rights = rights;
    this.#receipts = receiveCacheOf(rights, receiveCacheEntriesMax);
    this.forgetRoutes();
  }

  /** Whether messages on the topic may be delivered to it. */
  mayReceive(topic: string): boolean {
    return this.#receipts === undefined || this.#receipts.allows(topic);
  }

  get isPersistent(): boolean {
    return this.expirySeconds > 0;
  }

  forgetRoutes(): void {
    this.#routes = undefined;
    this.#receipts?.clear();
    this.routesEpoch += 1;
  }
}
