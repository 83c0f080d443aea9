/** A rule engine on faked time with everything it reaches recorded. */
import type { Message } from "@thingstead/mqtt";
import type { Clock } from "../../clock.ts";
import type { NewLogEntry } from "../../device-log/index.ts";
import {
  createAddressPolicy,
  createRuleEngine,
  type Republisher,
  type RuleEngine,
  type RuleEnginePorts,
  type WebhookOutcome,
  type WebhookRequest,
} from "../index.ts";
import { MemoryRuleStore } from "./memory-rule-store.ts";

class ManualClock implements Clock {
  time = 1_700_000_000_000;
  #timers: { at: number; task: () => void }[] = [];
  #soon: (() => void)[] = [];

  now(): number {
    return this.time;
  }
  after(milliseconds: number, task: () => void): () => void {
    const timer = { at: this.time + milliseconds, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }
  soon(task: () => void): void {
    this.#soon.push(task);
  }
  /** Runs what waits for a turn. */
  turn(): void {
    for (const task of this.#soon.splice(0)) task();
  }
  advance(milliseconds: number): void {
    this.time += milliseconds;
    const due = this.#timers.filter(({ at }) => at <= this.time);
    this.#timers = this.#timers.filter(({ at }) => at > this.time);
    for (const { task } of due) task();
  }
}

export interface RuleBench {
  rules: RuleEngine;
  store: MemoryRuleStore;
  clock: ManualClock;
  republished: Parameters<Republisher["republish"]>[0][];
  sent: WebhookRequest[];
  entries: NewLogEntry[];
  /** What the webhook answers, by number of the call; delivered when undefined. */
  answer: { next: (call: number) => WebhookOutcome | Promise<WebhookOutcome> };
  /** Lets everything that is ready happen. */
  settle(): Promise<void>;
  /** Offers to the taps as the engine would. */
  publish(topic: string, payload: string | Uint8Array, change?: Partial<Message>): { owed: Promise<void> | undefined };
}

export function openRuleBench(
  limits: RuleEnginePorts["limits"] = {},
  store = new MemoryRuleStore(),
  context?: RuleEnginePorts["context"],
): RuleBench {
  const clock = new ManualClock();
  const republished: RuleBench["republished"] = [];
  const sent: WebhookRequest[] = [];
  const entries: NewLogEntry[] = [];
  const answer: RuleBench["answer"] = { next: () => ({ isDelivered: true, status: 200 }) };
  const rules = createRuleEngine({
    store,
    clock,
    random: { bytes: (count) => Buffer.alloc(count, 7) },
    republisher: {
      async republish(message) {
        republished.push(message);
      },
    },
    http: {
      async send(request) {
        sent.push(request);
        return answer.next(sent.length);
      },
      async close() {},
    },
    deviceLog: { write: (entry) => entries.push(entry), wants: () => true },
    addressPolicy: createAddressPolicy({ webhookAllow: [] }),
    limits: { retryJitterShareMax: 0, ...limits },
    ...(context === undefined ? {} : { context }),
  });
  return {
    rules,
    store,
    clock,
    republished,
    sent,
    entries,
    answer,
    async settle() {
      for (let round = 0; round < 5; round += 1) {
        clock.turn();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    publish(topic, payload, change = {}) {
      const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
      const message: Message = { topic, payload: bytes, qos: 0, isRetained: false, receivedAt: clock.now(), hops: 0, ...change };
      const promises = rules.tapsFor(topic).map((tap) => tap(message));
      return { owed: promises.find((promise) => promise !== undefined) };
    },
  };
}
