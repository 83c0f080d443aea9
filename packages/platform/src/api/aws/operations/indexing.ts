/**
 * The fleet index (aws-iot.md, 16). Nothing is indexed: a search goes through the things in the order of their names, so many at a
 * time, and whoever wants the rest comes back with `nextToken`.
 */
import {
  defaultIndexQueryLimits,
  type IndexQuery,
  type IndexQueryLimits,
  indexFieldsOf,
  matchesIndexQuery,
  readIndexQuery,
} from "@thingstead/dialects";
import { thingClientSessionIdOf } from "../../../access/index.ts";
import type { Clock } from "../../../clock.ts";
import { PlatformError } from "../../../errors/index.ts";
import type { Fleet, Thing } from "../../../fleet/index.ts";
import { MemberReader } from "../members.ts";
import type { AwsOperation } from "../operation.ts";
import {
  connectivityOf,
  createIndexedThings,
  formatIndexedThing,
  type IndexedParts,
  type IndexedThingsPorts,
  indexFieldsOfThing,
} from "./indexed-things.ts";
import { emptyAnswer, iotOperation, label, toSeconds } from "./iot-operation.ts";

export interface AwsIndexLimits extends IndexQueryLimits {
  searchResultsMax: number;
  /** Things that one call goes through. */
  searchedThingsMax: number;
  /** Of one configuration. */
  indexedShadowNamesMax: number;
}

export const defaultAwsIndexLimits: AwsIndexLimits = {
  ...defaultIndexQueryLimits,
  searchResultsMax: 100,
  searchedThingsMax: 20_000,
  indexedShadowNamesMax: 10,
};

export interface IndexOperationPorts extends IndexedThingsPorts {
  fleet: Pick<Fleet, "things" | "groups" | "records">;
  clock: Pick<Clock, "soon">;
  indexLimits: AwsIndexLimits;
}

const family = "indexing-configuration";
const recordName = "account";
const thingsIndex = "AWS_Things";

const modes = {
  thing: ["OFF", "REGISTRY", "REGISTRY_AND_SHADOW"],
  connectivity: ["OFF", "STATUS"],
  namedShadows: ["OFF", "ON"],
  defender: ["OFF", "VIOLATIONS"],
  groups: ["OFF", "ON"],
} as const;

/** As the vendor writes it. */
interface ThingConfiguration {
  thingIndexingMode: (typeof modes.thing)[number];
  thingConnectivityIndexingMode: (typeof modes.connectivity)[number];
  deviceDefenderIndexingMode: (typeof modes.defender)[number];
  namedShadowIndexingMode: (typeof modes.namedShadows)[number];
  filter?: { namedShadowNames: string[] };
}

interface Configuration {
  thingIndexingConfiguration: ThingConfiguration;
  thingGroupIndexingConfiguration: { thingGroupIndexingMode: (typeof modes.groups)[number] };
}

const off: Configuration = {
  thingIndexingConfiguration: {
    thingIndexingMode: "OFF",
    thingConnectivityIndexingMode: "OFF",
    deviceDefenderIndexingMode: "OFF",
    namedShadowIndexingMode: "OFF",
  },
  thingGroupIndexingConfiguration: { thingGroupIndexingMode: "OFF" },
};

function readThingConfiguration(members: MemberReader, limits: AwsIndexLimits): ThingConfiguration {
  const thingIndexingMode = members.choice("thingIndexingMode", modes.thing) ?? members.refuse("thingIndexingMode", modes.thing.join(", "));
  const defender = members.choice("deviceDefenderIndexingMode", modes.defender) ?? "OFF";
  if (defender !== "OFF") members.refuse("deviceDefenderIndexingMode", "OFF: violations are not kept here");
  const namedShadowNames = members.object("filter")?.textList("namedShadowNames") ?? [];
  if (namedShadowNames.length > limits.indexedShadowNamesMax) {
    members.refuse("filter", `at most ${limits.indexedShadowNamesMax} names of shadows`);
  }
  return {
    thingIndexingMode,
    thingConnectivityIndexingMode: members.choice("thingConnectivityIndexingMode", modes.connectivity) ?? "OFF",
    deviceDefenderIndexingMode: defender,
    namedShadowIndexingMode: members.choice("namedShadowIndexingMode", modes.namedShadows) ?? "OFF",
    ...(namedShadowNames.length === 0 ? {} : { filter: { namedShadowNames } }),
  };
}

