/** One shared subscription: members take turns. [MQTT-4.8.2] */
import type { StoredSubscription } from "../ports.ts";
import type { Session } from "../session/session.ts";

export class SharedGroup {
  /** `$share/<name>/<filter>`, as its members subscribed. */
  readonly shareFilter: string;
  readonly members = new Map<Session, StoredSubscription>();
  #order: Session[] = [];
  #next = 0;

  constructor(shareFilter: string) {
    this.shareFilter = shareFilter;
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
  get isServed(): boolean {
    return this.#order.some(isConnected);
  }

  /** Somebody is there to take a message, or keeps it for later. */
  get hasTaker(): boolean {
    return this.#order.some((member) => isConnected(member) || isKeeping(member));
  }

  /**
   * The member whose turn it is. Connected members that keep up come first, then those that read their bytes, then any
   * connected one, then an offline one that keeps messages.
   */
  choose(): Session | undefined {
    return this.#find(isKeepingUp) ?? this.#find(isReading) ?? this.#find(isConnected) ?? this.#find(isKeeping);
  }

  #find(isSuitable: (session: Session) => boolean): Session | undefined {
    const count = this.#order.length;
    for (let step = 0; step < count; step += 1) {
      const index = (this.#next + step) % count;
      const session = this.#order[index];
      if (session === undefined || !isSuitable(session)) continue;
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
