/** What the room of things asks of the store. */
import type { ValidationLevel } from "@thingstead/thing-model";
import type { AggregateFunction, DesiredValue, ModelVersion, StoredCall, StoredEvent, StoredValue, TimePage, TimeRange } from "./things.ts";

/** A module as it is stored: TSL text. `functionBlockId` is empty for the default module. */
export interface StoredModule {
  functionBlockId: string;
  tsl: string;
}

/** Thing models at rest. Everything of a product goes with the product. */
export interface ThingModelStore {
  loadDraft(productKey: string): Promise<StoredModule[]>;
  saveModule(productKey: string, module: StoredModule): Promise<void>;
  /** False when there was none. */
  deleteModule(productKey: string, functionBlockId: string): Promise<boolean>;
  replaceDraft(productKey: string, modules: readonly StoredModule[]): Promise<void>;
  /** Keeps the newest `versionsMax`. */
  insertVersion(
    productKey: string,
    version: ModelVersion & { modules: readonly StoredModule[] },
    versionsMax: number,
  ): Promise<"ok" | "duplicate">;
  /** Newest first. */
  listVersions(productKey: string): Promise<ModelVersion[]>;
  /** `version` absent: the newest. */
  loadVersion(productKey: string, version?: string): Promise<StoredModule[] | undefined>;
  loadLevel(productKey: string): Promise<ValidationLevel | undefined>;
  saveLevel(productKey: string, level: ValidationLevel): Promise<void>;
}

/** A service call as it is written; `sequence` is the history's own number of it. */
export interface CallRecord {
  identifier: string;
  time: number;
  input: unknown;
}

export interface CallAnswer {
  answeredAt: number;
  code: number;
  output: unknown;
}

/** Where a call lies, to add its answer later. */
export interface CallSlot {
  time: number;
  sequence: number;
}

export interface DesiredEntry {
  identifier: string;
  /** Undefined clears. */
  value?: unknown;
  /** The version that must be the current one. */
  version?: number;
}

export type DesiredOutcome =
  | { kind: "ok"; values: Readonly<Record<string, DesiredValue>> }
  /** Nothing was changed. `current` is 0 when the value was never set. */
  | { kind: "conflict"; identifier: string; current: number };

/**
 * What devices reported, were asked and should be. `save…` only collects; what was collected in one turn is one commit, and
 * `committed` resolves after it. Devices are told apart by their iotId.
 */
export interface ThingHistory {
  open(): Promise<void>;
  close(): Promise<void>;
  /** Throws `things.history_busy` when so much waits for the disk that nothing more may be saved. */
  admit(): void;
  /** The current value changes when `isCurrent` and none newer is known. Of two values of one time the later one stays. */
  saveValue(iotId: string, identifier: string, value: unknown, time: number, isCurrent: boolean): void;
  saveEvent(iotId: string, event: { identifier: string; type: string; time: number; value: unknown }): void;
  saveCall(iotId: string, call: CallRecord): CallSlot;
  saveAnswer(iotId: string, slot: CallSlot, answer: CallAnswer): void;
  /** Resolves when everything saved so far is on the disk; one promise for all who ask in one turn. */
  committed(): Promise<void>;
  /** `isStrict`: a wrong version refuses everything; otherwise such an entry is left alone. */
  changeDesired(iotId: string, entries: readonly DesiredEntry[], time: number, isStrict: boolean): Promise<DesiredOutcome>;
  /** At once out of sight; the rows go later, a few at a time. */
  forgetDevice(iotId: string): Promise<void>;

  currentValues(iotId: string): Promise<Record<string, StoredValue>>;
  desired(iotId: string): Promise<Record<string, DesiredValue>>;
  values(iotId: string, identifier: string, range: TimeRange): Promise<TimePage<StoredValue>>;
  /** Buckets begin at `from`. */
  aggregate(
    iotId: string,
    identifier: string,
    query: { from: number; to: number; bucketMilliseconds: number; function: AggregateFunction },
  ): Promise<{ time: number; value: unknown; count: number }[]>;
  events(iotId: string, filter: { identifier?: string; type?: string }, range: TimeRange): Promise<TimePage<Omit<StoredEvent, "name">>>;
  calls(iotId: string, filter: { identifier?: string }, range: TimeRange): Promise<TimePage<Omit<StoredCall, "name">>>;
}
