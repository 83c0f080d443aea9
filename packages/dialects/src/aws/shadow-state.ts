/** What is done to a shadow's state and to the times beside it (AWS reference, 11.2). Pure; times are seconds. */
import { isSameValue, isShadowNode, type ShadowNode } from "./shadow-json.ts";

/** Values, and in their shape `{ timestamp }` in place of each. */
export interface TimedNode {
  readonly values: ShadowNode;
  readonly times: ShadowNode;
}

export const emptyNode: TimedNode = { values: {}, times: {} };

function memberOf(node: ShadowNode, name: string): unknown {
  return Object.hasOwn(node, name) ? node[name] : undefined;
}

function nodeOf(value: unknown): ShadowNode {
  return isShadowNode(value) ? value : {};
}

/** `{ timestamp }` for each value; elements of arrays have their own, nulls have none. */
export function timesOf(value: unknown, atSeconds: number): unknown {
  if (Array.isArray(value)) return value.map((each) => timesOf(each, atSeconds));
  if (!isShadowNode(value)) return { timestamp: atSeconds };
  const set = Object.entries(value).filter(([, each]) => each !== null);
  return Object.fromEntries(set.map(([name, each]) => [name, timesOf(each, atSeconds)]));
}

/** Objects are merged, arrays and plain values replaced, null forgets. */
export function mergeState(before: TimedNode, patch: ShadowNode, atSeconds: number): TimedNode {
  const values = new Map(Object.entries(before.values));
  const times = new Map(Object.entries(before.times));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) {
      values.delete(name);
      times.delete(name);
    } else if (isShadowNode(value)) {
      const known = memberOf(before.values, name);
      const inner = isShadowNode(known) ? { values: known, times: nodeOf(memberOf(before.times, name)) } : emptyNode;
      const merged = mergeState(inner, value, atSeconds);
      values.set(name, merged.values);
      times.set(name, merged.times);
    } else {
      values.set(name, value);
      times.set(name, timesOf(value, atSeconds));
    }
  }
  return { values: Object.fromEntries(values), times: Object.fromEntries(times) };
}

/** What of `desired` is missing in `reported` or is something else there, with the times of `desired`; undefined: nothing. */
export function deltaOf(desired: TimedNode, reported: ShadowNode): TimedNode | undefined {
  const values: [string, unknown][] = [];
  const times: [string, unknown][] = [];
  for (const [name, wanted] of Object.entries(desired.values)) {
    const had = memberOf(reported, name);
    const wantedTimes = memberOf(desired.times, name);
    if (isShadowNode(wanted) && isShadowNode(had)) {
      const inner = deltaOf({ values: wanted, times: nodeOf(wantedTimes) }, had);
      if (inner === undefined) continue;
      values.push([name, inner.values]);
      times.push([name, inner.times]);
    } else if (!isSameValue(wanted, had)) {
      values.push([name, wanted]);
      times.push([name, wantedTimes]);
    }
  }
  return values.length === 0 ? undefined : { values: Object.fromEntries(values), times: Object.fromEntries(times) };
}
