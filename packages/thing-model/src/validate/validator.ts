/** Checks what devices and programs send against a thing model. */
import type { ThingModelProblem } from "../errors.ts";
import { defaultValidatorLimits, type ValidatorLimits } from "../limits.ts";
import { setMember, type ThingModel } from "../model.ts";
import { checkRecords } from "./check-records.ts";
import type { EventCheck, FailedParameter, FailedValue, ParameterCheck, PropertyCheck, RecordsCheck, TimedValue } from "./check-result.ts";
import { type CompiledParameters, compileModel } from "./compile-model.ts";
import { isMembers, refusalOf, refuseCount, refuseParams, unwrap } from "./message-shape.ts";
import { problemOf, type Refusal, type RefusalKind, refuse, vendorMessage, within } from "./refusal.ts";

/**
 * How much is checked [alibaba-device 5.10]. `strong`: everything. `weak`: identifiers and types, not ranges, lengths, counts or required
 * parameters. `none`: nothing, values pass as they are.
 */
export type ValidationLevel = "strong" | "weak" | "none";

export interface ValidatorOptions {
  /** Default `weak`, as for the vendor's products since October 2020. */
  readonly level?: ValidationLevel;
  /** Numbers must lie on their step. Default false: the vendor's cloud does not check it. Only with `strong`. */
  readonly isStepEnforced?: boolean;
  readonly limits?: Partial<ValidatorLimits>;
}

/** A model compiled to closures. Every method takes what the wire brought, of any shape, and never throws. */
export interface Validator {
  readonly level: ValidationLevel;
  /** `params` of `thing.event.property.post`; each value bare or `{value,time}` [alibaba-device 5.2]. */
  checkPropertyReport(params: unknown, receivedMilliseconds: number): PropertyCheck;
  /** `params` of `thing.service.property.set`: plain values of writable properties [alibaba-device 5.3]. */
  checkPropertySet(params: unknown): ParameterCheck;
  /** `params` of `thing.event.<identifier>.post`, `{value,time}` or the bare parameters [alibaba-device 5.5]. */
  checkEvent(identifier: string, params: unknown, receivedMilliseconds: number): EventCheck;
  /** `params` of a service call [alibaba-device 5.6]. */
  checkServiceInput(identifier: string, params: unknown): ParameterCheck;
  /** `data` of a service's reply [alibaba-device 5.6]. */
  checkServiceOutput(identifier: string, data: unknown): ParameterCheck;
  /**
   * `{properties, events}` of a batch, of one device in a pack or of one entry of a history [alibaba-device 5.8]: maps or lists of maps, with
   * one value or a list of values for each identifier.
   */
  checkRecords(part: unknown, receivedMilliseconds: number): RecordsCheck;
}

/** How the vendor tells of a property that the model lacks: 6304 by the older, strong check, 5092 as weakly checked products report it. */
const unknownProperty: Readonly<Record<"strong" | "weak", RefusalKind>> = {
  strong: { code: "thing_model.property_unknown", alibaba: 6304, words: "params not exist", expected: "" },
  weak: { code: "thing_model.property_unknown", alibaba: 5092, words: "property not found", expected: "" },
};
const notWritable: RefusalKind = { code: "thing_model.property_read_only", alibaba: 6304, words: "params not exist", expected: "rw" };
const unknownParameter: RefusalKind = { code: "thing_model.parameter_unknown", alibaba: 6304, words: "params not exist", expected: "" };
const unknownEvent: RefusalKind = { code: "thing_model.event_unknown", alibaba: 5160, words: "event not exist", expected: "" };
const unknownService: RefusalKind = { code: "thing_model.service_unknown", alibaba: 6206, words: "service not exist", expected: "" };

const noProblems: readonly ThingModelProblem[] = [];

/**
 * Compiles a product's model: one module, or the default module and its custom ones, whose functions are then found as `module:identifier`.
 *
 * @example
 * const validator = createValidator(model, { level: "strong" });
 * const { items, checkFailedData } = validator.checkPropertyReport({ LightSwitch: 1, Level: "15" }, clock.now());
 * // items = { LightSwitch: { value: 1, time: … } }
 * // checkFailedData = { Level: { value: "15", time: …, code: 6306, message: "tsl parse: data type is not int -> Level" } }
 */