function partsOf(configuration: ThingConfiguration): IndexedParts {
  const areNamed = configuration.namedShadowIndexingMode === "ON";
  return {
    groups: true,
    shadows: configuration.thingIndexingMode === "REGISTRY_AND_SHADOW",
    shadowNames: areNamed ? (configuration.filter?.namedShadowNames ?? []) : [],
    connectivity: configuration.thingConnectivityIndexingMode === "STATUS",
  };
}

/** Of those parts, what the query looks at. */
function partsOfQuery(query: IndexQuery, parts: IndexedParts): IndexedParts {
  const { names, any } = indexFieldsOf(query);
  const asks = (head: string): boolean => any || [...names].some((name) => name === head || name.startsWith(`${head}.`));
  return {
    groups: parts.groups && asks("thingGroupNames"),
    shadows: parts.shadows && asks("shadow"),
    shadowNames: any || asks("shadow.name") ? parts.shadowNames : [],
    connectivity: parts.connectivity && asks("connectivity"),
  };
}

/** A page of the list of things, and how many of its things are done with. */
interface Place {
  listToken?: string;
  skipped: number;
}

function formatPlace({ listToken = null, skipped }: { listToken?: string | null; skipped: number }): string {
  return Buffer.from(JSON.stringify(["search", listToken, skipped])).toString("base64url");
}

function readPlace(token: string | undefined): Place {
  if (token === undefined) return { skipped: 0 };
  try {
    const [kind, listToken, skipped]: unknown[] = JSON.parse(Buffer.from(token, "base64url").toString());
    if (kind === "search" && typeof skipped === "number" && Number.isSafeInteger(skipped) && skipped >= 0) {
      if (typeof listToken === "string") return { listToken, skipped };
      if (listToken === null) return { skipped };
    }
  } catch {
    // Told below.
  }
  throw new PlatformError("aws.token_invalid", { received: token.slice(0, 100) });
}

