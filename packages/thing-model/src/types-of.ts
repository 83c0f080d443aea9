/** A model as TypeScript types. */
import { type DataType, isWritable, type Parameter, type ThingModel, wireIdentifier } from "./model.ts";

export interface TypesOptions {
  /** Name of the exported interface. Default `Thing`. */
  readonly name?: string;
}

/**
 * What {@link typesOf} writes, as the constraint of code that takes it as a type parameter.
 *
 * @example function report<T extends ThingTypes>(values: Partial<T["properties"]>): void
 */
export interface ThingTypes {
  readonly properties: object;
  readonly writable: string;
  readonly events: object;
  readonly services: object;
}

/** Lines of the output, indented by whoever puts them into something. */
type Lines = string[];

/** An object without members; `{}` would take any. */
const noMembers = "Record<string, never>";

/**
 * TypeScript types of a product's model: one module, or the default module and its custom ones. The text is the same for the same model, so
 * that it can be kept in a repository. A wrong property, parameter or value does not compile against it.
 *
 * @example
 * typesOf(model, { name: "Lamp" });
 * // export interface Lamp { properties: { LightSwitch: 0 | 1; … }; writable: "LightSwitch"; events: { … }; services: { … } }
 */
export function typesOf(model: ThingModel | readonly ThingModel[], options: TypesOptions = {}): string {
  const modules = "properties" in model ? [model] : model;
  const name = options.name ?? "Thing";
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) throw new TypeError(`name is ${JSON.stringify(name)}; expected a TypeScript identifier`);
  const writable = modules.flatMap((one) =>
    one.properties.filter(isWritable).map((property) => JSON.stringify(wireIdentifier(one, property.identifier))),
  );
  const lines: Lines = [
    `/** ${escapeComment(headOf(modules))} Generated from the thing model: change the model, not this file. */`,
    `export interface ${name} {`,
    "  /** What the device is: the values it reports. */",
    ...group(
      "properties",
      modules.flatMap((one) => one.properties.map((property) => member(one, property, property.dataType))),
    ),
    "  /** The properties that can be set. */",
    `  writable: ${writable.length === 0 ? "never" : writable.join(" | ")};`,
    "  /** What the device tells of: the parameters of its events. */",
    ...group(
      "events",
      modules.flatMap((one) => one.events.map((event) => eventMember(one, event))),
    ),
    "  /** What the device can be asked to do. */",
    ...group(
      "services",
      modules.flatMap((one) => one.services.map((service) => serviceMember(one, service))),
    ),
    "}",
    "",
  ];
  return lines.join("\n");
}

function headOf(modules: readonly ThingModel[]): string {
  const productKey = modules.map((one) => one.profile.productKey).find((key) => key !== undefined);
  const versions = modules.map((one) => one.profile.version ?? one.version).find((version) => version !== undefined && version !== "");
  return `Product ${productKey ?? "of unknown key"}${versions === undefined ? "" : `, version ${versions}`}.`;
}

function group(name: string, entries: readonly Lines[]): Lines {
  // No names for events and services, and no members for properties: each is what makes a wrong one not compile.
  if (entries.length === 0) return [`  ${name}: Record<${name === "properties" ? "string" : "never"}, never>;`];
  return [`  ${name}: {`, ...entries.flat().map((line) => `    ${line}`), "  };"];
}

interface Named {
  readonly identifier: string;
  readonly name: string;
  readonly desc?: string;
}

function member(model: ThingModel, named: Named, dataType: DataType): Lines {
  return [...comment(named, dataType), `${key(wireIdentifier(model, named.identifier))}: ${typeText(dataType)};`];
}

function eventMember(model: ThingModel, event: ThingModel["events"][number]): Lines {
  const head = `${key(wireIdentifier(model, event.identifier))}: `;
  return [...comment({ ...event, name: `${event.name} (${event.type})` }), ...block(head, event.outputData, false)];
}