export function createValidator(model: ThingModel | readonly ThingModel[], options: ValidatorOptions = {}): Validator {
  const level = options.level ?? "weak";
  const isUnchecked = level === "none";
  const limits: ValidatorLimits = { ...defaultValidatorLimits, ...options.limits };
  const modules = "properties" in model ? [model] : model;
  const isStrong = level === "strong";
  const compiled = compileModel(modules, { isStrong, isStepEnforced: options.isStepEnforced === true });
  const unknownKind = unknownProperty[isStrong ? "strong" : "weak"];

  const checkProperty = (identifier: string, value: unknown): Refusal | undefined => {
    if (isUnchecked) return undefined;
    const property = compiled.properties.get(identifier);
    const refusal = property === undefined ? refuse(unknownKind, value) : property.check(value);
    return refusal === undefined ? undefined : within(refusal, identifier);
  };

  const checkPropertyReport = (params: unknown, receivedMilliseconds: number): PropertyCheck => {
    const items: Record<string, TimedValue> = {};
    const checkFailedData: Record<string, FailedValue> = {};
    if (!isMembers(params)) return { refusal: refuseParams(params), items, checkFailedData, problems: noProblems };
    const names = Object.keys(params);
    if (names.length > limits.propertiesMax) {
      const refusal = refuseCount(6106, "params", names.length, limits.propertiesMax);
      return { refusal, items, checkFailedData, problems: noProblems };
    }
    let problems: ThingModelProblem[] | undefined;
    for (const name of names) {
      const { value, time, timeRefusal } = unwrap(params[name], receivedMilliseconds);
      const refusal = checkProperty(name, value) ?? (timeRefusal === undefined ? undefined : within(timeRefusal, name));
      if (refusal === undefined) {
        setMember(items, name, { value, time });
        continue;
      }
      setMember(checkFailedData, name, { value, time, code: refusal.kind.alibaba, message: vendorMessage(refusal) });
      problems ??= [];
      problems.push(problemOf(refusal));
    }
    return { items, checkFailedData, problems: problems ?? noProblems };
  };

  const checkWritable = (identifier: string, value: unknown): Refusal | undefined => {
    const isReadOnly = !isUnchecked && compiled.properties.get(identifier)?.isWritable === false;
    return isReadOnly ? within(refuse(notWritable, value), identifier) : checkProperty(identifier, value);
  };

  const checkService = (identifier: string, params: unknown, side: "input" | "output"): ParameterCheck => {
    if (isUnchecked) return checkParameters(params, { check: () => undefined });
    const parameters = compiled.services.get(identifier)?.[side];
    if (parameters === undefined)
      return {
        refusal: refusalOf(within(refuse(unknownService, undefined), identifier)),
        values: {},
        checkFailedData: {},
        problems: noProblems,
      };
    const missing = side === "input" && isStrong ? missingOf(parameters, params) : [];
    return checkParameters(params, { check: (name, value) => checkParameter(parameters, name, value), missing });
  };

  const checkEvent = (identifier: string, params: unknown, receivedMilliseconds: number): EventCheck => {
    const nothing = { time: receivedMilliseconds, value: {}, checkFailedData: {}, problems: noProblems };
    if (!isMembers(params)) return { ...nothing, refusal: refuseParams(params) };
    const parameters = compiled.events.get(identifier);
    if (parameters === undefined && !isUnchecked)
      return { ...nothing, refusal: refusalOf(within(refuse(unknownEvent, undefined), identifier)) };
    // The wrapped form holds an object; whatever else is called `value` is a parameter [alibaba-device 5.5].
    const { value, time, timeRefusal } = isMembers(params.value)
      ? unwrap(params, receivedMilliseconds)
      : { value: params, time: receivedMilliseconds, timeRefusal: undefined };
    if (timeRefusal !== undefined) {
      // What happened is not lost for a clock that is wrong: all of it is told as failed.
      const refusal = within(timeRefusal, identifier);
      const checkFailedData = { value, code: refusal.kind.alibaba, message: vendorMessage(refusal) };
      return { ...nothing, checkFailedData, problems: [problemOf(refusal)] };
    }
    const check = (name: string, given: unknown) =>
      parameters === undefined || isUnchecked ? undefined : checkParameter(parameters, name, given);
    const result = checkParameters(value, { check });
    return { time, value: result.values, checkFailedData: mergeFailed(result.checkFailedData), problems: result.problems };
  };

  return {
    level,
    checkPropertyReport,
    checkPropertySet: (params) => checkParameters(params, { check: checkWritable, namesMax: limits.propertiesMax }),
    checkEvent,
    checkServiceInput: (identifier, params) => checkService(identifier, params, "input"),
    checkServiceOutput: (identifier, data) => checkService(identifier, data, "output"),
    checkRecords: (part, receivedMilliseconds) => checkRecords(part, receivedMilliseconds, { checkProperty, checkEvent, limits }),
  };
}

