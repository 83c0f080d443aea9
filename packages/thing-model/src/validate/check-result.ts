/** What a validator answers, in the words of the messages that rules and subscribers see [alibaba-server 2.6]. */
import type { ThingModelProblem } from "../errors.ts";

/** A value as it is stored and forwarded. */
export interface TimedValue {
  readonly value: unknown;
  /** Milliseconds since 1970 UTC: the device's own time, or when its message came. */
  readonly time: number;
}

/** A value that does not fit the model. It is forwarded in `checkFailedData`, never dropped without a word. */
export interface FailedParameter {
  readonly value: unknown;
  /** The vendor's code [alibaba-device 5.11]. */
  readonly code: number;
  /** The vendor's text, `tsl parse: params not exist -> attribute_8`. */
  readonly message: string;
}

export interface FailedValue extends FailedParameter {
  readonly time: number;
}

/** The message as a whole cannot be taken: wrong shape, too much, or about nothing in the model. */
export interface MessageRefusal {
  /** The vendor's code for the reply [alibaba-device 5.11]. */
  readonly code: number;
  readonly message: string;
  readonly problem: ThingModelProblem;
}

interface CheckResult {
  readonly refusal?: MessageRefusal;
  /** Why something failed: path, what came, what was expected. Texts by `formatProblem`. */
  readonly problems: readonly ThingModelProblem[];
}

export interface PropertyCheck extends CheckResult {
  readonly items: Readonly<Record<string, TimedValue>>;
  readonly checkFailedData: Readonly<Record<string, FailedValue>>;
}

/** Plain values: a property set, a service's input or its output. */
export interface ParameterCheck extends CheckResult {
  readonly values: Readonly<Record<string, unknown>>;
  readonly checkFailedData: Readonly<Record<string, FailedParameter>>;
}

export interface EventCheck extends CheckResult {
  readonly time: number;
  readonly value: Readonly<Record<string, unknown>>;
  /** Empty, or all parameters that failed with the code and text of the first. */
  readonly checkFailedData: Partial<FailedParameter>;
}

export interface PropertyRecord extends TimedValue {
  readonly identifier: string;
}

export interface EventRecord {
  readonly identifier: string;
  readonly time: number;
  readonly value: Readonly<Record<string, unknown>>;
  readonly checkFailedData: Partial<FailedParameter>;
}

export interface FailedRecord extends FailedValue {
  readonly kind: "property" | "event";
  readonly identifier: string;
}

/** Many values of one device: a batch, one device's part of a pack, or one entry of a history. In the order they came. */
export interface RecordsCheck extends CheckResult {
  readonly properties: readonly PropertyRecord[];
  readonly events: readonly EventRecord[];
  readonly failed: readonly FailedRecord[];
}
