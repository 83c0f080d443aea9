/** Calls of `@alicloud/iot20180120` from parameters as they are on the wire: its classes tell what they are called there. */
import { createRequire } from "node:module";
import { accessKeyId, accessKeySecret } from "./rooms.ts";

const require = createRequire(import.meta.url);

export type ModelType = string | Model | { type: "array"; itemType: ModelType } | { type: "map" };

export interface Model {
  new (members: Record<string, unknown>): object;
  /** Member of the class -> name on the wire. */
  names(): Record<string, string>;
  /** Member of the class -> type. */
  types(): Record<string, ModelType>;
}

const sdk = require("@alicloud/iot20180120") as Record<string, Model>;
const { Config } = require("@alicloud/openapi-client");

/** What the vendor documents and its SDK of this version lacks. */
export function isInSdk(action: string): boolean {
  return sdk[`${action}Request`] !== undefined;
}

export function modelOf(name: string): Model {
  const model = sdk[name];
  if (model === undefined) throw new Error(`the SDK has no ${name}`);
  return model;
}

/** Sends the call as a customer's program does. */
export async function callBySdk(authority: string, action: string, fields: Readonly<Record<string, string>>): Promise<void> {
  const Client = sdk.default as unknown as new (config: object) => Record<string, (request: object) => Promise<unknown>>;
  const client = new Client(new Config({ accessKeyId, accessKeySecret, endpoint: authority, protocol: "http" }));
  const method = `${action[0]?.toLowerCase() ?? ""}${action.slice(1)}`;
  await client[method]?.(build(modelOf(`${action}Request`), fields));
}

/** `A.1.B` = the member B of the first element of the list A. */
function build(model: Model, fields: Readonly<Record<string, string>>): object {
  const types = model.types();
  const members = new Map(Object.entries(model.names()).map(([member, name]) => [name, member]));
  const built: Record<string, unknown> = {};
  const lists = new Map<string, Map<number, Record<string, string>>>();
  for (const [path, text] of Object.entries(fields)) {
    const [name = "", index, ...rest] = path.split(".");
    if (index === undefined) {
      const member = members.get(name);
      // What the SDK has no member for its users cannot send.
      if (member !== undefined) built[member] = convert(types[member], text);
      continue;
    }
    const list = lists.get(name) ?? new Map<number, Record<string, string>>();
    lists.set(name, list);
    list.set(Number(index), { ...list.get(Number(index)), [rest.join(".")]: text });
  }
  for (const [name, list] of lists) {
    const member = members.get(name);
    const type = member === undefined ? undefined : types[member];
    if (member === undefined || typeof type !== "object" || !("itemType" in type)) throw new Error(`${name} is no list of the SDK`);
    const { itemType } = type;
    built[member] = [...list]
      .sort(([left], [right]) => left - right)
      .map(([, parts]) => (typeof itemType === "function" ? build(itemType as Model, parts) : convert(itemType, parts[""] ?? "")));
  }
  return new model(built);
}

function convert(type: ModelType | undefined, text: string): unknown {
  if (type === "number") return Number(text);
  // The SDK writes maps as JSON itself.
  if (typeof type === "object" && "type" in type && type.type === "map") return JSON.parse(text);
  return type === "boolean" ? text === "true" : text;
}