function serviceMember(model: ThingModel, service: ThingModel["services"][number]): Lines {
  return [
    ...comment(service),
    `${key(wireIdentifier(model, service.identifier))}: {`,
    `  callType: "${service.callType}";`,
    ...block("input: ", service.inputData, true).map((line) => `  ${line}`),
    ...block("output: ", service.outputData, false).map((line) => `  ${line}`),
    "};",
  ];
}

function block(head: string, parameters: readonly Parameter[], isOptionalMarked: boolean): Lines {
  if (parameters.length === 0) return [`${head}${noMembers};`];
  return [`${head}{`, ...parameterLines(parameters, isOptionalMarked).map((line) => `  ${line}`), "};"];
}

function parameterLines(parameters: readonly Parameter[], isOptionalMarked: boolean): Lines {
  return parameters.flatMap((parameter) => {
    const mark = isOptionalMarked && parameter.required === false ? "?" : "";
    return [...comment(parameter, parameter.dataType), `${key(parameter.identifier)}${mark}: ${typeText(parameter.dataType)};`];
  });
}

function key(identifier: string): string {
  return /^[A-Za-z_]\w*$/.test(identifier) ? identifier : JSON.stringify(identifier);
}

function typeText(dataType: DataType): string {
  switch (dataType.type) {
    case "int":
    case "float":
    case "double":
      return "number";
    case "bool":
      return "0 | 1";
    case "enum": {
      const keys = sortedKeys(dataType.specs);
      return keys.length === 0 ? "number" : keys.join(" | ");
    }
    case "text":
    case "date":
      return "string";
    case "struct": {
      const members = dataType.specs.map((one) => `${key(one.identifier)}: ${typeText(one.dataType)}`);
      return members.length === 0 ? noMembers : `{ ${members.join("; ")} }`;
    }
    case "array":
      return `readonly ${bracketed(typeText(dataType.specs.item), dataType.specs.item)}[]`;
  }
}

function bracketed(text: string, { type }: DataType): string {
  return type === "bool" || type === "enum" ? `(${text})` : text;
}

/** Numbers in their order; JavaScript would put the negative ones last. */
function sortedKeys(specs: Readonly<Record<string, string>> | undefined): string[] {
  return Object.keys(specs ?? {}).sort((a, b) => Number(a) - Number(b));
}

/** Name, description and what a value may be. */
function comment(named: Named, dataType?: DataType): Lines {
  const parts = [named.name, named.desc, dataType === undefined ? undefined : rangeText(dataType)];
  const text = parts.filter((part) => part !== undefined && part !== "").map((part) => escapeComment(part ?? ""));
  return text.length === 0 ? [] : [`/** ${text.join(". ")} */`];
}

function rangeText(dataType: DataType): string {
  switch (dataType.type) {
    case "int":
    case "float":
    case "double": {
      const { min = "", max = "", unit = "" } = dataType.specs ?? {};
      const range = min === "" && max === "" ? "" : ` ${min}..${max}`;
      return `${dataType.type}${range}${unit === "" ? "" : ` ${unit}`}`;
    }
    case "bool":
    case "enum":
      return sortedKeys(dataType.specs)
        .map((choice) => `${choice} = ${dataType.specs?.[choice] ?? ""}`)
        .join(", ");
    case "text":
      return dataType.specs?.length === undefined ? "" : `at most ${dataType.specs.length} bytes`;
    case "date":
      return "UTC milliseconds as text";
    case "struct":
      return dataType.specs
        .map((one) => `${one.identifier}: ${[one.name, rangeText(one.dataType)].filter((part) => part !== "").join(" ")}`)
        .join("; ");
    case "array":
      return `at most ${dataType.specs.size}, each ${rangeText(dataType.specs.item)}`.replace(/, each $/, "");
  }
}

/** A text that can neither end the comment nor break its line nor start a tag. */
function escapeComment(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .replaceAll("*/", "*\\/")
    .replaceAll("@", "\\@");
}
