/** FROM of a statement without running it. */
import { defaultRuleLimits } from "./limits.ts";
import { parseSql } from "./sql/parse-sql.ts";
import { compileFilter } from "./topic-filter.ts";

/** Undefined: the statement has no FROM. */
export function readTopicPattern(sql: string): { filter: string; takes(topic: string): boolean } | undefined {
  const filter = parseSql(sql, { ...defaultRuleLimits, sqlCharactersMax: sql.length }, "aws").tree?.topic;
  if (filter === undefined) return undefined;
  const takes = compileFilter(filter, { hashMatchesParent: false });
  return { filter, takes };
}
