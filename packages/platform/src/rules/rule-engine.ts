/** The rule room's service: keeps the rules, compiles those that run and hands their taps to the engine. */
import type { Message, Tap } from "@thingstead/mqtt";
import type { Clock, Random } from "../clock.ts";
import type { DeviceLog } from "../device-log/index.ts";
import { PlatformError } from "../errors/index.ts";
import type { Page } from "../registry/index.ts";
import { checkAction, prepareAction } from "./action.ts";
import { checkSql } from "./check-sql.ts";
import { type CompiledRule, type CompileOptions, compileSql, type FunctionSettings } from "./compile/index.ts";
import { deliveryEvents } from "./delivery-events.ts";
import type { NewDelivery } from "./delivery-queue.ts";
import { DeliveryQueue } from "./delivery-queue.ts";
import { defaultRuleLimits, type RuleLimits } from "./limits.ts";
import { type MessageChain, MessagePipeline } from "./message-pipeline.ts";
import type { Republisher, RuleContext, RuleRow, RuleStore } from "./ports.ts";
import { awsSqlVersions, type Rule, type RuleAction, type RuleActionRecord, type RuleChange, type RuleEngine } from "./rule.ts";
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
  /** Local time of `timestamp(fmt)`, UTC+8 unless given, and the account of AWS rules. */
  settings?: FunctionSettings;
  /** Absent: nobody is known to publish and no thing has a shadow. */
  context?: RuleContext;
}

/** The vendor's mainland regions. */
export const defaultRuleSettings: FunctionSettings = { offsetMinutes: 480 };

type Terms = Pick<RuleRow, "language" | "sqlVersion" | "dataType">;

/**
 * Rules as in alibaba-server 2.1–2.8 and aws-iot 14.
 *
 * @example
 * const rules = createRuleEngine({ store, republisher, http, deviceLog, clock, random, addressPolicy });
 * await rules.open();
 * await rules.create({ name: "relay", sql: 'SELECT * FROM "/pk/+/data"', actions: [{ type: "republish", topic: "/pk/d/relay" }], isRunning: true });
 */
