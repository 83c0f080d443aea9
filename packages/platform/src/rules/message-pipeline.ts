/**
 * From a tap to the actions. A tap only queues; the work is done after the current poll phase, many messages at a time,
 * so that the webhook calls of all of them are stored in one transaction.
 */
import type { Message, Properties } from "@thingstead/mqtt";
import type { Clock, Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { PreparedAction } from "./action.ts";
import { type Publisher, ReadFirst, RuleMessage, type RuleOutput } from "./compile/index.ts";
import type { DeliveryQueue, NewDelivery } from "./delivery-queue.ts";
import { type ActionFailure, originOf, reportOf } from "./failure-report.ts";
import type { RuleLimits } from "./limits.ts";
import type { MessageOrigin, Republisher, RuleContext } from "./ports.ts";
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
  context: RuleContext | undefined;
  /** A republished message may be read by further rules. */
  offer: (message: Message, chain: MessageChain) => Promise<void> | undefined;
}

/** Everything that rules make of one message, however often it branches: counted together. */
export interface MessageChain {
  republished: number;
}

interface Batch {
  entries: { rules: readonly RunningRule[]; message: Message; chain: MessageChain; publisher: Publisher | undefined }[];
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
    const kept = { ...message, payload: new Uint8Array(message.payload) };
    batch.entries.push({ rules, message: kept, chain, publisher: this.#publisherOf(rules, message) });
    this.#waiting += 1;
    if (!isOwed) return undefined;
    this.#unacknowledged += 1;
    return batch.safe.promise;
  }

  /** Waits for what was accepted. */
  async close(): Promise<void> {
    while (this.#batches.size > 0) await Promise.allSettled(this.#batches);
  }

  /** Asked now: its session may be gone when the rules run. */
  #publisherOf(rules: readonly RunningRule[], { publisherSessionId }: Message): Publisher | undefined {
    const { context } = this.#ports;
    if (context === undefined || publisherSessionId === undefined || !rules.some(({ language }) => language === "aws")) return undefined;
    return context.publisherOf(publisherSessionId);
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
    const { clock, random, context, limits } = this.#ports;
    const { owed, work } = openWork();
    for (const { rules, message, chain, publisher } of batch.entries) {
      const { topic, payload: bytes } = message;
      const shared = new RuleMessage({
        topic,
        bytes,
        device: deviceOfTopic(topic),
        time: message.receivedAt || clock.now(),
        random,
        publisher,
        readShadow: context?.readShadow,
        shadowReadsMax: limits.shadowReadsPerMessageMax,
      });
      for (const rule of rules) this.#runRule({ rule, message, chain, shared, owed, work });
    }
    await this.#settle({ owed, work });
  }

  /** Stores what is owed, then waits for everything. */
  async #settle({ owed, work }: Work): Promise<void> {
    if (owed.length > 0) work.push(this.#ports.deliveries.add(owed));
    await Promise.all(work);
  }

  #runRule(step: RuleStep): void {
    const { rule, shared, message } = step;
    let output: RuleOutput | undefined;
    try {
      output = this.#evaluate(rule, shared);
    } catch (error) {
      if (error instanceof ReadFirst) step.work.push(this.#runLater(error, step, (later) => this.#runRule(later)));
      else this.#countFailure(rule, message, asRuleError(error, "rules.evaluation_failed"), shared);
      return;
    }
    if (output === undefined) return;
    rule.statistics.matched += 1;
    const made = output;
    if (rule.errorAction === undefined) {
      for (const action of rule.actions) this.#act({ ...step, action, output: made });
      return;
    }
    const failures: ActionFailure[] = [];
    const work: Promise<void>[] = [];
    for (const action of rule.actions) this.#act({ ...step, work, action, output: made, failures });
    step.work.push(Promise.all(work).then(() => this.#reportFailures(step, failures)));
  }

  /** What a rule looks up is read first; its part of the batch is then done and stored by itself. */
  async #runLater<S extends RuleStep>({ ready }: ReadFirst, step: S, again: (step: S) => void): Promise<void> {
    try {
      await ready;
    } catch (error) {
      this.#countFailure(step.rule, step.message, asRuleError(error, "rules.evaluation_failed"), step.shared);
      return;
    }
    const { owed, work } = openWork();
    again({ ...step, owed, work });
    await this.#settle({ owed, work });
  }

  /** [aws-iot 14.5] One report of all that failed for a message. */
  async #reportFailures(step: RuleStep, failures: readonly ActionFailure[]): Promise<void> {
    const { rule, message, shared } = step;
    if (rule.errorAction === undefined || failures.length === 0) return;
    const { owed, work } = openWork();
    const output = reportOf(rule.name, message.topic, originOf(shared, message), failures);
    this.#act({ ...step, owed, work, action: rule.errorAction, output });
    await this.#settle({ owed, work });
  }

  /** A call that was given up long after its message. */
  async reportDelivery(rule: RunningRule, topic: string, origin: MessageOrigin, failure: ActionFailure): Promise<void> {
    const { clock, random, context, limits } = this.#ports;
    if (rule.errorAction === undefined) return;
    const payload = Buffer.from(origin.payloadBase64, "base64");
    const time = clock.now();
    const shared = new RuleMessage({
      topic,
      bytes: payload,
      device: deviceOfTopic(topic),
      time,
      random,
      publisher: { clientId: origin.clientId },
      readShadow: context?.readShadow,
      shadowReadsMax: limits.shadowReadsPerMessageMax,
    });
    const message: Message = { topic, payload, qos: 1, isRetained: false, receivedAt: time, hops: origin.hops };
    const { owed, work } = openWork();
    const output = reportOf(rule.name, topic, origin, [failure]);
    this.#act({ rule, message, chain: { republished: 0 }, shared, owed, work, action: rule.errorAction, output });
    await this.#settle({ owed, work });
  }

  #evaluate(rule: RunningRule, shared: RuleMessage): RuleOutput | undefined {
    const { resultBytesMax } = this.#ports.limits;
    const output = rule.compiled.run(shared);
    const received = output?.bytes.length ?? 0;
    if (received > resultBytesMax) throw new PlatformError("rules.result_too_large", { received, maximum: resultBytesMax });
    return output;
  }