function checkParameter(parameters: CompiledParameters, name: string, value: unknown): Refusal | undefined {
  const parameter = parameters.get(name);
  const refusal = parameter === undefined ? refuse(unknownParameter, value) : parameter.check(value);
  return refusal === undefined ? undefined : within(refusal, name);
}

/** Required parameters of a call that are not there. */
function missingOf(parameters: CompiledParameters, params: unknown): readonly Refusal[] {
  if (!isMembers(params)) return [];
  const missing: Refusal[] = [];
  for (const [name, { isRequired, type }] of parameters) {
    if (!isRequired || Object.hasOwn(params, name)) continue;
    const kind: RefusalKind = { code: "thing_model.parameter_missing", alibaba: 6302, words: "params value empty", expected: type };
    missing.push(within(refuse(kind, undefined), name));
  }
  return missing;
}

interface ParameterRules {
  readonly check: (name: string, value: unknown) => Refusal | undefined;
  readonly missing?: readonly Refusal[];
  readonly namesMax?: number;
}

function checkParameters(params: unknown, { check, missing = [], namesMax = Number.POSITIVE_INFINITY }: ParameterRules): ParameterCheck {
  const values: Record<string, unknown> = {};
  const checkFailedData: Record<string, FailedParameter> = {};
  if (!isMembers(params)) return { refusal: refuseParams(params), values, checkFailedData, problems: noProblems };
  const names = Object.keys(params);
  if (names.length > namesMax)
    return { refusal: refuseCount(6106, "params", names.length, namesMax), values, checkFailedData, problems: noProblems };
  const problems: ThingModelProblem[] = [];
  const fail = (name: string, value: unknown, refusal: Refusal) => {
    setMember(checkFailedData, name, { value, code: refusal.kind.alibaba, message: vendorMessage(refusal) });
    problems.push(problemOf(refusal));
  };
  for (const name of names) {
    const value = params[name];
    const refusal = check(name, value);
    if (refusal === undefined) setMember(values, name, value);
    else fail(name, value, refusal);
  }
  for (const refusal of missing) fail(String(refusal.path[0]), null, refusal);
  return { values, checkFailedData, problems };
}

/** Many failed parameters in the one place that an event has for them [alibaba-server 2.6]. */
function mergeFailed(failed: Readonly<Record<string, FailedParameter>>): Partial<FailedParameter> {
  const names = Object.keys(failed);
  const first = failed[names[0] ?? ""];
  if (first === undefined) return {};
  const value: Record<string, unknown> = {};
  for (const name of names) setMember(value, name, failed[name]?.value);
  return { value, code: first.code, message: first.message };
}

/**
 * What goes into `data` of a report's reply: the failed properties with a text each. Live replies of the vendor have the text without the name.
 *
 * @example postReplyData(check.checkFailedData) // { LightSwitch: "tsl parse: params not exist" }
 */
export function postReplyData(checkFailedData: Readonly<Record<string, FailedValue>>): Record<string, string> {
  const data: Record<string, string> = {};
  for (const name of Object.keys(checkFailedData)) {
    const failed = checkFailedData[name];
    if (failed === undefined) continue;
    const text = failed.code === unknownProperty.weak.alibaba ? `tsl parse: ${unknownProperty.strong.words}` : failed.message;
    const arrow = text.indexOf(" -> ");
    setMember(data, name, arrow < 0 ? text : text.slice(0, arrow));
  }
  return data;
}
