/** The vendor keeps a rule's SQL in parts (reference 2.1); we keep one statement. Here the parts become a statement and back. */

export interface RuleParts {
  select: string;
  productKey: string;
  /** What follows the product key. */
  shortTopic: string;
  /** 0 system (thing model), 1 custom, 2 device status. */
  topicType: 0 | 1 | 2;
  /** The whole topic; empty when there is none yet. */
  topic: string;
  where: string;
}

const statusPrefix = "/as/mqtt/status/";

/** What a statement says while the rule has no topic yet: valid SQL, and no message ever has this topic. */
const noTopic = "/";

/**
 * A rule may be made in steps, but what is stored must always be a statement: parts that are still missing are `*` and a topic that
 * nothing is published to. No part at all is an empty statement.
 */
export function joinRuleParts({ select, topic, where }: Pick<RuleParts, "select" | "topic" | "where">): string {
  if (select === "" && topic === "" && where === "") return "";
  return `SELECT ${select || "*"} FROM "${topic || noTopic}"${where === "" ? "" : ` WHERE ${where}`}`;
}

/** Undefined when the text is no statement of our form. */
export function splitRuleSql(sql: string): RuleParts | undefined {
  const text = sql.trim();
  if (text === "") return { select: "", where: "", ...splitTopic("") };
  const head = /^SELECT\b/i.exec(text);
  if (head === null) return undefined;
  const from = findFrom(text, head[0].length);
  if (from === undefined) return undefined;
  const rest = text.slice(from.end).trim();
  const where = /^WHERE\b\s*([\s\S]*)$/i.exec(rest);
  if (rest !== "" && where === null) return undefined;
  const topic = from.topic === noTopic ? "" : from.topic;
  return { select: text.slice(head[0].length, from.start).trim(), where: where?.[1] ?? "", ...splitTopic(topic) };
}

/** The first `FROM "…"` outside of quoted text. */
function findFrom(text: string, after: number): { start: number; end: number; topic: string } | undefined {
  for (let at = after; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === "'" || sign === '"') {
      const close = text.indexOf(sign, at + 1);
      if (close < 0) return undefined;
      at = close;
      continue;
    }
    if (/[\w$]/.test(text[at - 1] ?? "")) continue;
    const match = /^FROM\s*"([^"]*)"/i.exec(text.slice(at));
    if (match !== null) return { start: at, end: at + match[0].length, topic: match[1] ?? "" };
  }
  return undefined;
}

export function joinTopic(productKey: string, shortTopic: string, topicType: 0 | 1 | 2): string {
  if (productKey === "" && shortTopic === "") return "";
  const tail = shortTopic.replace(/^\//, "");
  if (topicType === 2 && !tail.startsWith("as/mqtt/status/")) return `${statusPrefix}${productKey}/${tail}`;
  return topicType === 2 ? `/${tail}` : `/${productKey}/${tail}`;
}

export function splitTopic(topic: string): Pick<RuleParts, "productKey" | "shortTopic" | "topicType" | "topic"> {
  const isStatus = topic.startsWith(statusPrefix);
  const path = isStatus ? topic.slice(statusPrefix.length - 1) : topic.replace(/^\/sys(?=\/)/, "");
  const [, productKey = "", shortTopic = ""] = /^\/([^/]*)(?:\/(.*))?$/.exec(path) ?? [];
  if (isStatus) return { productKey, shortTopic, topicType: 2, topic };
  const isSystem = /^[^/]+\/(thing|ota|edge)\//.test(shortTopic);
  return { productKey, shortTopic, topicType: isSystem ? 0 : 1, topic };
}