  /** One action of one message; its failure concerns no other action. */
  #act(step: ActionStep): void {
    const { action } = step;
    try {
      if (action.type === "republish") step.work.push(this.#republish(step, action));
      else if (action.type === "webhook") this.#owe(step, action);
      else throw action.error;
    } catch (error) {
      if (error instanceof ReadFirst) step.work.push(this.#runLater(error, step, (later) => this.#act(later)));
      else this.#fail(step, error, action.type === "refused" ? action.resource : "");
    }
  }

  #fail({ rule, message, action, failures, shared }: ActionStep, error: unknown, resource: string): void {
    const failure = asRuleError(error, "rules.action_failed");
    this.#countFailure(rule, message, failure, shared);
    failures?.push({ action: action.name, resource, reason: failure.message });
  }

  async #republish(step: ActionStep, action: Extract<PreparedAction, { type: "republish" }>): Promise<void> {
    const { rule, message, chain, shared, output } = step;
    const { republisher, limits, log, clock, offer } = this.#ports;
    let next: Message;
    let target = "";
    try {
      const { topic, properties } = fillRepublish(action, step) ?? (await readAndFill(action, step));
      target = topic;
      const hops = message.hops + 1;
      if (hops > limits.hopsMax) throw new PlatformError("rules.loop_cut", { hops, maximum: limits.hopsMax });
      // Hops bound the depth of a chain only: with ten actions a rule that reads itself would make ten to the eighth messages.
      const maximum = limits.republishedPerMessageMax;
      if (chain.republished >= maximum) throw new PlatformError("rules.fan_out_cut", { maximum });
      chain.republished += 1;
      const qos = action.qos ?? (message.qos > 0 ? 1 : 0);
      const sent = { topic, payload: output.bytes, qos, hops, ...(properties === undefined ? {} : { properties }) };
      next = { ...sent, isRetained: false, receivedAt: clock.now() };
      await republisher.republish(sent);
      rule.statistics.passed += 1;
      const reason = `Rule ${rule.id} (${rule.name}) published to ${topic}.`;
      const device = shared.publisher?.device;
      log.write({ topic: message.topic, code: "rules.forwarded", isSuccess: true, reason, qos, payloadBytes: output.bytes.length, device });
    } catch (error) {
      this.#fail(step, error, target);
      return;
    }
    // Debts along a chain of rules belong to the message that began it: the first PUBACK waits for them all.
    await offer(next, chain);
  }

  #owe(step: ActionStep, action: Extract<PreparedAction, { type: "webhook" }>): void {
    const { rule, message, shared, output, owed, work, failures } = step;
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
          ...action.headers(output.value, shared),
          "X-Thingstead-Rule": String(rule.id),
          "X-Thingstead-Message-Id": shared.id,
          "X-Thingstead-Topic": encodeURI(message.topic.toWellFormed()),
        },
        timeoutMilliseconds: action.timeoutMilliseconds,
        // The error action itself reports nothing more.
        ...(failures === undefined ? {} : { origin: originOf(shared, message) }),
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
      this.#logFailure(message, full, shared);
      failures?.push({ action: action.name, resource: delivery.request.url, reason: full.message });
      return;
    }
    // It will be acknowledged, so it must stay findable: a dead letter, before the PUBACK.
    work.push(deliveries.bury(delivery, full.code, full.message));
  }

  #countFailure(rule: RunningRule, message: Message, error: PlatformError, shared: RuleMessage): void {
    rule.statistics.failed += 1;
    this.#logFailure(message, error, shared, rule);
  }

  #logFailure(message: Message, error: PlatformError, shared?: RuleMessage, rule?: RunningRule): void {
    const reason = rule === undefined ? error.message : `Rule ${rule.id} (${rule.name}): ${error.message}`;
    const { topic, qos, payload } = message;
    const device = shared?.publisher?.device;
    this.#ports.log.write({ topic, code: error.code, isSuccess: false, reason, qos, payloadBytes: payload.length, device });
  }
}

