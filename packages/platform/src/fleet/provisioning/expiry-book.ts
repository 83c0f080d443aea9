/** Things that end at a time, kept among the fleet's records so that a restart forgets none. */
import type { Clock } from "../../clock.ts";
import type { FleetRecords } from "../fleet.ts";

export interface Expiring {
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

export interface ExpiryBook<Value extends Expiring> {
  readonly size: number;
  find(id: string): Value | undefined;
  put(id: string, value: Value): Promise<void>;
  /** False when it was gone: somebody else ends it. */
  remove(id: string): Promise<boolean>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface ExpiryBookPorts<Value extends Expiring> {
  records: FleetRecords;
  family: string;
  clock: Clock;
  /** Once for each, when its time has come; it is out of the book then. */
  onExpired(id: string, value: Value): Promise<void>;
  onFailure(error: unknown): void;
}

/** Timers of the host count to 2^31 ms at most; and a clock that was set is noticed so. */
const checkMillisecondsMax = 60_000;

export function createExpiryBook<Value extends Expiring>(ports: ExpiryBookPorts<Value>): ExpiryBook<Value> {
  const { records, family, clock, onExpired, onFailure } = ports;
  const values = new Map<string, Value>();
  let cancel: (() => void) | undefined;
  let sweeping: Promise<void> = Promise.resolve();
  let isClosed = false;

  function arm(): void {
    cancel?.();
    cancel = undefined;
    if (isClosed || values.size === 0) return;
    let next = Number.POSITIVE_INFINITY;
    for (const { expiresAt } of values.values()) next = Math.min(next, expiresAt);
    const wait = Math.min(checkMillisecondsMax, Math.max(1, next - clock.now()));
    cancel = clock.after(wait, () => {
      cancel = undefined;
      sweeping = sweep().finally(arm);
    });
  }

  async function sweep(): Promise<void> {
    const now = clock.now();
    const due = [...values].filter(([, { expiresAt }]) => expiresAt <= now);
    for (const [id, value] of due) {
      if (isClosed) return;
      try {
        // Taken out first: whoever still wants to use it comes too late. What fails is tried at the next start.
        values.delete(id);
        await onExpired(id, value);
        await records.remove(family, id);
      } catch (error) {
        onFailure(error);
      }
    }
  }

  return {
    get size() {
      return values.size;
    },
    find(id) {
      const value = values.get(id);
      return value !== undefined && value.expiresAt > clock.now() ? value : undefined;
    },
    async put(id, value) {
      values.set(id, value);
      try {
        await records.put(family, id, value);
      } catch (error) {
        values.delete(id);
        throw error;
      }
      arm();
    },
    async remove(id) {
      if (!values.delete(id)) return false;
      await records.remove(family, id);
      return true;
    },
    async start() {
      let nextToken: string | undefined;
      do {
        const page = await records.list(family, nextToken === undefined ? {} : { nextToken });
        // Written by this file only.
        for (const { name, value } of page.items) values.set(name, value as Value);
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      arm();
    },
    async close() {
      isClosed = true;
      cancel?.();
      await sweeping;
    },
  };
}
