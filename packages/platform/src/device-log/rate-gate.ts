/** Token buckets: who may still log, and how much was held back since the last summary. */
import type { Clock } from "../clock.ts";
import type { LogKind, NewLogEntry } from "./device-log.ts";
import type { DeviceLogLimits, LogRate } from "./limits.ts";

interface Bucket {
  tokens: number;
  filledAt: number;
}

interface Suppressed {
  productKey?: string;
  deviceName?: string;
  clientId?: string;
  count: number;
}

export interface RateGate {
  /** Would `take` say yes? Counts a no. A plain client has no product (`""`) and its client id for a name. */
  wants(kind: LogKind, productKey: string, deviceName: string): boolean;
  /** The common rate of messages is used up: a no for whoever asks. Counts it. */
  refusesMessages(): boolean;
  /** Takes the entry's share out of its buckets. Counts a no. */
  take(entry: NewLogEntry): boolean;
  readonly hasSuppressed: boolean;
  /** What was held back since the last call: the devices with the most first, then one row for all others. */
  drain(): Suppressed[];
}

const messageKinds: ReadonlySet<LogKind> = new Set<LogKind>(["publish", "deliver", "forward"]);

export function createRateGate(clock: Clock, limits: DeviceLogLimits): RateGate {
  const started = clock.now();
  const allMessages: Bucket = { tokens: limits.messageRate.burstEntriesMax, filledAt: started };
  const allSessions: Bucket = { tokens: limits.sessionRate.burstEntriesMax, filledAt: started };
  const messagesByDevice = new Map<string, Bucket>();
  const sessionsByDevice = new Map<string, Bucket>();
  const failuresByAddress = new Map<string, Bucket>();
  let suppressed = new Map<string, Suppressed & { count: number }>();
  let suppressedElsewhere = 0;
  /** Time of the common bucket's next token, and how far off it was when that was reckoned. */
  let messagesClosedUntil = 0;
  let messagesClosedMilliseconds = 0;
  /** It was closed earlier in this turn of the event loop. */
  let isTurnClosed = false;
  const endTurn = (): void => {
    isTurnClosed = false;
  };

  function closeMessages(now: number): void {
    messagesClosedMilliseconds = Math.ceil(((1 - allMessages.tokens) / limits.messageRate.entriesPerSecondMax) * 1_000);
    messagesClosedUntil = now + messagesClosedMilliseconds;
  }

  function bucketOf(buckets: Map<string, Bucket>, key: string, rate: LogRate, now: number): Bucket {
    const known = buckets.get(key);
    if (known !== undefined) {
      fill(known, rate, now);
      return known;
    }
    const fresh = { tokens: rate.burstEntriesMax, filledAt: now };
    buckets.set(key, fresh);
    if (buckets.size > limits.ratesTrackedMax) {
      // The one known longest: forgetting it gives it a full burst again, and the common bucket still stands.
      const oldest = buckets.keys().next();
      if (!oldest.done) buckets.delete(oldest.value);
    }
    return fresh;
  }

  function refuse(key: string, productKey: string, name: string | undefined): false {
    const row = suppressed.get(key);
    if (row !== undefined) row.count++;
    else if (name !== undefined && suppressed.size < limits.ratesTrackedMax) {
      suppressed.set(key, productKey === "" ? { clientId: name, count: 1 } : { productKey, deviceName: name, count: 1 });
    } else suppressedElsewhere++;
    return false;
  }

  /** (More time left than was reckoned: the clock was set back.) */
  function isClosedAt(now: number): boolean {
    const closedMilliseconds = messagesClosedUntil - now;
    return closedMilliseconds > 0 && closedMilliseconds <= messagesClosedMilliseconds;
  }

  return {
    // What all devices together are too much for is no matter of one of them: counted with the others, by two comparisons and
    // no look-up. A thousand devices at 60,000 messages a second cost 2 us each without this.
    // One look at the clock serves a turn: it takes 130 ns, and each message asked twice (13 % of its CPU in fan-in).
    refusesMessages() {
      if (!isTurnClosed) {
        if (!isClosedAt(clock.now())) return false;
        isTurnClosed = true;
        clock.soon(endTurn);
      }
      suppressedElsewhere++;
      return true;
    },

    wants(kind, productKey, deviceName) {
      if (!messageKinds.has(kind)) return true;
      const now = clock.now();
      if (isClosedAt(now)) {
        suppressedElsewhere++;
        return false;
      }
      fill(allMessages, limits.messageRate, now);
      if (allMessages.tokens < 1) closeMessages(now);
      const key = `${productKey}/${deviceName}`;
      const own = bucketOf(messagesByDevice, key, limits.messageRatePerDevice, now);
      return (own.tokens >= 1 && allMessages.tokens >= 1) || refuse(key, productKey, deviceName);
    },

    take(entry) {
      const now = clock.now();
      const { productKey = "" } = entry;
      // Names that nobody has proven get no bucket of their own when they are no device's: anyone can make them up.
      const name = entry.deviceName ?? (entry.kind === "refuse" ? undefined : entry.clientId);
      const key = `${productKey}/${name ?? ""}`;
      const isMessage = messageKinds.has(entry.kind);
      const all = isMessage ? allMessages : allSessions;
      fill(all, isMessage ? limits.messageRate : limits.sessionRate, now);
      // Asked first: in a storm that is nearly every answer, and the others need not be looked up.
      if (all.tokens < 1) return refuse(key, productKey, name);
      const buckets = [all];
      if (isMessage) {
        if (name !== undefined) buckets.push(bucketOf(messagesByDevice, key, limits.messageRatePerDevice, now));
      } else {
        if (name !== undefined) buckets.push(bucketOf(sessionsByDevice, key, limits.sessionRatePerDevice, now));
        if (!entry.isSuccess && entry.remoteAddress !== undefined) {
          buckets.push(bucketOf(failuresByAddress, entry.remoteAddress, limits.failureRatePerAddress, now));
        }
      }
      if (buckets.some((bucket) => bucket.tokens < 1)) return refuse(key, productKey, name);
      for (const bucket of buckets) bucket.tokens--;
      return true;
    },

    get hasSuppressed() {
      return suppressed.size > 0 || suppressedElsewhere > 0;
    },

    drain() {
      const rows = [...suppressed.values()].sort((a, b) => b.count - a.count);
      const named = rows.slice(0, limits.summariesMax);
      const others = rows.slice(limits.summariesMax).reduce((sum, row) => sum + row.count, suppressedElsewhere);
      suppressed = new Map();
      suppressedElsewhere = 0;
      return others > 0 ? [...named, { count: others }] : named;
    },
  };
}

function fill(bucket: Bucket, rate: LogRate, now: number): void {
  const seconds = (now - bucket.filledAt) / 1_000;
  bucket.filledAt = now;
  // A clock that was set back fills nothing.
  if (seconds > 0) bucket.tokens = Math.min(rate.burstEntriesMax, bucket.tokens + seconds * rate.entriesPerSecondMax);
}