interface Work {
  /** Webhook calls to store with this batch. */
  owed: NewDelivery[];
  /** What must settle before the batch is safe. */
  work: Promise<void>[];
}

interface RuleStep extends Work {
  rule: RunningRule;
  shared: RuleMessage;
  message: Message;
  chain: MessageChain;
}

interface ActionStep extends RuleStep {
  action: PreparedAction;
  output: RuleOutput;
  /** Collected for the error action; absent: there is none, or this is it. */
  failures?: ActionFailure[];
}

function openWork(): Work {
  return { owed: [], work: [] };
}

type Republish = Extract<PreparedAction, { type: "republish" }>;
type Filled = { topic: string; properties: Properties | undefined };

/** Undefined: something has to be read first. */
function fillRepublish({ topic, properties }: Republish, { output, shared }: ActionStep): Filled | undefined {
  try {
    return { topic: topic.fill(output.value, shared), properties: properties?.(output.value, shared) };
  } catch (error) {
    if (error instanceof ReadFirst) return undefined;
    throw error;
  }
}

async function readAndFill({ topic, properties }: Republish, { output, shared }: ActionStep): Promise<Filled> {
  for (;;) {
    try {
      return { topic: topic.fill(output.value, shared), properties: properties?.(output.value, shared) };
    } catch (error) {
      if (!(error instanceof ReadFirst)) throw error;
      await error.ready;
    }
  }
}
