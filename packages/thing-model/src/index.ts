/** The door of the package. */

export type { MemberDifference } from "./diff/diff-data-type.ts";
export { diffThingModels, type FunctionChange, type ThingModelDiff } from "./diff/diff-thing-models.ts";
export { formatProblem, ThingModelError, type ThingModelErrorCode, type ThingModelProblem, thingModelErrors } from "./errors.ts";
export { type FormatOptions, formatThingModel } from "./format-thing-model.ts";
export { defaultThingModelLimits, defaultValidatorLimits, type ThingModelLimits, type ValidatorLimits } from "./limits.ts";
export {
  type DataType,
  eventMethod,
  isWritable,
  type ModuleReference,
  type Parameter,
  type Property,
  type Service,
  serviceMethod,
  type ThingEvent,
  type ThingModel,
  wireIdentifier,
} from "./model.ts";
export { inspectThingModel, parseThingModel, type ThingModelInspection } from "./parse/parse-thing-model.ts";
export { type ThingTypes, type TypesOptions, typesOf } from "./types-of.ts";
export type {
  EventCheck,
  EventRecord,
  FailedParameter,
  FailedRecord,
  FailedValue,
  MessageRefusal,
  ParameterCheck,
  PropertyCheck,
  PropertyRecord,
  RecordsCheck,
  TimedValue,
} from "./validate/check-result.ts";
export { createValidator, postReplyData, type ValidationLevel, type Validator, type ValidatorOptions } from "./validate/validator.ts";
