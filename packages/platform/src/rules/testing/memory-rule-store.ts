/** The store's contract in memory, for tests of this room. */
import type { DeadLetter, PendingDelivery, Rule, RuleAction, RuleActionRecord, RuleStore } from "../index.ts";

type Row = Omit<Rule, "actions" | "statistics">;
type Letter = DeadLetter & { request: PendingDelivery["request"] };

export class MemoryRuleStore implements RuleStore {
  readonly rules = new Map<number, Row>();
  readonly actions = new Map<number, RuleActionRecord>();
  readonly pending = new Map<number, PendingDelivery>();
  readonly letters = new Map<number, Letter>();
  /** Sizes of the transactions that stored pending deliveries. */
  readonly insertedBatches: number[] = [];
  /** Set to make the next writes of pending deliveries fail. */
  failures = 0;
  #lastId = 0;

  #next(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #addActions(ruleId: number, actions: RuleAction[]): RuleActionRecord[] {
    return actions.map((action) => {
      const record = { id: this.#next(), ruleId, action };
      this.actions.set(record.id, record);
      return record;
    });
  }

  #isTaken(name: string, id?: number): boolean {
    return [...this.rules.values()].some((rule) => rule.name === name && rule.id !== id);
  }

  async insertRule(rule: Omit<Row, "id">, actions: RuleAction[]): ReturnType<RuleStore["insertRule"]> {
    if (this.#isTaken(rule.name)) return "duplicate_name";
    const row = { ...rule, id: this.#next() };
    this.rules.set(row.id, row);
    return { rule: row, actions: this.#addActions(row.id, actions) };
  }

  async loadRules(): ReturnType<RuleStore["loadRules"]> {
    return [...this.rules.values()].map((rule) => ({
      rule,
      actions: [...this.actions.values()].filter(({ ruleId }) => ruleId === rule.id),
    }));
  }

  async updateRule(rule: Row): ReturnType<RuleStore["updateRule"]> {
    if (this.#isTaken(rule.name, rule.id)) return "duplicate_name";
    this.rules.set(rule.id, rule);
    return "ok";
  }

  async deleteRule(id: number): Promise<void> {
    this.rules.delete(id);
    for (const table of [this.pending, this.letters, this.actions]) {
      for (const [key, row] of table) if (row.ruleId === id) table.delete(key);
    }
  }

  async replaceActions(ruleId: number, actions: RuleAction[]): Promise<RuleActionRecord[]> {
    for (const [id, record] of this.actions) if (record.ruleId === ruleId) this.actions.delete(id);
    return this.#addActions(ruleId, actions);
  }

  async insertAction(ruleId: number, action: RuleAction): Promise<RuleActionRecord> {
    const [record] = this.#addActions(ruleId, [action]);
    if (record === undefined) throw new Error("unreachable");
    return record;
  }

  async updateAction(record: RuleActionRecord): Promise<void> {
    this.actions.set(record.id, record);
  }

  async deleteAction(id: number): Promise<void> {
    this.actions.delete(id);
  }

  async insertPending(deliveries: Omit<PendingDelivery, "id">[]): Promise<PendingDelivery[]> {
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("disk full");
    }
    this.insertedBatches.push(deliveries.length);
    return deliveries.map((delivery) => {
      const row = { ...delivery, id: this.#next() };
      this.pending.set(row.id, row);
      return row;
    });
  }

  async loadPending(limit: number): Promise<PendingDelivery[]> {
    return [...this.pending.values()].slice(0, limit);
  }

  async updatePending(id: number, tries: number, nextTryAt: number): Promise<void> {
    const row = this.pending.get(id);
    if (row !== undefined) this.pending.set(id, { ...row, tries, nextTryAt });
  }

  async deletePending(ids: readonly number[]): Promise<void> {
    for (const id of ids) this.pending.delete(id);
  }

  async insertDeadLetter(letter: Omit<Letter, "id">, entriesMax: number): Promise<void> {
    const id = this.#next();
    this.letters.set(id, { ...letter, id });
    const ofRule = [...this.letters.values()].filter(({ ruleId }) => ruleId === letter.ruleId);
    for (const { id: old } of ofRule.slice(0, Math.max(0, ofRule.length - entriesMax))) this.letters.delete(old);
  }

  async listDeadLetters(ruleId: number, { page, pageSize }: { page: number; pageSize: number }): ReturnType<RuleStore["listDeadLetters"]> {
    const rows = [...this.letters.values()].filter((letter) => letter.ruleId === ruleId).reverse();
    return { rows: rows.slice((page - 1) * pageSize, page * pageSize), total: rows.length };
  }

  async findDeadLetter(id: number): Promise<Letter | undefined> {
    return this.letters.get(id);
  }

  async deleteDeadLetter(id: number): Promise<void> {
    this.letters.delete(id);
  }
}