export function createIndexOperations(ports: IndexOperationPorts): AwsOperation[] {
  const { fleet, broker, clock, indexLimits: limits } = ports;
  const indexed = createIndexedThings(ports);
  // Written below and nowhere else.
  const configuration = async (): Promise<Configuration> =>
    ((await fleet.records.find(family, recordName)) as Configuration | undefined) ?? off;

  async function activeConfiguration(indexName: string): Promise<ThingConfiguration> {
    if (indexName !== thingsIndex)
      throw new PlatformError("aws.index_unknown", { received: indexName.slice(0, 100), expected: thingsIndex });
    const { thingIndexingConfiguration } = await configuration();
    if (thingIndexingConfiguration.thingIndexingMode === "OFF") throw new PlatformError("aws.index_off", { received: indexName });
    return thingIndexingConfiguration;
  }

  /** Things of one page that match, and the place behind the last that was looked at. */
  async function searchPage(query: IndexQuery, parts: IndexedParts, place: Place, room: number) {
    const page = await fleet.things.list(place.listToken === undefined ? {} : { nextToken: place.listToken });
    const candidates = page.items.slice(place.skipped);
    const found: Thing[] = [];
    let looked = 0;
    for (const each of await indexed.load(candidates, partsOfQuery(query, parts))) {
      if (found.length === room) break;
      looked++;
      if (matchesIndexQuery(query, indexFieldsOfThing(each))) found.push(each.thing);
    }
    const isDone = looked === candidates.length;
    const next = !isDone
      ? { ...place, skipped: place.skipped + looked }
      : page.nextToken === undefined
        ? undefined
        : { listToken: page.nextToken, skipped: 0 };
    return { found, looked, next };
  }

  return [
    iotOperation("GetIndexingConfiguration", async () => ({ json: await configuration() })),

    iotOperation("UpdateIndexingConfiguration", async (request) => {
      const members = new MemberReader(request.json());
      const things = members.object("thingIndexingConfiguration");
      const groups = members.object("thingGroupIndexingConfiguration");
      if (groups?.choice("thingGroupIndexingMode", modes.groups) === "ON") {
        groups.refuse("thingGroupIndexingMode", "OFF: there is no index of groups here");
      }
      const before = await configuration();
      const after: Configuration = {
        thingIndexingConfiguration: things === undefined ? before.thingIndexingConfiguration : readThingConfiguration(things, limits),
        thingGroupIndexingConfiguration: before.thingGroupIndexingConfiguration,
      };
      await fleet.records.put(family, recordName, after);
      return emptyAnswer;
    }),

    iotOperation("ListIndices", async () => {
      const { thingIndexingConfiguration } = await configuration();
      return { json: { indexNames: thingIndexingConfiguration.thingIndexingMode === "OFF" ? [] : [thingsIndex] } };
    }),

    iotOperation("DescribeIndex", async (request) => {
      const indexName = label(request, "indexName");
      const { thingIndexingMode, thingConnectivityIndexingMode } = await activeConfiguration(indexName);
      const schema = thingConnectivityIndexingMode === "STATUS" ? `${thingIndexingMode}_AND_CONNECTIVITY_STATUS` : thingIndexingMode;
      return { json: { indexName, indexStatus: "ACTIVE", schema } };
    }),

    iotOperation("SearchIndex", async (request) => {
      const members = new MemberReader(request.json());
      const queryString = members.requiredText("queryString");
      const size = members.integer("maxResults", { min: 1, max: limits.searchResultsMax }) ?? limits.searchResultsMax;
      const place = readPlace(members.text("nextToken"));
      const parts = partsOf(await activeConfiguration(members.text("indexName") ?? thingsIndex));
      const reading = readIndexQuery(queryString, limits);
      if (reading.kind === "refused") {
        throw new PlatformError("aws.query_invalid", { received: reading.received, expected: reading.expected });
      }
      const found: Thing[] = [];
      let next: Place | undefined = place;
      for (let searched = 0; next !== undefined && found.length < size && searched < limits.searchedThingsMax; ) {
        const page: Awaited<ReturnType<typeof searchPage>> = await searchPage(reading.query, parts, next, size - found.length);
        found.push(...page.found);
        searched += page.looked;
        next = page.next;
        // Sockets have their turn between pages.
        await new Promise<void>((resolve) => clock.soon(resolve));
      }
      const things = (await indexed.load(found, parts)).map(formatIndexedThing);
      return { json: { things, ...(next === undefined ? {} : { nextToken: formatPlace(next) }) } };
    }),

    iotOperation("GetThingConnectivityData", async (request) => {
      const { name } = await fleet.things.get(label(request, "thingName"));
      const isSocketWanted = new MemberReader(request.json()).flag("includeSocketInformation") ?? false;
      const connectivity = connectivityOf(ports, name);
      if (connectivity === undefined) throw new PlatformError("aws.connectivity_unknown", { received: name });
      const { connected, timestamp, disconnectReason } = connectivity;
      const connection = broker.connectionOf(thingClientSessionIdOf(name));
      const socket = connection?.facts;
      return {
        json: {
          thingName: name,
          connected,
          timestamp: toSeconds(timestamp),
          clientId: name,
          ...(disconnectReason === undefined ? {} : { disconnectReason }),
          ...(connection === undefined ? {} : { keepAliveDuration: connection.keepAliveSeconds, cleanSession: connection.isCleanStart }),
          ...(connection !== undefined && Number.isFinite(connection.sessionExpirySeconds)
            ? { sessionExpiry: connection.sessionExpirySeconds }
            : {}),
          ...(socket !== undefined && isSocketWanted
            ? { sourceIp: socket.remoteAddress, sourcePort: socket.remotePort, targetPort: socket.localPort }
            : {}),
        },
      };
    }),
  ];
}
