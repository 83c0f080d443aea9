/** Test doubles of the stores behind the room of things: maps, faithful as far as the API depends on them. */
import type {
  DesiredValue,
  StoredCall,
  StoredEvent,
  StoredModule,
  StoredValue,
  ThingHistory,
  ThingModelStore,
  TimeRange,
} from "../things/index.ts";

export function createInMemoryThingModels(): ThingModelStore {
  const drafts = new Map<string, Map<string, StoredModule>>();
  const versions = new Map<string, Parameters<ThingModelStore["insertVersion"]>[1][]>();
  const levels = new Map<string, "strong" | "weak" | "none">();
  const draftOf = (productKey: string) => {
    const known = drafts.get(productKey) ?? new Map<string, StoredModule>();
    drafts.set(productKey, known);
    return known;
  };
  return {
    loadDraft: async (productKey) => [...draftOf(productKey).values()],
    saveModule: async (productKey, module) => void draftOf(productKey).set(module.functionBlockId, module),
    deleteModule: async (productKey, functionBlockId) => draftOf(productKey).delete(functionBlockId),
    replaceDraft: async (productKey, modules) => void drafts.set(productKey, new Map(modules.map((one) => [one.functionBlockId, one]))),
    async insertVersion(productKey, version, versionsMax) {
      const known = versions.get(productKey) ?? [];
      if (known.some((one) => one.version === version.version)) return "duplicate";
      versions.set(productKey, [version, ...known].slice(0, versionsMax));
      return "ok";
    },
    listVersions: async (productKey) =>
      (versions.get(productKey) ?? []).map(({ version, description, createdAt }) => ({ version, description, createdAt })),
    loadVersion: async (productKey, version) => {
      const found = (versions.get(productKey) ?? []).find((one) => version === undefined || one.version === version);
      return found === undefined ? undefined : [...found.modules];
    },
    loadLevel: async (productKey) => levels.get(productKey),
    saveLevel: async (productKey, level) => void levels.set(productKey, level),
  };
}

interface DeviceHistory {
  values: (StoredValue & { identifier: string })[];
  current: Record<string, StoredValue>;
  events: Omit<StoredEvent, "name">[];
  calls: (Omit<StoredCall, "name"> & { sequence: number })[];
  desired: Record<string, DesiredValue>;
}

export function createInMemoryHistory(): ThingHistory {
  const devices = new Map<string, DeviceHistory>();
  let count = 0;
  const of = (iotId: string): DeviceHistory => {
    const known = devices.get(iotId) ?? { values: [], current: {}, events: [], calls: [], desired: {} };
    devices.set(iotId, known);
    return known;
  };

  function page<T extends { time: number }>(items: readonly T[], { from, to, isAscending = false, entriesMax, cursor }: TimeRange) {
    const sorted = items
      .filter(({ time }) => time >= from && time <= to)
      .sort((one, other) => (isAscending ? 1 : -1) * (one.time - other.time));
    const start = Number(cursor ?? 0);
    const more = start + entriesMax < sorted.length ? { cursor: String(start + entriesMax) } : {};
    return { items: sorted.slice(start, start + entriesMax), ...more };
  }

  return {
    open: async () => {},
    close: async () => {},
    admit: () => {},
    saveValue(iotId, identifier, value, time, isCurrent) {
      const device = of(iotId);
      device.values = device.values.filter((one) => one.identifier !== identifier || one.time !== time);
      device.values.push({ identifier, value, time });
      if (isCurrent && (device.current[identifier]?.time ?? 0) <= time) device.current[identifier] = { value, time };
    },
    saveEvent: (iotId, event) => void of(iotId).events.push(event),
    saveCall(iotId, call) {
      count += 1;
      of(iotId).calls.push({ ...call, sequence: count });
      return { time: call.time, sequence: count };
    },
    saveAnswer(iotId, { sequence }, answer) {
      Object.assign(of(iotId).calls.find((call) => call.sequence === sequence) ?? {}, answer);
    },
    committed: async () => {},
    async changeDesired(iotId, entries, time, isStrict) {
      const { desired } = of(iotId);
      const fits = ({ identifier, version }: (typeof entries)[number]) =>
        version === undefined || version === (desired[identifier]?.version ?? 0);
      const wrong = entries.find((entry) => !fits(entry));
      if (wrong !== undefined && isStrict)
        return { kind: "conflict", identifier: wrong.identifier, current: desired[wrong.identifier]?.version ?? 0 };
      const changed: Record<string, DesiredValue> = {};
      for (const { identifier, value } of entries.filter(fits)) {
        const version = desired[identifier]?.version ?? 0;
        const made = value === undefined ? { value: null, time, version } : { value, time, version: version + 1 };
        desired[identifier] = made;
        changed[identifier] = made;
      }
      return { kind: "ok", values: changed };
    },
    forgetDevice: async (iotId) => void devices.delete(iotId),
    currentValues: async (iotId) => of(iotId).current,
    desired: async (iotId) => Object.fromEntries(Object.entries(of(iotId).desired).filter(([, { value }]) => value !== null)),
    values: async (iotId, identifier, range) => {
      const found = page(
        of(iotId).values.filter((one) => one.identifier === identifier),
        range,
      );
      return { ...found, items: found.items.map(({ value, time }) => ({ value, time })) };
    },
    async aggregate(iotId, identifier, { from, to, bucketMilliseconds }) {
      const items = of(iotId).values.filter((one) => one.identifier === identifier && one.time >= from && one.time <= to);
      const sums = new Map<number, number[]>();
      for (const { value, time } of items) {
        const bucket = from + Math.floor((time - from) / bucketMilliseconds) * bucketMilliseconds;
        sums.set(bucket, [...(sums.get(bucket) ?? []), Number(value)]);
      }
      return [...sums].map(([time, values]) => ({
        time,
        value: values.reduce((sum, one) => sum + one, 0) / values.length,
        count: values.length,
      }));
    },
    events: async (iotId, { identifier, type }, range) =>
      page(
        of(iotId).events.filter((one) => (identifier ?? one.identifier) === one.identifier && (type ?? one.type) === one.type),
        range,
      ),
    calls: async (iotId, { identifier }, range) => {
      const found = page(
        of(iotId).calls.filter((one) => (identifier ?? one.identifier) === one.identifier),
        range,
      );
      return { ...found, items: found.items.map(({ sequence: _, ...call }) => call) };
    },
  };
}
