/**
 * What a generic client may do on topics, from its list of rights.
 *
 * Topics that begin with a slash are where devices and their system topics live (`/sys/…`, `/${productKey}/…`). A right to
 * publish reaches them only when it spells out the first name: a wildcard at the front must not let a client speak as a
 * device by accident. `$SYS` is written by the server alone.
 */
import type { ClientNames, DialectRefusal, Operation, TopicDecision, TopicRight, TopicRights } from "../dialect.ts";

const everything = "any topic but $SYS/#";

export const anonymousRights: TopicRights = {
  publish: (topic) => (isServerOwned(topic) ? serverOwned(topic) : { kind: "allowed", topic }),
  subscribe: (filter) => ({ kind: "allowed", topic: filter }),
};

interface CompiledRight {
  levels: readonly string[];
  operation: Operation;
}

/** A right whose `%u` or `%c` would be filled with a name that holds a separator or a wildcard reaches nothing. */
export function compileRights(names: Required<ClientNames>, rights: readonly TopicRight[]): TopicRights {
  const compiled: CompiledRight[] = [];
  for (const { filter, operation } of rights) {
    const levels = filter.split("/").map((level) => fill(level, names));
    if (levels.every((level) => level !== undefined)) compiled.push({ levels, operation });
  }
  const expected = rights.map(({ filter, operation }) => `${operation} ${filter}`).join(", ") || "no right at all";

  return {
    publish(topic) {
      if (isServerOwned(topic)) return serverOwned(topic);
      const levels = topic.split("/");
      const isAllowed = compiled.some(
        (right) => right.operation !== "SUB" && spellsOut(right.levels, levels) && covers(right.levels, levels),
      );
      return isAllowed ? { kind: "allowed", topic } : refused(topic, expected);
    },
    subscribe(filter): TopicDecision {
      const levels = filter.split("/");
      const isAllowed = compiled.some((right) => right.operation !== "PUB" && covers(right.levels, levels));
      return isAllowed ? { kind: "allowed", topic: filter } : refused(filter, expected);
    },
  };
}

/** `%u` and `%c` stand for themselves within a level; wildcards as in any filter. */
export function isTopicRightFilterValid(filter: string): boolean {
  if (filter === "" || filter.includes("\0")) return false;
  const levels = filter.split("/");
  return levels.every((level, index) => {
    if (level === "#") return index === levels.length - 1;
    return level === "+" || !/[+#]/.test(level);
  });
}

function fill(level: string, names: Required<ClientNames>): string | undefined {
  let isSafe = true;
  const text = level.replace(/%[uc]/g, (mark) => {
    const name = mark === "%u" ? names.userName : names.clientId;
    if (name === "" || /[/+#]/.test(name)) isSafe = false;
    return name;
  });
  return isSafe ? text : undefined;
}

function isServerOwned(topic: string): boolean {
  return topic === "$SYS" || topic.startsWith("$SYS/");
}

/** A topic of the devices' name space is reached by naming its root only. */
function spellsOut(right: readonly string[], topic: readonly string[]): boolean {
  if (topic[0] !== "") return true;
  const root = right[1];
  return right[0] === "" && root !== undefined && root !== "+" && root !== "#";
}

/** Whether every topic that `filter` matches is matched by `right`. A topic is a filter without wildcards. */
function covers(right: readonly string[], filter: readonly string[]): boolean {
  for (let index = 0; ; index += 1) {
    const allowed = right[index];
    const wanted = filter[index];
    // "a/#" also reaches "a" itself.
    if (allowed === "#") return index > 0 || isOrdinary(filter[0]);
    if (wanted === undefined) return allowed === undefined;
    if (allowed === undefined || wanted === "#") return false;
    if (allowed === "+") {
      if (index === 0 && !isOrdinary(wanted)) return false;
      continue;
    }
    if (allowed !== wanted) return false;
  }
}

/** [MQTT-4.7.2-1] A wildcard at the front does not reach topics that begin with $. */
function isOrdinary(level: string | undefined): boolean {
  return level?.startsWith("$") !== true;
}

function serverOwned(topic: string): DialectRefusal {
  return { kind: "refused", code: "access.topic_server_owned", received: shown(topic), expected: everything };
}

function refused(topic: string, expected: string): DialectRefusal {
  return { kind: "refused", code: "access.topic_not_granted", received: shown(topic), expected };
}

function shown(topic: string): string {
  return topic.slice(0, 256);
}
