/** Keeps named shadows: all that is asked within one turn of the event loop is one commit. */
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { DeviceServicesLimits } from "./limits.ts";
import type { NamedShadowKey, NamedShadowRow, NamedShadowStep, NamedShadowStore, NamedShadows, NamedShadowView } from "./named-shadow.ts";
import { createRequestCounter } from "./request-counter.ts";

export interface NamedShadowsPorts {
  store: NamedShadowStore;
  clock: Pick<Clock, "now" | "soon">;
  limits: DeviceServicesLimits;
}

export interface NamedShadowKeeper extends NamedShadows {
  start(): Promise<void>;
  /** Forgets the versions of what was deleted long ago. */
  clean(): Promise<void>;
  /** Resolves when what was asked is done; what is asked later is refused. */
  close(): Promise<void>;
}

interface Asked {
  key: NamedShadowKey;
  /** Decides, and says how its caller is answered once that is on the disk. */
  decide(view: NamedShadowView): { step: NamedShadowStep<unknown>; settle: () => void };
  reject(error: unknown): void;
}

const hourMilliseconds = 3_600_000;
/** A row's names, numbers and places in indexes. */
const rowBytes = 128;

/** Names of things have no such character. */
const idOf = ({ thingName, shadowName }: NamedShadowKey): string => `${thingName}\n${shadowName}`;

export function createNamedShadows({ store, clock, limits }: NamedShadowsPorts): NamedShadowKeeper {
  const counter = createRequestCounter({ clock, perSecondMax: limits.namedShadowRequestsPerSecondMax, keysMax: limits.countedDevicesMax });
  let waiting: Asked[] = [];
  let isRunning = false;
  let isClosed = false;
  let totalBytes = 0;
  let idle: (() => void) | undefined;

  function isForgotten({ deletedAt }: NamedShadowRow): boolean {
    return deletedAt !== undefined && deletedAt < clock.now() - limits.namedShadowVersionHours * hourMilliseconds;
  }

  function viewOf(row: NamedShadowRow | undefined): NamedShadowView {
    if (row === undefined || isForgotten(row)) return { storedVersion: 0 };
    return row.deletedAt === undefined ? { shadow: row, storedVersion: row.version } : { storedVersion: row.version };
  }

  function rowAfter(key: NamedShadowKey, view: NamedShadowView, step: Exclude<NamedShadowStep<unknown>, { kind: "keep" }>): NamedShadowRow {
    const modifiedAt = clock.now();
    const { thingName, shadowName } = key;
    if (step.kind === "delete") {
      return {
        thingName,
        shadowName,
        state: "",
        metadata: "",
        version: view.storedVersion,
        modifiedAt,
        deletedAt: modifiedAt,
        bytes: rowBytes,
      };
    }
    const { state, metadata } = step.content;
    const bytes = rowBytes + Buffer.byteLength(state) + Buffer.byteLength(metadata);
    return { thingName, shadowName, state, metadata, version: view.storedVersion + 1, modifiedAt, bytes };
  }

  /** What one commit is made of: the rows as they will be, and what that costs. */
  function createBatch(loaded: readonly NamedShadowRow[]) {
    const rows = new Map(loaded.map((row) => [idOf(row), row]));
    const changed = new Map<string, NamedShadowRow>();
    const counts = new Map<string, number>();
    let addedBytes = 0;

    async function countOf(thingName: string): Promise<number> {
      return counts.get(thingName) ?? (await store.count(thingName));
    }

    async function put(row: NamedShadowRow, isNew: boolean): Promise<void> {
      const id = idOf(row);
      const grows = row.bytes - (rows.get(id)?.bytes ?? 0);
      if (grows > 0 && totalBytes + addedBytes + grows > limits.namedShadowBytesMax) {
        throw new PlatformError("device_services.named_shadow_storage_full", { expected: limits.namedShadowBytesMax });
      }
      if (isNew || row.deletedAt !== undefined) {
        const count = await countOf(row.thingName);
        if (isNew && count >= limits.namedShadowsPerThingMax) {
          throw new PlatformError("device_services.named_shadow_too_many", {
            thingName: row.thingName,
            expected: limits.namedShadowsPerThingMax,
          });
        }
        counts.set(row.thingName, count + (isNew ? 1 : -1));
      }
      addedBytes += grows;
      rows.set(id, row);
      changed.set(id, row);
    }

    return {
      async decide({ key, decide }: Asked): Promise<() => void> {
        const view = viewOf(rows.get(idOf(key)));
        const { step, settle } = decide(view);
        if (step.kind === "save" || (step.kind === "delete" && view.shadow !== undefined)) {
          await put(rowAfter(key, view, step), view.shadow === undefined);
        }
        return settle;
      },
      async commit(): Promise<void> {
        if (changed.size > 0) await store.save([...changed.values()]);
        totalBytes += addedBytes;
      },
    };
  }

  async function run(asked: readonly Asked[]): Promise<void> {
    const keys = new Map(asked.map(({ key }) => [idOf(key), key]));
    const settles: (() => void)[] = [];
    const decided: Asked[] = [];
    try {
      const batch = createBatch(await store.load([...keys.values()]));
      for (const each of asked) {
        try {
          settles.push(await batch.decide(each));
          decided.push(each);
        } catch (error) {
          each.reject(error);
        }
      }
      await batch.commit();
    } catch (error) {
      // Nothing of it is on the disk, and even who only asked may have seen what is not.
      for (const { reject } of settles.length === 0 ? asked : decided) reject(error);
      return;
    }
    for (const settle of settles) settle();
  }

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, limits.namedShadowsPerCommitMax);
      waiting = waiting.slice(batch.length);
      await run(batch);
    }
    isRunning = false;
    idle?.();
  }

  function add(asked: Asked): void {
    waiting.push(asked);
    if (isRunning) return;
    isRunning = true;
    // Whatever comes from other connections in this turn goes along.
    clock.soon(() => void work());
  }

  return {
    take<T>(key: NamedShadowKey, step: (view: NamedShadowView) => NamedShadowStep<T>): Promise<T> {
      if (isClosed || waiting.length >= limits.namedShadowRequestsWaitingMax) {
        return Promise.reject(new PlatformError("device_services.named_shadow_busy", { expected: limits.namedShadowRequestsWaitingMax }));
      }
      if (!counter.admit(key.thingName)) {
        return Promise.reject(
          new PlatformError("device_services.named_shadow_throttled", {
            thingName: key.thingName,
            expected: limits.namedShadowRequestsPerSecondMax,
          }),
        );
      }
      return new Promise<T>((resolve, reject) => {
        add({
          key,
          reject,
          decide(view) {
            const decision = step(view);
            return { step: decision, settle: () => resolve(decision.answer) };
          },
        });
      });
    },

    names: (thingName, page) => store.names(thingName, page),

    async peek(keys) {
      const rows = keys.length === 0 ? [] : await store.load(keys);
      return rows.filter(({ deletedAt }) => deletedAt === undefined);
    },

    async start() {
      totalBytes = await store.totalBytes();
    },

    async clean() {
      totalBytes -= await store.forgetDeleted(clock.now() - limits.namedShadowVersionHours * hourMilliseconds);
    },

    async close() {
      isClosed = true;
      if (!isRunning) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      idle = resolve;
      await promise;
    },
  };
}
