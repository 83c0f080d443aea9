/** All rules in memory: what they are, which run, and which of those read a topic. */
import { PlatformError } from "../errors/index.ts";
import type { RuleRow } from "./ports.ts";
import type { Rule, RuleActionRecord, RuleStatistics } from "./rule.ts";
import type { RunningRule } from "./running-rule.ts";

export interface RuleEntry {
  row: RuleRow;
  actions: RuleActionRecord[];
  statistics: RuleStatistics;
  running: RunningRule | undefined;
}

export class RuleBook {
  readonly #entries = new Map<number, RuleEntry>();

  get size(): number {
    return this.#entries.size;
  }

  has(id: number): boolean {
    return this.#entries.has(id);
  }

  /** Throws `rules.not_found`. */
  get(id: number): RuleEntry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new PlatformError("rules.not_found", { id });
    return entry;
  }

  find(id: number): RuleEntry | undefined {
    return this.#entries.get(id);
  }

  findByName(name: string): RuleEntry | undefined {
    for (const entry of this.#entries.values()) if (entry.row.name === name) return entry;
    return undefined;
  }

  /** Throws `rules.action_not_found`. */
  getByAction(actionId: number): RuleEntry {
    for (const entry of this.#entries.values()) {
      if (entry.actions.some(({ id }) => id === actionId)) return entry;
    }
    throw new PlatformError("rules.action_not_found", { id: actionId });
  }

  add(row: RuleRow, actions: RuleActionRecord[]): RuleEntry {
    const statistics: RuleStatistics = { matched: 0, passed: 0, failed: 0, deadLetters: 0, dropped: 0 };
    const entry: RuleEntry = { row, actions, statistics, running: undefined };
    this.#entries.set(row.id, entry);
    return entry;
  }

  remove(id: number): void {
    this.#entries.delete(id);
  }

  all(): RuleEntry[] {
    return [...this.#entries.values()];
  }

  /** Running rules whose FROM takes the topic. A look at every rule: callers keep the answer. */
  matching(topic: string): RunningRule[] {
    const found: RunningRule[] = [];
    for (const { running } of this.#entries.values()) {
      if (running?.compiled.matchesTopic(topic) === true) found.push(running);
    }
    return found;
  }
}

export function ruleOf({ row, actions, statistics }: RuleEntry): Rule {
  return { ...row, actions: [...actions], statistics: { ...statistics } };
}
