/** Rules: SQL over messages, and where the result goes. */
import type { Message, Tap } from "@thingstead/mqtt";
import type { Page, Paged } from "../registry/index.ts";
import type { RuleLanguage } from "./sql/parse-sql.ts";

export type { RuleLanguage } from "./sql/parse-sql.ts";

export const awsSqlVersions = ["2015-10-08", "2016-03-23", "beta"] as const;
export type AwsSqlVersion = (typeof awsSqlVersions)[number];

/** One member, as the AWS API spells it: `{"republish": {"topic": "a/${topic(2)}", "qos": 1}}` [aws-iot 14.5]. */
export type AwsAction = Readonly<Record<string, unknown>>;

/**
 * In an Alibaba rule `${alias}` in `topic` and `url` is filled from the SQL result, in an AWS rule `${expression}` from the
 * original message. Actions of type `aws` belong to AWS rules.
 */
export type RuleAction =
  | { type: "republish"; topic: string; qos?: 0 | 1 }
  | { type: "webhook"; url: string; method?: "POST" | "PUT"; headers?: Record<string, string>; timeoutMilliseconds?: number }
  | { type: "aws"; action: AwsAction };

export interface RuleActionRecord {
  id: number;
  ruleId: number;
  action: RuleAction;
}

export interface Rule {
  id: number;
  name: string;
  description: string;
  /** Which cloud's SQL it is written in; never changes. */
  language: RuleLanguage;
  /** Of AWS SQL. */
  sqlVersion: AwsSqlVersion | undefined;
  /** The whole statement: `SELECT … FROM "…" WHERE …`. May be empty for a rule made in steps by the vendor API. */
  sql: string;
  /** Of Alibaba's SQL. `json`: payload parsed, result is JSON. `binary`: payload passed through untouched. */
  dataType: "json" | "binary";
  isRunning: boolean;
  /** Of an AWS rule: gets what could not be done for a message [aws-iot 14.5]. */
  errorAction: RuleAction | undefined;
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
  /** `alibaba` unless given. */
  language?: RuleLanguage;
  /** AWS: `2015-10-08` unless given, as the vendor has it. */
  sqlVersion?: AwsSqlVersion;
  sql?: string;
  dataType?: Rule["dataType"];
  actions?: RuleAction[];
  errorAction?: RuleAction;
  /** Start at once (needs SQL and, unless it is an AWS rule, at least one action). */
  isRunning?: boolean;
}

export interface RuleChange {
  name?: string;
  description?: string;
  sqlVersion?: AwsSqlVersion;
  sql?: string;
  dataType?: Rule["dataType"];
  actions?: RuleAction[];
  /** `null` takes it away. */
  errorAction?: RuleAction | null;
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
  find(name: string): Rule | undefined;
  /** Of one language, or of all. */
  list(page: Page, language?: RuleLanguage): Promise<Paged<Rule>>;
  update(id: number, change: RuleChange): Promise<Rule>;
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
    terms?: { language?: RuleLanguage; sqlVersion?: AwsSqlVersion },
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
  /**
   * A message for one AWS rule, whatever its FROM [aws-iot 14.6]: its topic is the part behind `$aws/rules/<name>/`. `owed` as `offer`'s.
   */
  ingest(name: string, message: Message): { outcome: "taken" | "unknown" | "stopped"; owed?: Promise<void> | undefined };
  /** Loads rules and resumes pending webhook deliveries. */
  open(): Promise<void>;
  close(): Promise<void>;
}
