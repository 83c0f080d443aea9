/** A product's modules as maps from wire identifiers to checks. */
import { isWritable, type Parameter, type ThingModel, wireIdentifier } from "../model.ts";
import { type CheckRules, compileCheck } from "./compile-check.ts";
import type { Check } from "./refusal.ts";

interface CompiledParameter {
  readonly check: Check;
  /** In a service's input everything is required that the model does not call optional. */
  readonly isRequired: boolean;
  readonly type: string;
}

interface CompiledProperty {
  readonly check: Check;
  readonly isWritable: boolean;
}

export type CompiledParameters = ReadonlyMap<string, CompiledParameter>;

interface CompiledService {
  readonly input: CompiledParameters;
  readonly output: CompiledParameters;
}

export interface CompiledModel {
  readonly properties: ReadonlyMap<string, CompiledProperty>;
  readonly events: ReadonlyMap<string, CompiledParameters>;
  readonly services: ReadonlyMap<string, CompiledService>;
}

export function compileModel(modules: readonly ThingModel[], rules: CheckRules): CompiledModel {
  const properties = new Map<string, CompiledProperty>();
  const events = new Map<string, CompiledParameters>();
  const services = new Map<string, CompiledService>();
  for (const model of modules) {
    for (const property of model.properties)
      properties.set(wireIdentifier(model, property.identifier), {
        check: compileCheck(property.dataType, rules),
        isWritable: isWritable(property),
      });
    for (const event of model.events) events.set(wireIdentifier(model, event.identifier), compileParameters(event.outputData, rules));
    for (const service of model.services)
      services.set(wireIdentifier(model, service.identifier), {
        input: compileParameters(service.inputData, rules),
        output: compileParameters(service.outputData, rules),
      });
  }
  return { properties, events, services };
}

function compileParameters(parameters: readonly Parameter[], rules: CheckRules): CompiledParameters {
  return new Map(
    parameters.map((parameter) => [
      parameter.identifier,
      {
        check: compileCheck(parameter.dataType, rules),
        isRequired: parameter.required !== false,
        type: parameter.dataType.type,
      },
    ]),
  );
}
