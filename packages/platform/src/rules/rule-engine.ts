/** The rule room's service: keeps the rules, compiles those that run and hands their taps to the engine. */
import type { Message, Tap } from "@thingstead/mqtt";
import type { Clock, Random } from "../clock.ts";
import type { DeviceLog } from "../device-log/index.ts";
import { PlatformError } from "../errors/index.ts";
import type { Page } from "../registry/index.ts";
import { checkAction, prepareAction } from "./action.ts";
import { checkSql } from "./check-sql.ts";
import { type CompiledRule, compileSql, type FunctionSettings } from "./compile/index.ts";
import { deliveryEvents } from "./delivery-events.ts";
import { DeliveryQueue } from "./delivery-queue.ts";
import { defaultRuleLimits, type RuleLimits } from "./limits.ts";
import { type MessageChain, MessagePipeline } from "./message-pipeline.ts";
import type { Republisher, RuleRow, RuleStore } from "./ports.ts";
import type { Rule, RuleAction, RuleActionRecord, RuleEngine } from "./rule.ts";
import { RuleBook, type RuleEntry, ruleOf } from "./rule-book.ts";
import { createRuleLog } from "./rule-log.ts";
import type { RunningRule } from "./running-rule.ts";
import type { AddressPolicy, WebhookSender } from "./sinks/index.ts";

export interface RuleEnginePorts {
  store: RuleStore;
  republisher: Republisher;
  /** Closed together with the engine. */
  http: WebhookSender;
  deviceLog: Pick<DeviceLog, "write" | "wants">;
  clock: Clock;
  random: Random;
  addressPolicy: AddressPolicy;
  limits?: Partial<RuleLimits>;
  /** Local time of `timestamp(fmt)`; UTC+8 unless given. */
  settings?: FunctionSettings;
}

type RuleChange = Parameters<RuleEngine["update"]>[1];

/**
 * Rules as in alibaba-server 2.1–2.8.
 *
 * @example
 * const rules = createRuleEngine({ store, republisher, http, deviceLog, clock, random, addressPolicy });
 * await rules.open();
 * await rules.create({ name: "relay", sql: 'SELECT * FROM "/pk/+/data"', actions: [{ type: "republish", topic: "/pk/d/relay" }], isRunning: true });
 */
