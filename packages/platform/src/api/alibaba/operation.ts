/** Operations as data: parameter names with their kinds, and what to run. */
import type { DeviceCertificates, DeviceClients, DeviceSubscriptions } from "../../access/index.ts";
import type { DeviceServices } from "../../device-services/index.ts";
import { PlatformError } from "../../errors/index.ts";
import type { Broadcast, Messages, Rrpc } from "../../messages/index.ts";
import type { Ota } from "../../ota/index.ts";
import type { DeviceIdentity, Groups, RegistrationBatches, Registry, Tags, Topology } from "../../registry/index.ts";
import type { RuleEngine } from "../../rules/index.ts";
import type { Scripts } from "../../scripts/index.ts";
import type { Things } from "../../things/index.ts";
import type { FirmwareUploads } from "./firmware-uploads.ts";
import type { AlibabaApiLimits } from "./limits.ts";
import type { ListElement, Parameters } from "./parameters.ts";
import type { ScriptLinks } from "./script-links.ts";

/**
 * `?` = optional. A required text may not be empty; an optional one may (it clears a value). `list` is a repeat list of plain values.
 * `unsupported`: the vendor knows the parameter and it would change the result, so a call that sets it is refused.
 */
type ParameterKind =
  | "text"
  | "text?"
  | "integer"
  | "integer?"
  | "boolean?"
  | "list"
  | "list?"
  /** A repeat list of structs; their members' names come in lower case. */
  | "structs"
  | "structs?"
  | "unsupported";

export type Struct = Readonly<Record<string, string>>;

type ValueOf<K extends ParameterKind> = K extends "text"
  ? string
  : K extends "text?"
    ? string | undefined
    : K extends "integer"
      ? number
      : K extends "integer?"
        ? number | undefined
        : K extends "boolean?"
          ? boolean | undefined
          : K extends "list" | "list?"
            ? string[]
            : K extends "structs" | "structs?"
              ? Struct[]
              : undefined;

export type ParameterTable = Readonly<Record<string, ParameterKind>>;
export type Input<T extends ParameterTable> = { readonly [N in keyof T]: ValueOf<T[N]> };

/** Members of the answer beside the envelope; undefined members are left out. */
export type Answer = Readonly<Record<string, unknown>>;

export type DeviceNames = Pick<DeviceIdentity, "productKey" | "deviceName">;

export interface OperationPorts {
  registry: Registry;
  rules: RuleEngine;
  messages: Messages;
  things: Things;
  rrpc: Pick<Rrpc, "call">;
  broadcast: Broadcast;
  scripts: Pick<Scripts, "find" | "save">;
  tags: Tags;
  groups: Groups;
  topology: Topology;
  gatewayNotices: {
    /** Asks a gateway to add devices; answers the id of the message. */
    notifyAdd(gateway: DeviceNames, devices: readonly DeviceNames[]): string;
  };
  deviceClients: DeviceClients;
  deviceCertificates: Pick<DeviceCertificates, "list">;
  deviceSubscriptions: DeviceSubscriptions;
  registrationBatches: RegistrationBatches;
  ota: Ota;
  deviceServices: Pick<DeviceServices, "shadows" | "jobs" | "files">;
  firmwareUploads: FirmwareUploads;
  scriptLinks: ScriptLinks;
  /** Decimal text of 19 digits, for answers that carry the id of a message. */
  nextMessageId(): string;
  limits: AlibabaApiLimits;
  /** Where the caller reached this API, `http://host:port`. */
  origin: string;
  /** Region id shown to clients, e.g. `cn-shanghai`. */
  region: string;
}

export interface Operation {
  parameters: ParameterTable;
  run(parameters: Parameters, ports: OperationPorts): Promise<Answer>;
}

export type OperationTable = Readonly<Record<string, Operation>>;

const shownCharactersMax = 200;

