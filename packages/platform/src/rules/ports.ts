/** What rules ask of the rest. */
import type { CloudMessage } from "@thingstead/mqtt";
import type { Page } from "../registry/index.ts";
import type { Publisher, ShadowReader } from "./compile/index.ts";
import type { DeadLetter, Rule, RuleAction, RuleActionRecord } from "./rule.ts";

export type RuleRow = Omit<Rule, "actions" | "statistics">;

/** What an error action is told of the message that a call was to deliver; kept with the call, which may fail much later. */
export interface MessageOrigin {
  payloadBase64: string;
  clientId: string;
  traceId: string;
  hops: number;
}

/** A webhook call that is owed: kept until it succeeded or became a dead letter. */
export interface PendingDelivery {
  id: number;
  ruleId: number;
  actionId: number;
  topic: string;
  payload: Uint8Array;
  /** Everything needed to send, `${}` already filled. */
  request: {
    url: string;
    method: string;
    headers: Record<string, string>;
    timeoutMilliseconds: number;
    /** Only for rules with an error action. */
    origin?: MessageOrigin;
  };
  tries: number;
  nextTryAt: number;
  createdAt: number;
}

export interface RuleStore {
  insertRule(rule: Omit<RuleRow, "id">, actions: RuleAction[]): Promise<{ rule: RuleRow; actions: RuleActionRecord[] } | "duplicate_name">;
  loadRules(): Promise<{ rule: RuleRow; actions: RuleActionRecord[] }[]>;
  updateRule(rule: RuleRow): Promise<"ok" | "duplicate_name">;
  deleteRule(id: number): Promise<void>;
  replaceActions(ruleId: number, actions: RuleAction[]): Promise<RuleActionRecord[]>;
  insertAction(ruleId: number, action: RuleAction): Promise<RuleActionRecord>;
  updateAction(record: RuleActionRecord): Promise<void>;
  deleteAction(id: number): Promise<void>;
  insertPending(deliveries: Omit<PendingDelivery, "id">[]): Promise<PendingDelivery[]>;
  loadPending(limit: number): Promise<PendingDelivery[]>;
  updatePending(id: number, tries: number, nextTryAt: number): Promise<void>;
  /** One transaction. */
  deletePending(ids: readonly number[]): Promise<void>;
  /** Keeps at most `entriesMax` of that rule: its oldest go. */
  insertDeadLetter(letter: Omit<DeadLetter, "id"> & { request: PendingDelivery["request"] }, entriesMax: number): Promise<void>;
  listDeadLetters(ruleId: number, page: Page): Promise<{ rows: DeadLetter[]; total: number }>;
  findDeadLetter(id: number): Promise<(DeadLetter & { request: PendingDelivery["request"] }) | undefined>;
  deleteDeadLetter(id: number): Promise<void>;
}

/** What rules in AWS SQL ask about [aws-iot 14.3]. */
export interface RuleContext {
  /** Who a session belongs to, while it is there. */
  publisherOf(sessionId: string): Publisher | undefined;
  readShadow: ShadowReader;
}

/** Where republished messages go: through topic checks to subscribers. The rule engine then offers them to the rules itself. */
export interface Republisher {
  /** Refuses (throws PlatformError) a topic that no device may subscribe: unknown product or device, no SUB right. */
  republish(message: CloudMessage & { hops: number }): Promise<void>;
}
