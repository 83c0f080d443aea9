/** Webhook calls that are owed: stored first, then sent with retries, then done or a dead letter. */
import type { Clock, Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { RuleLimits } from "./limits.ts";
import type { PendingDelivery, RuleStore } from "./ports.ts";
import type { WebhookSender } from "./sinks/index.ts";

export type NewDelivery = Omit<PendingDelivery, "id">;

export interface DeliveryEvents {
  delivered(delivery: PendingDelivery): void;
  /** This try failed; another follows at `nextTryAt`. */
  postponed(delivery: PendingDelivery, code: string, reason: string): void;
  /** All tries failed: it is a dead letter now. `isOldestDropped`: the limit made an older one go. */
  died(delivery: NewDelivery, code: string, reason: string, isOldestDropped: boolean): void;
  storeFailed(delivery: NewDelivery, error: PlatformError): void;
}

export interface DeliveryQueuePorts {
  store: RuleStore;
  sender: WebhookSender;
  clock: Clock;
  random: Random;
  limits: RuleLimits;
  events: DeliveryEvents;
  isKnownRule: (ruleId: number) => boolean;
}

interface RuleLane {
  ready: PendingDelivery[];
  active: number;
  owed: number;
}

export class DeliveryQueue {
  readonly #ports: DeliveryQueuePorts;
  readonly #lanes = new Map<number, RuleLane>();
  readonly #activeByHost = new Map<string, number>();
  readonly #timers = new Set<() => void>();
  readonly #sleepers = new Set<() => void>();
  readonly #running = new Set<Promise<void>>();
  /** Done and not yet deleted. */
  #paid: PendingDelivery[] = [];
  #isPaying = false;
  #active = 0;
  #owed = 0;
  #owedBytes = 0;
  #isClosed = false;
  /** The store holds more than memory took when it was opened. */
  #hasMore = false;

  constructor(ports: DeliveryQueuePorts) {
    this.#ports = ports;
  }

  /** Resumes what an earlier run still owed. */
  async open(): Promise<void> {
    const { store, limits } = this.#ports;
    const pending = await store.loadPending(limits.pendingMax);
    this.#hasMore = pending.length === limits.pendingMax;
    for (const delivery of pending) {
      this.#reserve(delivery);
      this.#schedule(delivery);
    }
    this.#pump();
  }

  /** Takes room for a delivery; false = a limit is reached. Room is given back when the delivery is done. */
  admit(delivery: NewDelivery): boolean {
    const { limits } = this.#ports;
    const owedByRule = this.#lanes.get(delivery.ruleId)?.owed ?? 0;
    const isFull =
      owedByRule >= limits.pendingPerRuleMax ||
      this.#owed >= limits.pendingMax ||
      this.#owedBytes + delivery.payload.length > limits.pendingBytesMax;
    if (!isFull) this.#reserve(delivery);
    return !isFull;
  }

  /** Stores admitted deliveries in one transaction, trying until the store takes them, then sends them. */
  async add(deliveries: readonly NewDelivery[]): Promise<void> {
    let owed = [...deliveries];
    const stored = await this.#persist(owed[0], "pending deliveries", async () => {
      const gone = owed.filter(({ ruleId }) => !this.#ports.isKnownRule(ruleId));
      for (const delivery of gone) this.#release(delivery);
      if (gone.length > 0) owed = owed.filter((delivery) => !gone.includes(delivery));
      return owed.length === 0 ? [] : await this.#ports.store.insertPending(owed);
    });
    for (const delivery of stored) this.#schedule(delivery);
    this.#pump();
  }

  /** Gives up at once, visibly: for a delivery that found no room. */
  async bury(delivery: NewDelivery, code: string, reason: string): Promise<void> {
    const { store, clock, limits, events } = this.#ports;
    const isOldestDropped = await this.#persist(delivery, "a dead letter", async () => {
      if (!this.#ports.isKnownRule(delivery.ruleId)) return false;
      const { total } = await store.listDeadLetters(delivery.ruleId, { page: 1, pageSize: 1 });
      const { ruleId, actionId, topic, payload, tries, request } = delivery;
      await store.insertDeadLetter(
        { ruleId, actionId, topic, payload, tries, request, time: clock.now(), code, reason },
        limits.deadLettersPerRuleMax,
      );
      return total >= limits.deadLettersPerRuleMax;
    });
    events.died(delivery, code, reason, isOldestDropped);
  }

  /** Forgets what a deleted rule owed; calls under way end by themselves. */
  forgetRule(ruleId: number): void {
    const lane = this.#lanes.get(ruleId);
    for (const delivery of lane?.ready.splice(0) ?? []) this.#release(delivery);
  }

  /** No further tries. What waits for the store gets one last try. New deliveries are still stored, for the next start. */
  stop(): void {
    this.#isClosed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    for (const wake of this.#sleepers) wake();
  }

  /** Call after `stop`: ends the calls under way; they stay stored unless they succeeded. */
  async close(): Promise<void> {
    await this.#ports.sender.close();
    await Promise.allSettled(this.#running);
  }

  #lane(ruleId: number): RuleLane {
    const known = this.#lanes.get(ruleId);
    if (known !== undefined) return known;
    const lane: RuleLane = { ready: [], active: 0, owed: 0 };
    this.#lanes.set(ruleId, lane);
    return lane;
  }

  #reserve(delivery: NewDelivery): void {
    this.#lane(delivery.ruleId).owed += 1;
    this.#owed += 1;
    this.#owedBytes += delivery.payload.length;
  }

  #release(delivery: NewDelivery): void {
    const lane = this.#lane(delivery.ruleId);
    lane.owed -= 1;
    this.#owed -= 1;
    this.#owedBytes -= delivery.payload.length;
    if (lane.owed === 0) this.#lanes.delete(delivery.ruleId);
    if (this.#owed === 0 && this.#hasMore && !this.#isClosed) {
      this.#hasMore = false;
      this.#track(this.#persist(delivery, "a read of pending deliveries", () => this.open()));
    }
  }

  #schedule(delivery: PendingDelivery): void {
    if (this.#isClosed) return;
    const wait = delivery.nextTryAt - this.#ports.clock.now();
    if (wait <= 0) {
      this.#lane(delivery.ruleId).ready.push(delivery);
      return;
    }
    this.#after(wait, () => {
      this.#lane(delivery.ruleId).ready.push(delivery);
      this.#pump();
    });
  }

  #after(milliseconds: number, task: () => void): void {
    const cancel = this.#ports.clock.after(milliseconds, () => {
      this.#timers.delete(cancel);
      task();
    });
    this.#timers.add(cancel);
  }

  /** Starts as many calls as the limits allow, one rule after the other so that a busy rule does not starve the rest. */
  #pump(): void {
    const { limits } = this.#ports;
    let hasStarted = true;
    while (hasStarted && !this.#isClosed) {
      hasStarted = false;
      for (const lane of this.#lanes.values()) {
        if (this.#active >= limits.concurrencyMax) return;
        if (lane.active >= limits.concurrencyPerRuleMax) continue;
        const next = this.#takeNext(lane);
        if (next === undefined) continue;
        hasStarted = true;
        if (!this.#ports.isKnownRule(next.ruleId)) {
          this.#release(next);
          continue;
        }
        this.#track(this.#attempt(next, lane));
      }
    }
  }

  /** First of the lane whose host has room; only a window is looked at, so that a long lane stays cheap. */
  #takeNext(lane: RuleLane): PendingDelivery | undefined {
    const { concurrencyPerHostMax, concurrencyPerRuleMax } = this.#ports.limits;
    const window = Math.min(lane.ready.length, concurrencyPerRuleMax * 4);
    for (let index = 0; index < window; index += 1) {
      const delivery = lane.ready[index];
      if (delivery === undefined) break;
      if ((this.#activeByHost.get(hostOf(delivery)) ?? 0) >= concurrencyPerHostMax) continue;
      lane.ready.splice(index, 1);
      return delivery;
    }
    return undefined;
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work.catch(() => undefined).finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #attempt(delivery: PendingDelivery, lane: RuleLane): Promise<void> {
    const host = hostOf(delivery);
    this.#active += 1;
    lane.active += 1;
    this.#activeByHost.set(host, (this.#activeByHost.get(host) ?? 0) + 1);
    const { request, payload } = delivery;
    const outcome = await this.#ports.sender.send({ ...request, method: request.method === "PUT" ? "PUT" : "POST", body: payload });
    this.#active -= 1;
    lane.active -= 1;
    const left = (this.#activeByHost.get(host) ?? 1) - 1;
    if (left === 0) this.#activeByHost.delete(host);
    else this.#activeByHost.set(host, left);
    this.#pump();
    if (outcome.isDelivered) {
      this.#ports.events.delivered(delivery);
      this.#finish(delivery);
    } else if (!this.#isClosed) await this.#fail(delivery, outcome);
  }

  async #fail(
    delivery: PendingDelivery,
    { code, reason, isRetryable }: { code: string; reason: string; isRetryable: boolean },
  ): Promise<void> {
    const { store, clock, limits, events } = this.#ports;
    const tries = delivery.tries + 1;
    const delay = isRetryable ? limits.retryDelaysMilliseconds[tries - 1] : undefined;
    if (!this.#ports.isKnownRule(delivery.ruleId)) return this.#release(delivery);
    if (delay === undefined) {
      await this.bury({ ...delivery, tries }, code, reason);
      this.#finish(delivery);
      return;
    }
    const next = { ...delivery, tries, nextTryAt: clock.now() + this.#jittered(delay) };
    events.postponed(next, code, reason);
    await this.#persist(next, "a retry", () => store.updatePending(next.id, tries, next.nextTryAt));
    this.#schedule(next);
    this.#pump();
  }

  /** Until its row is gone the call would be repeated after a restart: at least once, never lost. */
  #finish(delivery: PendingDelivery): void {
    this.#paid.push(delivery);
    if (this.#isPaying) return;
    this.#isPaying = true;
    this.#track(this.#pay());
  }

  /** What finishes shortly after a commit goes into the next one: a commit each would bound the calls per second. */
  async #pay(): Promise<void> {
    try {
      while (this.#paid.length > 0) {
        const paid = this.#paid.splice(0);
        const ids = paid.map(({ id }) => id);
        await this.#persist(paid[0], "finished deliveries", () => this.#ports.store.deletePending(ids));
        for (const delivery of paid) this.#release(delivery);
        await this.#sleep(this.#ports.limits.paidPauseMilliseconds);
      }
    } finally {
      this.#isPaying = false;
    }
  }

  #jittered(delay: number): number {
    const { retryJitterShareMax } = this.#ports.limits;
    if (retryJitterShareMax === 0) return delay;
    return Math.round(delay * (1 + (this.#ports.random.bytes(2).readUInt16BE() / 65_536) * retryJitterShareMax));
  }

  /** Ends early when the queue closes. */
  #sleep(milliseconds: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(wake);
        resolve();
      };
      this.#sleepers.add(wake);
      this.#after(milliseconds, wake);
    });
  }

  /** Tries a store operation until it works. Throws only when the queue closes meanwhile: then nothing was acknowledged. */
  async #persist<T>(delivery: NewDelivery | undefined, what: string, operation: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await operation();
      } catch (error) {
        const reason = error instanceof Error ? error.message : "unknown failure";
        const failure = new PlatformError("rules.store_failed", { what, reason }, { cause: error });
        if (delivery !== undefined) this.#ports.events.storeFailed(delivery, failure);
        if (this.#isClosed) throw failure;
        await this.#sleep(this.#ports.limits.storeRetryMilliseconds);
      }
    }
  }
}

function hostOf(delivery: NewDelivery): string {
  return URL.canParse(delivery.request.url) ? new URL(delivery.request.url).host : "";
}
