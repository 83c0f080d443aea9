/** One shared subscription: members take turns. [MQTT-4.8.2] */
import { isParentOfHash, parseSharedFilter } from "../codec/index.ts";
import type { StoredSubscription } from "../ports.ts";
import type { Session } from "../session/session.ts";

export class SharedGroup {
  /** `$share/<name>/<filter>`, as its members subscribed. */
  readonly shareFilter: string;
  readonly members = new Map<Session, StoredSubscription>();
  readonly #filter: string;
  #order: Session[] = [];
  #next = 0;

  constructor(shareFilter: string) {
    this.shareFilter = shareFilter;
    this.#filter = parseSharedFilter(shareFilter)?.filter ?? shareFilter;
  }

  join(session: Session, subscription: StoredSubscription): void {
    if (!this.members.has(session)) this.#order.push(session);
    this.members.set(session, subscription);
  }

  leave(session: Session): void {
    if (!this.members.delete(session)) return;
    this.#order = this.#order.filter((member) => member !== session);
  }

  /** Somebody is there to take what another member has not been sent. */
  isServed(topic: string): boolean {
    return this.#order.some((member) => isConnected(member) && this.#isAllowed(member, topic));
  }

  /** Somebody is there to take a message, or keeps it for later. */
  hasTaker(topic: string): boolean {
    return this.#order.some((member) => (isConnected(member) || isKeeping(member)) && this.#isAllowed(member, topic));
  }

  /**
   * The member whose turn it is, of those that may receive the topic. Connected members that keep up come first, then those that read their bytes, then any
   * connected one, then an offline one that keeps messages.
   */
  choose(topic: string): Session | undefined {
    return this.#find(topic, isKeepingUp) ?? this.#find(topic, isReading) ?? this.#find(topic, isConnected) ?? this.#find(topic, isKeeping);
  }

  #isAllowed(session: Session, topic: string): boolean {
    if (session.behaviour.hashMatchesParent === false && isParentOfHash(this.#filter, topic)) return false;
    return session.mayReceive(topic);
  }

  #find(topic: string, isSuitable: (session: Session) => boolean): Session | undefined {
    const count = this.#order.length;
    for (let step = 0; step < count; step += 1) {
      const index = (this.#next + step) % count;
      const session = this.#order[index];
      if (session === undefined || !isSuitable(session) || !this.#isAllowed(session, topic)) continue;
      this.#next = (index + 1) % count;
      return session;
    }
    return undefined;
  }
}

const isKeepingUp = (session: Session): boolean => isReading(session) && session.queuedMessages === 0;
const isReading = (session: Session): boolean => session.link !== undefined && !session.link.isCongested;
const isConnected = (session: Session): boolean => session.link !== undefined;
const isKeeping = (session: Session): boolean => session.isPersistent;
