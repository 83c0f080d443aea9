/**
 * What devices are (thing models), what they report, and what they are asked to do. Knows no cloud's words: a binding
 * translates payloads and topics into these calls and back.
 */
import type {
  EventCheck,
  ParameterCheck,
  PropertyCheck,
  RecordsCheck,
  ThingModel,
  ValidationLevel,
  Validator,
} from "@thingstead/thing-model";

export interface DeviceRef {
  productKey: string;
  deviceName: string;
  iotId: string;
}

export interface ModelVersion {
  version: string;
  description: string;
  createdAt: number;
}

/** Thing models by product: one draft, published versions (the newest `modelVersionsMax` are kept), modules each. */
export interface ThingModels {
  /** Modules of the draft, the default one first; empty for a product without a model. */
  draft(productKey: string): Promise<readonly ThingModel[]>;
  /** Replaces one module of the draft: the default one, or the custom one that `functionBlockId` names. `things.model_invalid` tells every problem. */
  saveModule(productKey: string, model: ThingModel): Promise<void>;
  deleteModule(productKey: string, functionBlockId: string): Promise<void>;
  /** Makes the draft the model that messages are checked against. `version` absent = milliseconds since the epoch. */
  publish(productKey: string, options: { version?: string; description?: string }): Promise<ModelVersion>;
  versions(productKey: string): Promise<readonly ModelVersion[]>;
  /** Modules of a published version (absent = newest); empty when nothing was published. */
  published(productKey: string, version?: string): Promise<readonly ThingModel[]>;
  /** The newest published modules become the draft of another product. */
  copy(sourceProductKey: string, targetProductKey: string, version?: string): Promise<void>;
  validationLevel(productKey: string): Promise<ValidationLevel>;
  setValidationLevel(productKey: string, level: ValidationLevel): Promise<void>;
  /** Of the newest published version; undefined when there is none. From memory when possible. */
  validatorOf(productKey: string): Promise<Validator | undefined>;
  /** The same without waiting; undefined also when it is not in memory yet. */
  peekValidator(productKey: string): Validator | undefined;
  /** A model was published, copied or its level changed. */
  onChange(listener: (productKey: string) => void): void;
}

/** One value as it is stored: `time` in milliseconds since the epoch. */
export interface StoredValue {
  value: unknown;
  time: number;
}

export interface StoredEvent extends StoredValue {
  identifier: string;
  /** `info`, `alert` or `error` by the model. */
  type: string;
  name: string;
}

export interface StoredCall {
  identifier: string;
  name: string;
  /** When the platform sent it, and when the device answered. */
  time: number;
  answeredAt?: number;
  input: unknown;
  output?: unknown;
  /** The device's code; absent while it has not answered. */
  code?: number;
}

export interface DesiredValue extends StoredValue {
  /** 1 at the first set, +1 at each further one. */
  version: number;
}

export interface TimeRange {
  /** Milliseconds since the epoch, both included. */
  from: number;
  to: number;
  isAscending?: boolean;
  entriesMax: number;
  /** Opaque; from an earlier answer. */
  cursor?: string;
}

export interface TimePage<T> {
  items: T[];
  /** Present when there is more. */
  cursor?: string;
}

export type AggregateFunction = "count" | "sum" | "average" | "minimum" | "maximum" | "first" | "last";

/** `P` in answers: what did not fit the model is told, kept apart and never lost. */
export type PropertyReport = PropertyCheck;
export type EventReport = EventCheck;
export type RecordsReport = RecordsCheck;

/** Something was reported and stored; told after the commit, for the console and whoever listens. */
export type ThingChange =
  | { kind: "properties"; device: DeviceRef; items: Readonly<Record<string, StoredValue>>; receivedAt: number }
  | { kind: "event"; device: DeviceRef; identifier: string; value: unknown; time: number }
  | { kind: "desired"; device: DeviceRef; values: Readonly<Record<string, DesiredValue>> };