export function createRuleEngine(ports: RuleEnginePorts): RuleEngine {
  const { store, clock, random, addressPolicy, settings = defaultRuleSettings } = ports;
  const limits: RuleLimits = { ...defaultRuleLimits, ...ports.limits };
  const book = new RuleBook();
  const log = createRuleLog(ports.deviceLog);
  const events = deliveryEvents(book, log, reportDelivery);
  const deliveries = new DeliveryQueue({
    store,
    sender: ports.http,
    clock,
    random,
    limits,
    events,
    isKnownRule: (ruleId) => book.has(ruleId),
  });
  const { republisher, context } = ports;
  const pipeline = new MessagePipeline({ clock, random, republisher, deliveries, log, limits, context, offer });
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

  function optionsOf({ language, sqlVersion, dataType }: Terms): CompileOptions {
    return { language, dataType, limits, settings, ...(sqlVersion === undefined ? {} : { sqlVersion }) };
  }

  /** Reports that come after the rule has changed are its new error action's. */
  function reportDelivery({ ruleId, actionId, topic, request }: NewDelivery, reason: string): void {
    const running = book.find(ruleId)?.running;
    const { origin, url } = request;
    if (running === undefined || origin === undefined) return;
    const action = running.actions.find(({ id }) => id === actionId)?.name ?? "HttpAction";
    // A store that fails is logged by the queue, which tries again.
    pipeline.reportDelivery(running, topic, origin, { action, resource: url, reason }).catch(() => undefined);
  }

  /** Throws `rules.sql_invalid`. */
  function compile({ sql, ...terms }: Pick<RuleRow, "sql"> & Terms): CompiledRule {
    const { rule, problems } = compileSql(sql, optionsOf(terms));
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
    // The AWS API takes rules without actions.
    if (actionCount === 0 && row.language === "alibaba") throw new PlatformError("rules.no_action", { id: row.id });
    return compiled;
  }

  function checkFields({ name, description, dataType, sqlVersion, actions, errorAction }: RuleChange, terms: Terms): void {
    const isAws = terms.language === "aws";
    checkLength("name", name, 1, isAws ? limits.awsNameCharactersMax : limits.nameCharactersMax);
    if (name !== undefined && (/\p{Cc}/u.test(name) || !name.isWellFormed())) {
      throw invalidField("name", JSON.stringify(name), "text without control characters");
    }
    // [aws-iot 16] The name stands in topics and in ARNs.
    if (name !== undefined && isAws && !/^\w+$/.test(name)) throw invalidField("name", name, "letters, digits and _");
    checkLength("description", description, 0, limits.descriptionCharactersMax);
    if (dataType !== undefined && dataType !== "json" && dataType !== "binary")
      throw invalidField("dataType", String(dataType), "json or binary");
    if (sqlVersion !== undefined && (!isAws || !awsSqlVersions.includes(sqlVersion))) {
      throw invalidField("sqlVersion", String(sqlVersion), isAws ? awsSqlVersions.join(", ") : "none: only AWS SQL has versions");
    }
    if (errorAction && !isAws) throw invalidField("errorAction", errorAction.type, "none: only rules in AWS SQL have one");
    const given = [...(actions ?? []), ...(errorAction ? [errorAction] : [])];
    if (actions !== undefined) checkActions(actions, terms);
    for (const action of given) checkAction(action, optionsOf(terms), addressPolicy);
  }

  function checkActions(actions: readonly RuleAction[], terms: Terms): void {
    const maximum = limits.actionsPerRuleMax;
    if (actions.length > maximum) throw new PlatformError("rules.too_many_actions", { maximum, received: actions.length });
    for (const action of actions) checkAction(action, optionsOf(terms), addressPolicy);
  }

  function run(entry: RuleEntry, compiled: CompiledRule): void {
    const { row, actions, statistics } = entry;
    const { id, name, language, errorAction } = row;
    const prepare = (record: Pick<RuleActionRecord, "id" | "action">) => prepareAction(record, optionsOf(row));
    entry.running = {
      id,
      name,
      language,
      compiled,
      statistics,
      actions: actions.map(prepare),
      errorAction: errorAction === undefined ? undefined : prepare({ id: errorActionId, action: errorAction }),
    };
  }

  async function save(entry: RuleEntry, row: RuleRow): Promise<void> {
    if ((await store.updateRule(row)) === "duplicate_name") throw new PlatformError("rules.name_taken", { name: row.name });
    entry.row = row;
  }

  async function change(id: number, wanted: RuleChange): Promise<Rule> {
    const entry = book.get(id);
    const { actions, errorAction, ...fields } = wanted;
    const row: RuleRow = { ...entry.row, ...fields, modifiedAt: clock.now() };
    if (errorAction !== undefined) row.errorAction = errorAction ?? undefined;
    checkFields(wanted, row);
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
    throw invalidField("page", `page ${page} of size ${pageSize}`, `page from 1, size 1 to ${limits.pageSizeMax}`);
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
        const { language = "alibaba", errorAction } = rule;
        const sqlVersion = language === "aws" ? (rule.sqlVersion ?? defaultAwsSqlVersion) : rule.sqlVersion;
        if (language !== "alibaba" && language !== "aws") throw invalidField("language", String(language), "alibaba or aws");
        const given = { name, description, dataType, actions, ...(errorAction === undefined ? {} : { errorAction }) };
        checkFields({ ...given, ...(sqlVersion === undefined ? {} : { sqlVersion }) }, { language, sqlVersion, dataType });
        if (book.size >= limits.rulesMax) throw new PlatformError("rules.too_many", { maximum: limits.rulesMax });
        const now = clock.now();
        const fields = { name, description, language, sqlVersion, sql, dataType, isRunning, errorAction, createdAt: now, modifiedAt: now };
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
    find(name) {
      const entry = book.findByName(name);
      return entry === undefined ? undefined : ruleOf(entry);
    },
    async list(page, language) {
      checkPage(page);
      const start = (page.page - 1) * page.pageSize;
      const entries = book.all().filter(({ row }) => language === undefined || row.language === language);
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
        checkActions([...entry.actions.map((record) => record.action), action], entry.row);
        const record = await store.insertAction(ruleId, action);
        entry.actions = [...entry.actions, record];
        refreshActions(entry);
        return record;
      }),
    updateAction: (actionId, action) =>
      inTurn(async (): Promise<RuleActionRecord> => {
        const entry = book.getByAction(actionId);
        checkActions([action], entry.row);
        const record = { id: actionId, ruleId: entry.row.id, action };
        await store.updateAction(record);
        entry.actions = entry.actions.map((each) => (each.id === actionId ? record : each));
        refreshActions(entry);
        return record;
      }),
    removeAction: (actionId) =>
      inTurn(async () => {
        const entry = book.getByAction(actionId);
        if (entry.row.isRunning && entry.actions.length === 1 && entry.row.language === "alibaba")
          throw new PlatformError("rules.no_action", { id: entry.row.id });
        await store.deleteAction(actionId);
        entry.actions = entry.actions.filter(({ id }) => id !== actionId);
        refreshActions(entry);
      }),
    check: (sql, sample, terms = {}) => checkSql(sql, sample, { ...terms, limits, settings, clock, random }),

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
    ingest(name, message) {
      const entry = book.findByName(name);
      if (entry === undefined || entry.row.language !== "aws") return { outcome: "unknown" };
      if (entry.running === undefined) return { outcome: "stopped" };
      return { outcome: "taken", owed: pipeline.accept([entry.running], message) };
    },
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

/** In what is owed to an error action, in place of an action's id. */
const errorActionId = 0;
/** [aws-iot 14.1] */
const defaultAwsSqlVersion = "2015-10-08";

function invalidField(field: string, received: string, expected: string): PlatformError {
  return new PlatformError("rules.field_invalid", { field, received, expected });
}

function checkLength(field: string, text: string | undefined, minimum: number, maximum: number): void {
  if (text === undefined || (text.trim().length >= minimum && text.length <= maximum)) return;
  throw invalidField(field, `${text.length} characters long`, `${minimum} to ${maximum} characters`);
}
