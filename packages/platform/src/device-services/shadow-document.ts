/** What is done to the document of a shadow. Pure; times are seconds. */
export type ShadowValues = Readonly<Record<string, unknown>>;

export interface ShadowDocument {
  reported: ShadowValues;
  desired: ShadowValues;
  /** The shape of the values, with `{ timestamp }` in place of each. */
  reportedTimes: ShadowValues;
  desiredTimes: ShadowValues;
  version: number;
  /** Seconds since the epoch. */
  modifiedAt: number;
}

export const emptyShadow: ShadowDocument = { reported: {}, desired: {}, reportedTimes: {}, desiredTimes: {}, version: 0, modifiedAt: 0 };

interface TimedValues {
  values: ShadowValues;
  times: ShadowValues;
}

function isValues(value: unknown): value is ShadowValues {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const inside = (values: ShadowValues, name: string): ShadowValues => {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  return isValues(value) ? value : {};
};

/** Objects are merged, arrays and plain values replaced, null forgets. Names are the device's own: `__proto__` is one like others. */
export function mergeValues(before: TimedValues, patch: ShadowValues, nowSeconds: number): TimedValues {
  const values = new Map(Object.entries(before.values));
  const times = new Map(Object.entries(before.times));
  // After a clearing the whole has a time of its own: a number, where an attribute of that name has an object.
  if (typeof times.get("timestamp") === "number") times.delete("timestamp");
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) {
      values.delete(name);
      times.delete(name);
    } else if (isValues(value)) {
      const known = isValues(values.get(name));
      const merged = mergeValues(
        { values: known ? inside(before.values, name) : {}, times: known ? inside(before.times, name) : {} },
        value,
        nowSeconds,
      );
      values.set(name, merged.values);
      times.set(name, merged.times);
    } else {
      values.set(name, value);
      times.set(name, { timestamp: nowSeconds });
    }
  }
  return { values: Object.fromEntries(values), times: Object.fromEntries(times) };
}

/** Nulls say what goes; nothing else of `wanted` counts. Objects that become empty go, too. */
export function deleteValues(before: TimedValues, wanted: ShadowValues): TimedValues {
  const values = new Map(Object.entries(before.values));
  const times = new Map(Object.entries(before.times));
  for (const [name, value] of Object.entries(wanted)) {
    if (value === null) {
      values.delete(name);
      times.delete(name);
    } else if (isValues(value) && isValues(values.get(name))) {
      const left = deleteValues({ values: inside(before.values, name), times: inside(before.times, name) }, value);
      if (Object.keys(left.values).length === 0) {
        values.delete(name);
        times.delete(name);
      } else {
        values.set(name, left.values);
        times.set(name, left.times);
      }
    }
  }
  return { values: Object.fromEntries(values), times: Object.fromEntries(times) };
}

/** Values that are no objects, wherever they are. */
export function countAttributes(values: ShadowValues): number {
  return Object.values(values).reduce<number>((sum, value) => sum + (isValues(value) ? Math.max(1, countAttributes(value)) : 1), 0);
}

/** 1 for plain values, one more for each object or array around. Stops counting at `depthMax` + 1. */
export function depthOf(value: unknown, depthMax: number): number {
  if (depthMax < 0 || typeof value !== "object" || value === null) return 0;
  let deepest = 0;
  for (const inner of Object.values(value)) deepest = Math.max(deepest, depthOf(inner, depthMax - 1));
  return deepest + 1;
}
