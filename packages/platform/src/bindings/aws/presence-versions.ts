/** Numbers the connections of each client id, so that who hears of them out of order can sort them (AWS reference, 10.1). */
import type { Clock } from "../../clock.ts";
import type { AwsEventLimits } from "./events-limits.ts";

interface Count {
  version: number;
  /** Milliseconds since the epoch; Infinity while its connection is there. */
  forgottenAt: number;
}

export class PresenceVersions {
  readonly #clock: Pick<Clock, "now">;
  readonly #limits: AwsEventLimits;
  /** The one that changed last is at the end. */
  readonly #counts = new Map<string, Count>();
  /** By connection: a takeover has two of one client id. */
  readonly #connections = new Map<string, number>();

  constructor(clock: Pick<Clock, "now">, limits: AwsEventLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  connected(clientId: string, connectionId: string): number {
    const count = this.#counts.get(clientId);
    const version = count === undefined || count.forgottenAt <= this.#clock.now() ? 0 : count.version + 1;
    this.#connections.set(connectionId, version);
    this.#keep(clientId, { version, forgottenAt: Number.POSITIVE_INFINITY });
    return version;
  }

  disconnected(clientId: string, connectionId: string): number {
    const version = this.#connections.get(connectionId) ?? 0;
    this.#connections.delete(connectionId);
    // A newer connection is not forgotten for the end of an older one.
    if (this.#counts.get(clientId)?.version === version) {
      this.#keep(clientId, { version, forgottenAt: this.#clock.now() + this.#limits.presenceVersionSecondsMax * 1000 });
    }
    return version;
  }

  #keep(clientId: string, count: Count): void {
    this.#counts.delete(clientId);
    this.#counts.set(clientId, count);
    if (this.#counts.size <= this.#limits.presenceVersionsMax) return;
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined) this.#counts.delete(oldest);
  }
}