/** How calls reach a device; a binding is behind it. Rejects with PlatformError `things.device_offline`, `things.call_timeout`. */
export interface ThingDownlink {
  /** Fire and forget: the device may answer later under `id`. */
  setProperties(device: DeviceRef, request: { id: string; values: Readonly<Record<string, unknown>> }): Promise<void>;
  /** Asynchronous service. */
  callService(device: DeviceRef, request: { id: string; identifier: string; input: unknown }): Promise<void>;
  /** Synchronous service: waits for the answer. */
  callServiceAndWait(
    device: DeviceRef,
    request: { id: string; identifier: string; input: unknown; timeoutMilliseconds: number },
  ): Promise<{ code: number; message?: string; output: unknown }>;
  /** What was sent so far survives a crash, as far as the device's session lasts. Absent: nothing sent outlives the process. */
  committed?(): Promise<void>;
}

export interface Things {
  models: ThingModels;

  // What devices report. Each resolves when it is stored durably (at once where nothing is stored).
  /** `params` as on the wire of any shape: a map of identifier to bare value or `{value,time}`. History by `time`; the current value is the one with the greatest `time`. */
  reportProperties(device: DeviceRef, params: unknown, receivedAt: number): Promise<PropertyReport>;
  reportEvent(device: DeviceRef, identifier: string, params: unknown, receivedAt: number): Promise<EventReport>;
  /** `{properties, events}` of a batch or of one device of a pack. `isHistory`: current values stay as they are. */
  reportRecords(device: DeviceRef, part: unknown, receivedAt: number, options: { isHistory: boolean }): Promise<RecordsReport>;
  /** All devices of a pack or none: any failing check stores nothing and `isStored` is false. */
  reportPack(
    parts: readonly { device: DeviceRef; part: unknown }[],
    receivedAt: number,
  ): Promise<{ isStored: boolean; reports: RecordsReport[] }>;

  // What programs ask of devices. Throw `things.no_model`, `things.value_invalid` (path, received, expected), `things.device_offline`, …
  setProperties(device: DeviceRef, values: unknown): Promise<{ id: string }>;
  /** Sync or async by the model; a sync call resolves with the device's answer. */
  callService(
    device: DeviceRef,
    identifier: string,
    input: unknown,
    options?: { timeoutMilliseconds?: number },
  ): Promise<{ id: string; output?: unknown; code?: number }>;
  /** The device's later answer to `setProperties` or an asynchronous service. Undefined for an id that nobody waits for. */
  answered(device: DeviceRef, id: string, answer: { code: number; message?: string; output: unknown }): Promise<ParameterCheck | undefined>;

  // Desired values.
  desired(device: DeviceRef, identifiers?: readonly string[]): Promise<Readonly<Record<string, DesiredValue>>>;
  /** Also sends `setProperties` to an online device. A given version must be the current one: else `things.desired_version`. A value null clears. */
  setDesired(device: DeviceRef, values: unknown, versions?: Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>>;
  /** The device's own clearing: entries whose version is not the current one are left alone, silently. */
  clearDesired(device: DeviceRef, entries: Readonly<Record<string, { version?: number }>>): Promise<void>;

  // Reading.
  currentValues(device: DeviceRef): Promise<Readonly<Record<string, StoredValue>>>;
  propertyHistory(device: DeviceRef, identifier: string, range: TimeRange): Promise<TimePage<StoredValue>>;
  /** Buckets of `bucketMilliseconds`, empty ones left out; numbers only except count, first, last. */
  aggregate(
    device: DeviceRef,
    identifier: string,
    query: { from: number; to: number; bucketMilliseconds: number; function: AggregateFunction },
  ): Promise<{ time: number; value: unknown; count: number }[]>;
  eventHistory(device: DeviceRef, filter: { identifier?: string; type?: string }, range: TimeRange): Promise<TimePage<StoredEvent>>;
  serviceHistory(device: DeviceRef, filter: { identifier?: string }, range: TimeRange): Promise<TimePage<StoredCall>>;

  onChange(listener: (change: ThingChange) => void): void;
  /** Everything of a device goes: history, desired values, calls. */
  forgetDevice(device: DeviceRef): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}
