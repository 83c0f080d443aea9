/** Rules: SQL over messages, and where the result goes. */
import type { Message, Tap } from "@thingstead/mqtt";
import type { Page, Paged } from "../registry/index.ts";

/** `${alias}` in `topic` and `url` is filled from the SQL result. */
export type RuleAction =
  | { type: "republish"; topic: string; qos?: 0 | 1 }
  | { type: "webhook"; url: string; method?: "POST" | "PUT"; headers?: Record<string, string>; timeoutMilliseconds?: number };

export interface RuleActionRecord {
  id: number;
  ruleId: number;
  action: RuleAction;
}

export interface Rule {
  id: number;
  name: string;
  description: string;
  /** The whole statement: `SELECT … FROM "…" WHERE …`. May be empty for a rule made in steps by the vendor API. */
  sql: string;
  /** `json`: payload parsed, result is JSON. `binary`: payload passed through untouched. */
  dataType: "json" | "binary";
  isRunning: boolean;
  actions: RuleActionRecord[];
  createdAt: number;
  modifiedAt: number;
  /** Counters since start. */
  statistics: RuleStatistics;
}

export interface RuleStatistics {
  /** Messages that passed WHERE. */
  matched: number;
  /** Actions done. */
  passed: number;
  /** Runs and actions that failed for good. */
  failed: number;
  deadLetters: number;
  /** Messages (QoS 0, queues full) and old dead letters (limit reached) given up. */
  dropped: number;
}

export interface NewRule {
  name: string;
  description?: string;
  sql?: string;
  dataType?: Rule["dataType"];
  actions?: RuleAction[];
  /** Start at once (needs SQL and at least one action). */
  isRunning?: boolean;
}

/** A message that an action could not deliver after all its tries. */
export interface DeadLetter {
  id: number;
  ruleId: number;
  actionId: number;
  time: number;
  topic: string;
  /** What was to be sent. */
  payload: Uint8Array;
  tries: number;
  /** Code and text of the last failure. */
  code: string;
  reason: string;
}

/** `line` and `column` from 1. */
export interface SqlProblem {
  message: string;
  line: number;
  column: number;
}

export interface RuleEngine {
  /** SQL that is given must be valid: `rules.sql_invalid` names the first problem, `check` all of them. */
  create(rule: NewRule): Promise<Rule>;
  get(id: number): Promise<Rule>;
  list(page: Page): Promise<Paged<Rule>>;
  update(
    id: number,
    change: { name?: string; description?: string; sql?: string; dataType?: Rule["dataType"]; actions?: RuleAction[] },
  ): Promise<Rule>;
  /** Refused with `rules.running` while the rule runs. What it still owed is forgotten. */
  delete(id: number): Promise<void>;
  /** Throws `rules.sql_missing`, `rules.sql_invalid` (line, column), `rules.no_action`, `rules.already_running`. */
  start(id: number): Promise<Rule>;
  stop(id: number): Promise<Rule>;
  addAction(ruleId: number, action: RuleAction): Promise<RuleActionRecord>;
  /** In place: it keeps its id and its turn. */
  updateAction(actionId: number, action: RuleAction): Promise<RuleActionRecord>;
  removeAction(actionId: number): Promise<void>;
  /** Dry run for people: parses, matches the topic, evaluates; sends nothing. */
  check(
    sql: string,
    sample?: { topic: string; payload: Uint8Array; deviceName?: string; productKey?: string },
  ): { problems: SqlProblem[]; isMatch?: boolean; result?: unknown };
  listDeadLetters(ruleId: number, page: Page): Promise<Paged<DeadLetter>>;
  retryDeadLetter(id: number): Promise<void>;
  deleteDeadLetter(id: number): Promise<void>;

  /** Taps of the running rules whose FROM matches this topic; compiled into a publish grant. */
  tapsFor(topic: string): readonly Tap[];
  /** The set of running rules changed: grants must be compiled anew. */
  onChange(listener: () => void): void;
  /**
   * Offers a message that did not come through a session. What rules republish is offered by the engine itself. The
   * promise is that of the taps.
   */
  offer(message: Message): Promise<void> | undefined;
  /** Loads rules and resumes pending webhook deliveries. */
  open(): Promise<void>;
  close(): Promise<void>;
}
