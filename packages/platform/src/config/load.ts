/** Reads settings from flags, environment and file, in that order of precedence; the first that names a setting wins. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import type { TSchema } from "typebox";
import { Value } from "typebox/value";
import type Yaml from "yaml";
import { PlatformError } from "../errors/index.ts";
import { type Settings, secretPaths, settingsSchema } from "./schema.ts";

export interface SettingSources {
  /** Setting path -> text, e.g. `{ "listen.device": "0" }`. */
  flags: Readonly<Record<string, string>>;
  environment: Readonly<Record<string, string | undefined>>;
  /** A YAML file; by default `<dataDir>/thingstead.yaml` when it is there. */
  configFile?: string;
}

interface Leaf {
  path: string;
  schema: TSchema;
}

function leavesOf(schema: TSchema, prefix: string): Leaf[] {
  const properties = (schema as { properties?: Record<string, TSchema> }).properties;
  if (properties === undefined) return [{ path: prefix, schema }];
  return Object.entries(properties).flatMap(([name, member]) => leavesOf(member, prefix === "" ? name : `${prefix}.${name}`));
}

/** Every setting by path, e.g. `listen.device`. */
export const settingPaths: ReadonlyMap<string, TSchema> = new Map(leavesOf(settingsSchema, "").map(({ path, schema }) => [path, schema]));

/** `listen.device` -> `THINGSTEAD_LISTEN_DEVICE`, `dataDir` -> `THINGSTEAD_DATA_DIR`. */
export function environmentName(path: string): string {
  return `THINGSTEAD_${path
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(".", "_")
    .toUpperCase()}`;
}

type Tree = Record<string, unknown>;

function put(tree: Tree, path: string, value: unknown): void {
  const names = path.split(".");
  const last = names.pop() ?? path;
  let node = tree;
  for (const name of names) {
    const next = node[name];
    if (typeof next === "object" && next !== null && !Array.isArray(next)) node = next as Tree;
    else {
      const made: Tree = {};
      node[name] = made;
      node = made;
    }
  }
  node[last] = value;
}

/** A text from a flag or the environment in the shape its setting wants; wrong numbers stay text and are refused later. */
function fromText(path: string, text: string): unknown {
  const schema = settingPaths.get(path);
  if (schema === undefined) return text;
  const isArray = (schema as { type?: string }).type === "array";
  const value = isArray
    ? text
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== "")
    : text;
  return Value.Convert(schema, value);
}

function readFile(file: string, isRequired: boolean): Tree {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    // A data directory that can't be one (ENOTDIR) is told by whoever opens it.
    if (!isRequired && ["ENOENT", "ENOTDIR"].includes((cause as NodeJS.ErrnoException).code ?? "")) return {};
    throw new PlatformError("start.config_unreadable", { file, reason: (cause as Error).message }, { cause });
  }
  let parsed: unknown;
  try {
    // Loaded only for a file that is there: 5 MB that most servers do without.
    parsed = (createRequire(import.meta.url)("yaml") as typeof Yaml).parse(text);
  } catch (cause) {
    throw new PlatformError("start.config_damaged", { file, reason: (cause as Error).message }, { cause });
  }
  if (parsed === null || parsed === undefined) return {};
  if (typeof parsed !== "object" || Array.isArray(parsed)) {
    throw new PlatformError("start.config_damaged", { file, reason: "expected a mapping of settings" });
  }
  return parsed as Tree;
}

function valueAt(tree: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((node, name) => (typeof node === "object" && node !== null ? (node as Tree)[name] : undefined), tree);
}

function describe(schema: TSchema | undefined): string {
  const shape = schema as { anyOf?: { const?: unknown }[]; type?: string; minimum?: number } | undefined;
  if (shape?.anyOf !== undefined) return shape.anyOf.map((option) => String(option.const)).join(", ");
  if (shape?.minimum !== undefined) return `${shape.type} >= ${shape.minimum}`;
  return shape?.type ?? "a known setting";
}

function nearestSetting(path: string): string {
  const wanted = path.toLowerCase();
  const tail = wanted.slice(wanted.lastIndexOf(".") + 1);
  return [...settingPaths.keys()].find((known) => known.toLowerCase().endsWith(tail)) ?? "";
}

function refuseUnknown(tree: unknown, schema: TSchema, prefix: string): void {
  const properties = (schema as { properties?: Record<string, TSchema> }).properties;
  if (properties === undefined || typeof tree !== "object" || tree === null) return;
  for (const [name, value] of Object.entries(tree)) {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    const member = properties[name];
    if (member === undefined) throw new PlatformError("start.setting_unknown", { path, nearest: nearestSetting(path) || "-" });
    refuseUnknown(value, member, path);
  }
}

/**
 * Loads and checks all settings.
 *
 * @throws PlatformError `start.config_unreadable`, `start.config_damaged`, `start.setting_unknown`, `start.setting_invalid`
 */
export function loadSettings(sources: SettingSources): Settings {
  const given: [string, string][] = [];
  for (const path of settingPaths.keys()) {
    const text = sources.environment[environmentName(path)];
    if (text !== undefined && text !== "") given.push([path, text]);
  }
  // Other names may belong to the command or to tools; these can only be a limit that was mistyped.
  const known = new Set([...settingPaths.keys()].map(environmentName));
  const stray = Object.keys(sources.environment).find((name) => name.startsWith("THINGSTEAD_LIMITS_") && !known.has(name));
  if (stray !== undefined) throw new PlatformError("start.setting_unknown", { path: stray, nearest: "limits.<room>.<name>" });
  for (const [path, text] of Object.entries(sources.flags)) {
    if (!settingPaths.has(path)) throw new PlatformError("start.setting_unknown", { path, nearest: nearestSetting(path) || "-" });
    given.push([path, text]);
  }
  const dataDir = given.findLast(([path]) => path === "dataDir")?.[1] ?? "./data";
  const tree = sources.configFile === undefined ? readFile(join(dataDir, "thingstead.yaml"), false) : readFile(sources.configFile, true);
  for (const [path, text] of given) put(tree, path, fromText(path, text));
  refuseUnknown(tree, settingsSchema, "");
  const settings = Value.Default(settingsSchema, tree);
  for (const error of Value.Errors(settingsSchema, settings)) {
    const path = error.instancePath.slice(1).replaceAll("/", ".");
    const received = secretPaths.includes(path) ? "(hidden)" : JSON.stringify(valueAt(settings, path));
    const leaf = settingPaths.get(path) ?? settingPaths.get(path.replace(/\.\d+$/, ""));
    throw new PlatformError("start.setting_invalid", {
      path,
      received: received ?? "nothing",
      expected: describe(leaf),
      variable: environmentName(path),
    });
  }
  const checked = settings as Settings;
  return { ...checked, dataDir: resolve(checked.dataDir), host: checked.host || hostname() };
}
