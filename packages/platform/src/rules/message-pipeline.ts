/**
 * From a tap to the actions. A tap only queues; the work is done after the current poll phase, many messages at a time,
 * so that the webhook calls of all of them are stored in one transaction.
 */
import type { Message } from "@thingstead/mqtt";
import type { Clock, Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { PreparedAction } from "./action.ts";
import { RuleMessage, type RuleOutput } from "./compile/index.ts";
import type { DeliveryQueue, NewDelivery } from "./delivery-queue.ts";
import type { RuleLimits } from "./limits.ts";
import type { Republisher } from "./ports.ts";
import { asRuleError } from "./rule-error.ts";
import { deviceOfTopic, type RuleLog } from "./rule-log.ts";
import type { RunningRule } from "./running-rule.ts";

export interface PipelinePorts {
  clock: Clock;
  random: Random;
  republisher: Republisher;
  deliveries: Pick<DeliveryQueue, "add" | "admit" | "bury">;
  log: RuleLog;
  limits: RuleLimits;
  /** A republished message may be read by further rules. */
  offer: (message: Message, chain: MessageChain) => Promise<void> | undefined;
}

/** Everything that rules make of one message, however often it branches: counted together. */
export interface MessageChain {
  republished: number;
}

interface Batch {
  entries: { rules: readonly RunningRule[]; message: Message; chain: MessageChain }[];
  /** Settles when the durable part of every message of the batch is safe. */
  safe: PromiseWithResolvers<void>;
}

export class MessagePipeline {
  readonly #ports: PipelinePorts;
  readonly #batches = new Set<Promise<void>>();
  #batch: Batch | undefined;
  #waiting = 0;
  #unacknowledged = 0;

  constructor(ports: PipelinePorts) {
    this.#ports = ports;
  }

  /**
   * Takes a message for the rules that match its topic.
   *
   * @param chain of the message that a rule made this one from; absent = it begins one
   * @returns for QoS 1 and 2 a promise of the durable part; it rejects (`rules.queue_full`, or the store's failure at
   * close) when the message must not be acknowledged. For QoS 0 undefined: a full queue drops the message, counted.
   */
  accept(rules: readonly RunningRule[], message: Message, chain: MessageChain = { republished: 0 }): Promise<void> | undefined {
    const { limits, clock } = this.#ports;
    const isOwed = message.qos > 0;
    if (!isOwed && this.#waiting >= limits.queueMessagesMax) {
      this.#drop(rules, message);
      return undefined;
    }
    if (isOwed && this.#unacknowledged >= limits.unacknowledgedMessagesMax) {
      const maximum = limits.unacknowledgedMessagesMax;
      return Promise.reject(new PlatformError("rules.queue_full", { queue: "unacknowledged messages", maximum }));
    }
    let batch = this.#batch;
    if (batch === undefined || batch.entries.length >= limits.batchMessagesMax) {
      batch = this.#openBatch();
      clock.soon(this.#run.bind(this, batch));
    }
    // The engine may reuse the bytes after the call; new Uint8Array copies, Buffer.slice would not.
    batch.entries.push({ rules, message: { ...message, payload: new Uint8Array(message.payload) }, chain });
    this.#waiting += 1;
    if (!isOwed) return undefined;
    this.#unacknowledged += 1;
    return batch.safe.promise;
  }

  /** Waits for what was accepted. */
  async close(): Promise<void> {
    while (this.#batches.size > 0) await Promise.allSettled(this.#batches);
  }

  #openBatch(): Batch {
    const safe = Promise.withResolvers<void>();
    // A batch of QoS 0 messages has nobody who waits: its failure is already logged.
    safe.promise.catch(() => undefined);
    this.#batches.add(safe.promise);
    this.#batch = { entries: [], safe };
    return this.#batch;
  }

  #drop(rules: readonly RunningRule[], message: Message): void {
    const { limits } = this.#ports;
    for (const rule of rules) rule.statistics.dropped += 1;
    this.#logFailure(message, new PlatformError("rules.queue_full", { queue: "waiting messages", maximum: limits.queueMessagesMax }));
  }

  #run(batch: Batch): void {
    if (this.#batch === batch) this.#batch = undefined;
    this.#perform(batch)
      .then(batch.safe.resolve, batch.safe.reject)
      .finally(() => {
        this.#batches.delete(batch.safe.promise);
        this.#waiting -= batch.entries.length;
        for (const { message } of batch.entries) if (message.qos > 0) this.#unacknowledged -= 1;
      });
  }

  async #perform(batch: Batch): Promise<void> {
    const { clock, random, deliveries } = this.#ports;
    const owed: NewDelivery[] = [];
    const work: Promise<void>[] = [];
    for (const { rules, message, chain } of batch.entries) {
      const { topic, payload: bytes } = message;
      const shared = new RuleMessage({ topic, bytes, device: deviceOfTopic(topic), time: message.receivedAt || clock.now(), random });
      for (const rule of rules) {
        const output = this.#evaluate(rule, shared, message);
        if (output === undefined) continue;
        rule.statistics.matched += 1;
        for (const action of rule.actions) this.#act({ rule, action, shared, message, chain, output, owed, work });
      }
    }
    if (owed.length > 0) work.push(deliveries.add(owed));
    await Promise.all(work);
  }

  #evaluate(rule: RunningRule, shared: RuleMessage, message: Message): RuleOutput | undefined {
    const { resultBytesMax } = this.#ports.limits;
    try {
      const output = rule.compiled.run(shared);
      const received = output?.bytes.length ?? 0;
      if (received > resultBytesMax) throw new PlatformError("rules.result_too_large", { received, maximum: resultBytesMax });
      return output;
    } catch (error) {
      this.#countFailure(rule, message, asRuleError(error, "rules.evaluation_failed"));
      return undefined;
    }
  }

  /** One action of one message; its failure concerns no other action. */
  #act(step: ActionStep): void {
    const { rule, action, message } = step;
    try {
      if (action.type === "republish") step.work.push(this.#republish(step, action));
      else this.#owe(step, action);
    } catch (error) {
      this.#countFailure(rule, message, asRuleError(error, "rules.action_failed"));
    }
  }

  async #republish(
    { rule, message, chain, shared, output }: ActionStep,
    action: Extract<PreparedAction, { type: "republish" }>,
  ): Promise<void> {
    const { republisher, limits, log, clock, offer } = this.#ports;
    let next: Message;
    try {
      const topic = action.topic.fill(output.value, shared);
      const hops = message.hops + 1;
      if (hops > limits.hopsMax) throw new PlatformError("rules.loop_cut", { hops, maximum: limits.hopsMax });
      // Hops bound the depth of a chain only: with ten actions a rule that reads itself would make ten to the eighth messages.
      const maximum = limits.republishedPerMessageMax;
      if (chain.republished >= maximum) throw new PlatformError("rules.fan_out_cut", { maximum });
      chain.republished += 1;
      const qos = action.qos ?? (message.qos > 0 ? 1 : 0);
      next = { topic, payload: output.bytes, qos, hops, isRetained: false, receivedAt: clock.now() };
      await republisher.republish({ topic, payload: output.bytes, qos, hops });
      rule.statistics.passed += 1;
      const reason = `Rule ${rule.id} (${rule.name}) published to ${topic}.`;
      log.write({ topic: message.topic, code: "rules.forwarded", isSuccess: true, reason, qos, payloadBytes: output.bytes.length });
    } catch (error) {
      this.#countFailure(rule, message, asRuleError(error, "rules.action_failed"));
      return;
    }
    // Debts along a chain of rules belong to the message that began it: the first PUBACK waits for them all.
    await offer(next, chain);
  }

  #owe({ rule, message, shared, output, owed, work }: ActionStep, action: Extract<PreparedAction, { type: "webhook" }>): void {
    const { deliveries, clock, limits } = this.#ports;
    const now = clock.now();
    const delivery: NewDelivery = {
      ruleId: rule.id,
      actionId: action.id,
      topic: message.topic,
      payload: output.bytes,
      request: {
        url: action.url.fill(output.value, shared),
        method: action.method,
        headers: {
          ...(action.hasContentType
            ? {}
            : { "Content-Type": output.value === undefined ? "application/octet-stream" : "application/json" }),
          ...action.headers,
          "X-Thingstead-Rule": String(rule.id),
          "X-Thingstead-Message-Id": shared.id,
          "X-Thingstead-Topic": encodeURI(message.topic.toWellFormed()),
        },
        timeoutMilliseconds: action.timeoutMilliseconds,
      },
      tries: 0,
      nextTryAt: now,
      createdAt: now,
    };
    if (deliveries.admit(delivery)) {
      owed.push(delivery);
      return;
    }
    const full = new PlatformError("rules.queue_full", { queue: "webhook queue", maximum: limits.pendingPerRuleMax });
    if (message.qos === 0) {
      rule.statistics.dropped += 1;
      this.#logFailure(message, full);
      return;
    }
    // It will be acknowledged, so it must stay findable: a dead letter, before the PUBACK.
    work.push(deliveries.bury(delivery, full.code, full.message));
  }

  #countFailure(rule: RunningRule, message: Message, error: PlatformError): void {
    rule.statistics.failed += 1;
    this.#logFailure(message, error, rule);
  }

  #logFailure(message: Message, error: PlatformError, rule?: RunningRule): void {
    const reason = rule === undefined ? error.message : `Rule ${rule.id} (${rule.name}): ${error.message}`;
    const { topic, qos, payload } = message;
    this.#ports.log.write({ topic, code: error.code, isSuccess: false, reason, qos, payloadBytes: payload.length });
  }
}

interface ActionStep {
  rule: RunningRule;
  action: PreparedAction;
  shared: RuleMessage;
  message: Message;
  chain: MessageChain;
  output: RuleOutput;
  /** Webhook calls to store with this batch. */
  owed: NewDelivery[];
  /** What must settle before the batch is safe. */
  work: Promise<void>[];
}