export function defineOperation<const T extends ParameterTable>(
  parameters: T,
  run: (input: Input<T>, ports: OperationPorts) => Promise<Answer>,
): Operation {
  return { parameters, run: (received, ports) => run(readInput(parameters, received), ports) };
}

/** Reads what the table names, in the table's order; the first bad one is refused. */
function readInput<T extends ParameterTable>(table: T, received: Parameters): Input<T> {
  const entries = Object.entries(table).map(([name, kind]) => [name, readers[kind](name, received)]);
  // Each reader returns the type that ValueOf tells for its kind; a mapped type cannot be built entry by entry without saying so.
  return Object.fromEntries(entries) as Input<T>;
}

const readers: { [K in ParameterKind]: (name: string, received: Parameters) => ValueOf<K> } = {
  text: (name, received) => received.get(name) || missing(name),
  "text?": (name, received) => received.get(name),
  integer: (name, received) => readInteger(name, received) ?? missing(name),
  "integer?": readInteger,
  "boolean?": (name, received) => {
    const text = received.get(name);
    if (text === undefined || text === "") return undefined;
    if (/^true$/i.test(text)) return true;
    if (/^false$/i.test(text)) return false;
    return invalid(name, text, "true or false");
  },
  list: (name, received) => {
    const values = readList(name, received);
    return values.length === 0 ? missing(`${name}.1`) : values;
  },
  "list?": readList,
  structs: (name, received) => {
    const values = readStructs(name, received);
    return values.length === 0 ? missing(`${name}.1`) : values;
  },
  "structs?": readStructs,
  unsupported: (name, received) => {
    const text = received.get(name);
    // Clients that fill every field send `false` and empty texts for what they do not use.
    if (text !== undefined && text !== "" && !/^false$/i.test(text)) {
      throw new PlatformError("alibaba.parameter_not_supported", { parameter: name, received: shorten(text) });
    }
    if (received.list(name).length > 0) throw new PlatformError("alibaba.parameter_not_supported", { parameter: name, received: "a list" });
    return undefined;
  },
};

function readInteger(name: string, received: Parameters): number | undefined {
  const text = received.get(name);
  if (text === undefined || text === "") return undefined;
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(number) ? number : invalid(name, text, "a whole number");
}

function readList(name: string, received: Parameters): string[] {
  return received.list(name).map((element: ListElement, index) => {
    if (typeof element === "string") return element;
    return invalid(`${name}.${index + 1}`, "a struct", "a plain value");
  });
}

function readStructs(name: string, received: Parameters): Struct[] {
  return received.list(name).map((element: ListElement, index) => {
    if (typeof element !== "string") return element;
    return invalid(`${name}.${index + 1}`, "a plain value", "a struct");
  });
}

/** A member of a struct in a list; the text may not be empty. */
export function memberOf(list: string, struct: Struct, name: string): string {
  return struct[name.toLowerCase()] || missing(`${list}.N.${name}`);
}

function missing(parameter: string): never {
  throw new PlatformError("alibaba.missing_parameter", { parameter });
}

function invalid(parameter: string, received: string, expected: string): never {
  throw new PlatformError("alibaba.invalid_parameter", { parameter, received: shorten(received), expected });
}

/** Parameters may be hundreds of kilobytes long; a refusal needs their beginning only. */
function shorten(text: string): string {
  return text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}…` : text;
}

/** Refuses a value that is not among the allowed ones. */
export function oneOf<V extends string | number>(parameter: string, received: V, allowed: readonly V[]): V {
  return allowed.includes(received) ? received : invalid(parameter, String(received), allowed.join(" or "));
}

export function readPage(page: number, pageSize: number, pageSizeMax: number): { page: number; pageSize: number } {
  if (page < 1 || pageSize < 1 || pageSize > pageSizeMax) throw new PlatformError("alibaba.page_invalid", { page, pageSize, pageSizeMax });
  return { page, pageSize };
}

export function pageCount(total: number, pageSize: number): number {
  return Math.ceil(total / pageSize);
}
