/** What a command is: a name, the forms it has, the parameters it takes, and what it does. Commands are data; see `commands/`. */
import { AtError, type MqttFailure, mqttError } from "./at-error.ts";
import type { CommandForm } from "./line/command-line.ts";
import type { ParameterValue } from "./line/parameters.ts";
import type { ModemParts } from "./modem-parts.ts";
import type { ModemVersion } from "./profile.ts";

interface ParameterBase {
  name: string;
  isOptional?: true;
  /** The last one: takes all that follow. */
  isRepeated?: true;
  /** MQTT commands have a code for each way in which a parameter can be wrong. */
  failures?: { read?: MqttFailure; missing?: MqttFailure; value?: MqttFailure; length?: MqttFailure };
}

export type Parameter =
  | (ParameterBase & { kind: "integer"; min: number; max: number })
  | (ParameterBase & { kind: "string"; bytesMax: number; bytesMin?: number; choices?: readonly string[] });

export interface Call {
  readonly modem: ModemParts;
  readonly parameters: Arguments;
  /** Whether OK or ERROR follows. */
  readonly hasResult: boolean;
  /** The result is told by the command itself. */
  withoutResult(): void;
  /** Writes OK and `>`; resolves with exactly so many bytes. Must be called before anything is awaited. */
  prompt(bytes: number): Promise<Buffer>;
  /** As `prompt`, but a typed `\0` ends it early. */
  promptEscaped(bytesMax: number): Promise<Buffer>;
}

/** A command is done when it returns, or when the promise it returned is; while one is pending the port is busy. */
type Handler = (call: Call) => unknown;

interface SetForm {
  /** Fixed, or told by the state and by what was given. */
  parameters: readonly Parameter[] | ((modem: ModemParts, given: readonly ParameterValue[]) => readonly Parameter[]);
  run: Handler;
}

export interface CommandDefinition {
  /** Without AT: "", "E0", "+CWMODE". */
  name: string;
  /** Firmware it came with; always there when not given. */
  since?: ModemVersion;
  test?: Handler;
  query?: Handler;
  set?: SetForm;
  execute?: Handler;
}

export function hasForm(command: CommandDefinition, form: CommandForm): boolean {
  return command[form] !== undefined;
}

export const integer = (name: string, min: number, max: number, more: Omit<ParameterBase, "name"> = {}): Parameter => ({
  kind: "integer",
  name,
  min,
  max,
  ...more,
});

export const text = (
  name: string,
  bytesMax: number,
  more: Omit<ParameterBase, "name"> & { bytesMin?: number; choices?: readonly string[] } = {},
): Parameter => ({ kind: "string", name, bytesMax, ...more });

export const flag = (name: string, more: Omit<ParameterBase, "name"> = {}): Parameter => integer(name, 0, 1, more);

export const optional = { isOptional: true } as const;

type GivenValue = { kind: "integer"; value: number } | { kind: "string"; binary: string };

/** Checked parameters by name. */
export class Arguments {
  readonly #values: ReadonlyMap<string, GivenValue>;
  readonly #repeated: readonly GivenValue[];

  constructor(values: ReadonlyMap<string, GivenValue>, repeated: readonly GivenValue[] = []) {
    this.#values = values;
    this.#repeated = repeated;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  integer(name: string, otherwise?: number): number {
    const value = this.#values.get(name);
    if (value?.kind === "integer") return value.value;
    if (otherwise === undefined) throw new Error(`the command has no integer ${name}`);
    return otherwise;
  }

  bytes(name: string): Buffer {
    const value = this.#values.get(name);
    if (value?.kind !== "string") throw new Error(`the command has no string ${name}`);
    return Buffer.from(value.binary, "latin1");
  }

  string(name: string, otherwise?: string): string {
    if (otherwise !== undefined && !this.#values.has(name)) return otherwise;
    return this.bytes(name).toString();
  }

  /** Values of the repeated parameter. */
  strings(): string[] {
    return this.#repeated.flatMap((value) => (value.kind === "string" ? [Buffer.from(value.binary, "latin1").toString()] : []));
  }
}

/** @throws AtError that names the first parameter that is wrong */
export function bindParameters(parameters: readonly Parameter[], given: readonly ParameterValue[]): Arguments {
  const last = parameters.at(-1);
  const isOpenEnded = last?.isRepeated === true;
  const needed = parameters.filter(({ isOptional }) => isOptional !== true).length;
  if (given.length < needed || (given.length > parameters.length && !isOpenEnded))
    throw new AtError("parameterCount", needed * 256 + Math.min(given.length, 255));
  const values = new Map<string, GivenValue>();
  const repeated: GivenValue[] = [];
  for (const [index, value] of given.entries()) {
    const parameter = parameters[index] ?? last;
    if (parameter === undefined) break;
    const checked = checkParameter(parameter, value, index);
    if (checked === undefined) continue;
    if (parameter.isRepeated === true) repeated.push(checked);
    else values.set(parameter.name, checked);
  }
  return new Arguments(values, repeated);
}

function checkParameter(parameter: Parameter, given: ParameterValue, index: number): GivenValue | undefined {
  const { failures = {} } = parameter;
  const fail = (category: "parameterParse" | "parameterType" | "parameterRange" | "parameterLength", failure: MqttFailure | undefined) => {
    if (failure !== undefined) throw mqttError(failure);
    throw new AtError(category, index);
  };
  if (given.kind === "omitted") {
    if (parameter.isOptional === true) return undefined;
    return fail("parameterParse", failures.missing ?? failures.read);
  }
  if (given.kind === "malformed") return fail("parameterParse", failures.read);
  if (given.kind !== parameter.kind) return fail("parameterType", failures.read);
  if (parameter.kind === "integer" && given.kind === "integer") {
    if (given.value < parameter.min || given.value > parameter.max) return fail("parameterRange", failures.value);
  } else if (parameter.kind === "string" && given.kind === "string") {
    if (given.binary.length > parameter.bytesMax) return fail("parameterLength", failures.length);
    if (given.binary.length < (parameter.bytesMin ?? 0)) return fail("parameterLength", failures.missing);
    if (parameter.choices?.includes(given.binary) === false) return fail("parameterRange", failures.value);
  }
  return given;
}
