import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PlatformError } from "../../errors/index.ts";
import { defaultRuleLimits } from "../limits.ts";
import { deviceOfTopic } from "../rule-log.ts";
import { compileSql, RuleMessage } from "./index.ts";

/** One of `result`, `resultHex`, `matched: false`, `failure` or `problems` says what must come out. */
interface SqlVector {
  id: string;
  clause: string;
  sql: string;
  dataType?: "json" | "binary";
  topic?: string;
  payload?: string;
  payloadHex?: string;
  time?: number;
  result?: string;
  resultHex?: string;
  matched?: false;
  failure?: string;
  /** `message` is a part of the text. */
  problems?: { line: number; column: number; message: string }[];
}

const file = new URL("../../../../../conformance/rules/sql.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as SqlVector[];

/** The output text, `undefined` for no match, or the code of the failure. */
function runVector(vector: SqlVector): { text?: string | undefined; hex?: string | undefined; failure?: string } {
  const { sql, dataType = "json", topic = "", time = 0 } = vector;
  const { rule, problems } = compileSql(sql, { dataType, limits: defaultRuleLimits, settings: { offsetMinutes: 480 } });
  expect(problems).toEqual([]);
  if (rule?.matchesTopic(topic) !== true) return {};
  const bytes = vector.payloadHex === undefined ? Buffer.from(vector.payload ?? "") : Buffer.from(vector.payloadHex, "hex");
  const random = { bytes: (count: number) => Buffer.alloc(count, 7) };
  try {
    const output = rule.run(new RuleMessage({ topic, bytes, device: deviceOfTopic(topic), time, random }));
    return output === undefined ? {} : { text: Buffer.from(output.bytes).toString(), hex: Buffer.from(output.bytes).toString("hex") };
  } catch (error) {
    if (error instanceof PlatformError) return { failure: error.code };
    throw error;
  }
}

test.each(vectors)("[$clause] $id", (vector) => {
  if (vector.problems !== undefined) {
    const { dataType = "json", sql } = vector;
    const { problems } = compileSql(sql, { dataType, limits: defaultRuleLimits, settings: { offsetMinutes: 480 } });
    expect(problems).toEqual(
      vector.problems.map(({ line, column, message }) => ({ line, column, message: expect.stringContaining(message) })),
    );
    return;
  }
  const { text, hex, failure } = runVector(vector);
  expect(failure).toBe(vector.failure);
  if (vector.resultHex !== undefined) expect(hex).toBe(vector.resultHex);
  else expect(text).toBe(vector.result);
});
