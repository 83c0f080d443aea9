/** Documents of things as the fleet index shows and searches them (aws-iot.md, 16): read from where they are kept, part by part as needed. */
import { formatThingShadow, type IndexFields, parseThingShadow } from "@thingstead/dialects";
import type { Broker } from "@thingstead/mqtt";
import { thingClientSessionIdOf } from "../../../access/index.ts";
import type { NamedShadows } from "../../../device-services/index.ts";
import type { Fleet, Thing } from "../../../fleet/index.ts";

export interface IndexedThingsPorts {
  fleet: Pick<Fleet, "groups">;
  namedShadows: Pick<NamedShadows, "peek">;
  broker: Pick<Broker, "connectionOf">;
  departures: { of(clientId: string): { at: number; reason: string } | undefined };
}

/** Which parts a document has. */
export interface IndexedParts {
  groups: boolean;
  shadows: boolean;
  /** Of named shadows. */
  shadowNames: readonly string[];
  connectivity: boolean;
}

export interface Connectivity {
  connected: boolean;
  /** Milliseconds since the epoch. */
  timestamp: number;
  disconnectReason?: string;
}

type Leaf = string | number | boolean;

/** What `get/accepted` carries. */
interface ShadowView {
  state: Record<string, unknown>;
  metadata: Record<string, unknown>;
  version: number;
}

export interface IndexedThing {
  thing: Thing;
  groups: readonly string[];
  classic?: ShadowView;
  named: ReadonlyMap<string, ShadowView>;
  connectivity?: Connectivity;
}

export function connectivityOf(
  { broker, departures }: Pick<IndexedThingsPorts, "broker" | "departures">,
  thingName: string,
): Connectivity | undefined {
  const connection = broker.connectionOf(thingClientSessionIdOf(thingName));
  if (connection !== undefined) return { connected: true, timestamp: connection.connectedAt };
  const departure = departures.of(thingName);
  return departure && { connected: false, timestamp: departure.at, disconnectReason: departure.reason };
}

export function createIndexedThings(ports: IndexedThingsPorts) {
  const { fleet, namedShadows } = ports;

  async function groupsOf(thingName: string): Promise<string[]> {
    const names: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await fleet.groups.ofThing(thingName, nextToken === undefined ? {} : { nextToken });
      names.push(...page.items.map(({ name }) => name));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return names;
  }

  async function shadowsOf(things: readonly Thing[], shadowNames: readonly string[]): Promise<Map<string, Map<string, ShadowView>>> {
    const keys = things.flatMap(({ name }) => ["", ...shadowNames].map((shadowName) => ({ thingName: name, shadowName })));
    const byThing = new Map<string, Map<string, ShadowView>>();
    for (const row of await namedShadows.peek(keys)) {
      const told = formatThingShadow(parseThingShadow(row, row.version), { atSeconds: Math.floor(row.modifiedAt / 1000) });
      const shadows = byThing.get(row.thingName) ?? new Map<string, ShadowView>();
      byThing.set(row.thingName, shadows.set(row.shadowName, JSON.parse(Buffer.from(told).toString()) as ShadowView));
    }
    return byThing;
  }

  return {
    async load(things: readonly Thing[], parts: IndexedParts): Promise<IndexedThing[]> {
      const shadows = parts.shadows ? await shadowsOf(things, parts.shadowNames) : new Map<string, Map<string, ShadowView>>();
      const loaded: IndexedThing[] = [];
      for (const thing of things) {
        const found = new Map(shadows.get(thing.name));
        const classic = found.get("");
        found.delete("");
        const connectivity = parts.connectivity ? connectivityOf(ports, thing.name) : undefined;
        loaded.push({
          thing,
          groups: parts.groups ? await groupsOf(thing.name) : [],
          named: found,
          ...(classic === undefined ? {} : { classic }),
          ...(connectivity === undefined ? {} : { connectivity }),
        });
      }
      return loaded;
    },
  };
}

function addLeaves(fields: Map<string, Leaf[]>, path: string, value: unknown): void {
  if (Array.isArray(value)) for (const each of value) addLeaves(fields, path, each);
  else if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value)) addLeaves(fields, `${path}.${name}`, inner);
  } else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    const leaves = fields.get(path);
    if (leaves === undefined) fields.set(path, [value]);
    else leaves.push(value);
  }
}

/** Leaves by their names in queries. */
export function indexFieldsOfThing({ thing, groups, classic, named, connectivity }: IndexedThing): IndexFields {
  const fields = new Map<string, Leaf[]>();
  addLeaves(fields, "thingName", thing.name);
  addLeaves(fields, "thingId", thing.id);
  addLeaves(fields, "thingTypeName", thing.typeName);
  addLeaves(fields, "thingGroupNames", [...groups]);
  addLeaves(fields, "attributes", thing.attributes);
  const shadows: [string, ShadowView][] = [...named].map(([name, view]) => [`shadow.name.${name}`, view]);
  if (classic !== undefined) shadows.push(["shadow", classic]);
  for (const [path, { state }] of shadows) {
    addLeaves(fields, path, state);
    addLeaves(fields, `${path}.hasDelta`, Object.hasOwn(state, "delta"));
  }
  addLeaves(fields, "connectivity", connectivity);
  return fields;
}

function shadowDocument({ state, metadata, version }: ShadowView): object {
  return { ...state, metadata, hasDelta: Object.hasOwn(state, "delta"), version };
}

export function formatIndexedThing({ thing, groups, classic, named, connectivity }: IndexedThing): object {
  const names = Object.fromEntries([...named].map(([name, view]) => [name, shadowDocument(view)]));
  const shadow = { ...(classic === undefined ? {} : shadowDocument(classic)), ...(named.size === 0 ? {} : { name: names }) };
  return {
    thingName: thing.name,
    thingId: thing.id,
    ...(thing.typeName === undefined ? {} : { thingTypeName: thing.typeName }),
    thingGroupNames: groups,
    attributes: thing.attributes,
    ...(Object.keys(shadow).length === 0 ? {} : { shadow: JSON.stringify(shadow) }),
    ...(connectivity === undefined ? {} : { connectivity }),
  };
}