export function createRuleEngine(ports: RuleEnginePorts): RuleEngine {
  const { store, clock, random, addressPolicy, settings = { offsetMinutes: 480 } } = ports;
  const limits: RuleLimits = { ...defaultRuleLimits, ...ports.limits };
  const book = new RuleBook();
  const log = createRuleLog(ports.deviceLog);
  const events = deliveryEvents(book, log);
  const deliveries = new DeliveryQueue({
    store,
    sender: ports.http,
    clock,
    random,
    limits,
    events,
    isKnownRule: (ruleId) => book.has(ruleId),
  });
  const pipeline = new MessagePipeline({ clock, random, republisher: ports.republisher, deliveries, log, limits, offer });
  const listeners: (() => void)[] = [];
  const readersCache = new Map<string, { rules: readonly RunningRule[]; taps: readonly Tap[] }>();
  let lastChange: Promise<unknown> = Promise.resolve();

  /** Changes run one after the other: each sees what the one before it stored. */
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = lastChange.then(change);
    lastChange = turn.catch(() => undefined);
    return turn;
  }

  function announce(): void {
    readersCache.clear();
    for (const listener of listeners) listener();
  }

  /** Throws `rules.sql_invalid`. */
  function compile({ sql, dataType }: Pick<RuleRow, "sql" | "dataType">): CompiledRule {
    const { rule, problems } = compileSql(sql, { dataType, limits, settings });
    if (rule !== undefined) return rule;
    const [first] = problems;
    throw new PlatformError("rules.sql_invalid", {
      problems: problems.length,
      line: first?.line ?? 1,
      column: first?.column ?? 1,
      problem: first?.message ?? "",
    });
  }

  /** Everything that a running rule needs, checked before anything is stored. */
  function checkStartable(row: RuleRow, actionCount: number): CompiledRule {
    if (row.sql.trim() === "") throw new PlatformError("rules.sql_missing", { id: row.id });
    const compiled = compile(row);
    if (actionCount === 0) throw new PlatformError("rules.no_action", { id: row.id });
    return compiled;
  }

  function checkFields({ name, description, dataType, actions }: RuleChange): void {
    checkLength("name", name, 1, limits.nameCharactersMax);
    if (name !== undefined && (/\p{Cc}/u.test(name) || !name.isWellFormed())) {
      const received = JSON.stringify(name);
      throw new PlatformError("rules.field_invalid", { field: "name", received, expected: "text without control characters" });
    }
    checkLength("description", description, 0, limits.descriptionCharactersMax);
    if (dataType !== undefined && dataType !== "json" && dataType !== "binary") {
      throw new PlatformError("rules.field_invalid", { field: "dataType", received: String(dataType), expected: "json or binary" });
    }
    if (actions !== undefined) checkActions(actions);
  }

  function checkActions(actions: readonly RuleAction[]): void {
    const maximum = limits.actionsPerRuleMax;
    if (actions.length > maximum) throw new PlatformError("rules.too_many_actions", { maximum, received: actions.length });
    for (const action of actions) checkAction(action, limits, addressPolicy);
  }

  function run(entry: RuleEntry, compiled: CompiledRule): void {
    const { row, actions, statistics } = entry;
    const { id, name, dataType } = row;
    entry.running = { id, name, dataType, compiled, statistics, actions: actions.map((record) => prepareAction(record, limits)) };
  }

  async function save(entry: RuleEntry, row: RuleRow): Promise<void> {
    if ((await store.updateRule(row)) === "duplicate_name") throw new PlatformError("rules.name_taken", { name: row.name });
    entry.row = row;
  }

  async function change(id: number, wanted: RuleChange): Promise<Rule> {
    checkFields(wanted);
    const entry = book.get(id);
    const { actions, ...fields } = wanted;
    const row: RuleRow = { ...entry.row, ...fields, modifiedAt: clock.now() };
    const compiled = row.isRunning
      ? checkStartable(row, (actions ?? entry.actions).length)
      : row.sql.trim() === ""
        ? undefined
        : compile(row);
    await save(entry, row);
    if (actions !== undefined) entry.actions = await store.replaceActions(id, actions);
    if (row.isRunning && compiled !== undefined) {
      run(entry, compiled);
      announce();
    }
    return ruleOf(entry);
  }

  function refreshActions(entry: RuleEntry): void {
    if (entry.running === undefined) return;
    run(entry, entry.running.compiled);
    announce();
  }

  function checkPage({ page, pageSize }: Page): void {
    const isValid = Number.isInteger(page) && page >= 1 && Number.isInteger(pageSize) && pageSize >= 1 && pageSize <= limits.pageSizeMax;
    if (isValid) return;
    const received = `page ${page} of size ${pageSize}`;
    throw new PlatformError("rules.field_invalid", { field: "page", received, expected: `page from 1, size 1 to ${limits.pageSizeMax}` });
  }

  /** One tap for all rules of a topic, so that they share the message and its parsed payload. */
  function readersOf(topic: string): { rules: readonly RunningRule[]; taps: readonly Tap[] } {
    const known = readersCache.get(topic);
    if (known !== undefined) return known;
    const rules = book.matching(topic);
    const readers = { rules, taps: rules.length === 0 ? [] : [(message: Message) => pipeline.accept(rules, message)] };
    if (readersCache.size >= limits.topicCacheMax) {
      for (const oldest of readersCache.keys()) {
        readersCache.delete(oldest);
        break;
      }
    }
    readersCache.set(topic, readers);
    return readers;
  }

  function offer(message: Message, chain?: MessageChain): Promise<void> | undefined {
    const { rules } = readersOf(message.topic);
    return rules.length === 0 ? undefined : pipeline.accept(rules, message, chain);
  }

  return {
    tapsFor: (topic) => readersOf(topic).taps,
    create: (rule) =>
      inTurn(async () => {
        const { name, description = "", sql = "", dataType = "json", actions = [], isRunning = false } = rule;
        checkFields({ name, description, dataType, actions });
        if (book.size >= limits.rulesMax) throw new PlatformError("rules.too_many", { maximum: limits.rulesMax });
        const now = clock.now();
        const fields = { name, description, sql, dataType, isRunning, createdAt: now, modifiedAt: now };
        const compiled = isRunning ? checkStartable({ ...fields, id: 0 }, actions.length) : sql.trim() === "" ? undefined : compile(fields);
        const stored = await store.insertRule(fields, actions);
        if (stored === "duplicate_name") throw new PlatformError("rules.name_taken", { name });
        const entry = book.add(stored.rule, stored.actions);
        if (isRunning && compiled !== undefined) {
          run(entry, compiled);
          announce();
        }
        return ruleOf(entry);
      }),
    get: async (id) => ruleOf(book.get(id)),
    async list(page) {
      checkPage(page);
      const start = (page.page - 1) * page.pageSize;
      const entries = book.all();
      const items = entries.slice(start, start + page.pageSize).map(ruleOf);
      return { ...page, items, total: entries.length };
    },
    update: (id, wanted) => inTurn(() => change(id, wanted)),
    delete: (id) =>
      inTurn(async () => {
        const entry = book.get(id);
        if (entry.row.isRunning) throw new PlatformError("rules.running", { id });
        await store.deleteRule(id);
        book.remove(id);
        deliveries.forgetRule(id);
      }),
    start: (id) =>
      inTurn(async () => {
        const entry = book.get(id);
        if (entry.row.isRunning) throw new PlatformError("rules.already_running", { id });
        const compiled = checkStartable(entry.row, entry.actions.length);
        await save(entry, { ...entry.row, isRunning: true });
        run(entry, compiled);
        announce();
        return ruleOf(entry);
      }),
    stop: (id) =>
      inTurn(async () => {
        const entry = book.get(id);
        if (!entry.row.isRunning) return ruleOf(entry);
        await save(entry, { ...entry.row, isRunning: false });
        entry.running = undefined;
        announce();
        return ruleOf(entry);
      }),
    addAction: (ruleId, action) =>
      inTurn(async (): Promise<RuleActionRecord> => {
        const entry = book.get(ruleId);
        checkActions([...entry.actions.map((record) => record.action), action]);
        const record = await store.insertAction(ruleId, action);
        entry.actions = [...entry.actions, record];
        refreshActions(entry);
        return record;
      }),
    updateAction: (actionId, action) =>
      inTurn(async (): Promise<RuleActionRecord> => {
        const entry = book.getByAction(actionId);
        checkActions([action]);
        const record = { id: actionId, ruleId: entry.row.id, action };
        await store.updateAction(record);
        entry.actions = entry.actions.map((each) => (each.id === actionId ? record : each));
        refreshActions(entry);
        return record;
      }),
    removeAction: (actionId) =>
      inTurn(async () => {
        const entry = book.getByAction(actionId);
        if (entry.row.isRunning && entry.actions.length === 1) throw new PlatformError("rules.no_action", { id: entry.row.id });
        await store.deleteAction(actionId);
        entry.actions = entry.actions.filter(({ id }) => id !== actionId);
        refreshActions(entry);
      }),
    check: (sql, sample) => checkSql(sql, sample, { limits, settings, clock, random }),

    async listDeadLetters(ruleId, page) {
      checkPage(page);
      book.get(ruleId);
      const { rows, total } = await store.listDeadLetters(ruleId, page);
      return { ...page, items: rows, total };
    },
    retryDeadLetter: (id) =>
      inTurn(async () => {
        const letter = await store.findDeadLetter(id);
        if (letter === undefined) throw new PlatformError("rules.dead_letter_not_found", { id });
        const now = clock.now();
        const { ruleId, actionId, topic, payload, request } = letter;
        const delivery = { ruleId, actionId, topic, payload, request, tries: 0, nextTryAt: now, createdAt: now };
        if (!deliveries.admit(delivery)) {
          throw new PlatformError("rules.queue_full", { queue: "webhook queue", maximum: limits.pendingPerRuleMax });
        }
        await deliveries.add([delivery]);
        await store.deleteDeadLetter(id);
      }),
    deleteDeadLetter: (id) =>
      inTurn(async () => {
        if ((await store.findDeadLetter(id)) === undefined) throw new PlatformError("rules.dead_letter_not_found", { id });
        await store.deleteDeadLetter(id);
      }),

    onChange(listener) {
      listeners.push(listener);
    },
    offer: (message) => offer(message),
    async open() {
      for (const { rule, actions } of await store.loadRules()) {
        const entry = book.add(rule, actions);
        if (!rule.isRunning) continue;
        try {
          run(entry, checkStartable(rule, actions.length));
        } catch (error) {
          // A limit was lowered or a function left: the rule shows as stopped and its next start names the problem.
          if (!(error instanceof PlatformError)) throw error;
          entry.row = { ...rule, isRunning: false };
          log.write({ topic: "", code: error.code, isSuccess: false, reason: `Rule ${rule.id} (${rule.name}) stopped: ${error.message}` });
        }
      }
      announce();
      await deliveries.open();
    },
    async close() {
      // First: what waits for a failing store would otherwise never end.
      deliveries.stop();
      await lastChange;
      for (const entry of book.all()) entry.running = undefined;
      announce();
      await pipeline.close();
      await deliveries.close();
    },
  };
}

function checkLength(field: string, text: string | undefined, minimum: number, maximum: number): void {
  if (text === undefined || (text.trim().length >= minimum && text.length <= maximum)) return;
  throw new PlatformError("rules.field_invalid", {
    field,
    received: `${text.length} characters long`,
    expected: `${minimum} to ${maximum} characters`,
  });
}
