/** What devices reported, were asked and should be (reference 1.8.H). */
import { isNestedTooDeep } from "@thingstead/dialects";
import type { DataType, Property, ThingModel } from "@thingstead/thing-model";
import { wireIdentifier } from "@thingstead/thing-model";
import { PlatformError } from "../../../errors/index.ts";
import type { Device } from "../../../registry/index.ts";
import type { DeviceRef, StoredCall, StoredEvent, Things, TimePage, TimeRange } from "../../../things/index.ts";
import { defineOperation, type OperationPorts, type OperationTable, oneOf } from "../operation.ts";
import { deviceSelector, findSelectedDevice } from "./device-selector.ts";

const timeBucket = { StartTime: "integer", EndTime: "integer" } as const;
const entriesUsual = 50;
const eventTypes = ["info", "alert", "error"] as const;

export const thingDataOperations: OperationTable = {
  SetDeviceProperty: defineOperation({ ...deviceSelector, Items: "text", Qos: "integer?" }, async (input, ports) => {
    oneOf("Qos", input.Qos ?? 0, [0, 1]);
    const device = refOf(await findSelectedDevice(input, ports.registry));
    const { id } = await ports.things.setProperties(device, readJson("Items", input.Items));
    return { Data: { MessageId: id } };
  }),

  SetDevicesProperty: defineOperation(
    { ProductKey: "text", DeviceName: "list", Items: "text", Qos: "integer?" },
    async ({ ProductKey, DeviceName, Items, Qos }, ports) => {
      oneOf("Qos", Qos ?? 0, [0, 1]);
      const values = readJson("Items", Items);
      await toEach(ProductKey, DeviceName, ports, (device) => ports.things.setProperties(device, values));
      return {};
    },
  ),

  InvokeThingService: defineOperation({ ...deviceSelector, Identifier: "text", Args: "text", Qos: "integer?" }, async (input, ports) => {
    oneOf("Qos", input.Qos ?? 0, [0, 1]);
    const device = refOf(await findSelectedDevice(input, ports.registry));
    const { id, output } = await ports.things.callService(device, input.Identifier, readJson("Args", input.Args));
    return { Data: { MessageId: id, Result: output === undefined ? undefined : JSON.stringify(output) } };
  }),

  InvokeThingsService: defineOperation(
    { ProductKey: "text", DeviceName: "list", Identifier: "text", Args: "text", Qos: "integer?" },
    async ({ ProductKey, DeviceName, Identifier, Args, Qos }, ports) => {
      oneOf("Qos", Qos ?? 0, [0, 1]);
      const service = functionsOf(await ports.things.models.published(ProductKey), "services").get(Identifier);
      if (service?.callType === "sync") throw new PlatformError("alibaba.service_not_async", { received: Identifier });
      const args = readJson("Args", Args);
      await toEach(ProductKey, DeviceName, ports, (device) => ports.things.callService(device, Identifier, args));
      return {};
    },
  ),

  QueryDevicePropertyStatus: defineOperation({ ...deviceSelector, FunctionBlockId: "text?" }, async (input, { registry, things }) => {
    const device = refOf(await findSelectedDevice(input, registry));
    const values = await things.currentValues(device);
    const properties = await propertiesOf(things, device.productKey, input.FunctionBlockId);
    const PropertyStatusInfo = [...properties].map(([Identifier, { name, dataType }]) => {
      const stored = values[Identifier];
      return {
        Identifier,
        Name: name,
        DataType: dataType.type,
        Unit: unitOf(dataType),
        ...(stored === undefined ? {} : { Time: String(stored.time), Value: showValue(stored.value) }),
      };
    });
    return { Data: { List: { PropertyStatusInfo } } };
  }),

  QueryDevicePropertyData: defineOperation(
    { ...deviceSelector, Identifier: "text", Asc: "integer", ...timeBucket, PageSize: "integer" },
    async (input, { registry, things, limits }) => {
      const device = refOf(await findSelectedDevice(input, registry));
      const range = readRange(input, input.PageSize, limits.historyEntriesMax);
      const { items, ...next } = await readPage((each) => things.propertyHistory(device, input.Identifier, each), range);
      const PropertyInfo = items.map(({ time, value }) => ({ Time: String(time), Value: showValue(value) }));
      return { Data: { List: { PropertyInfo }, ...next } };
    },
  ),

  QueryDevicePropertiesData: defineOperation(
    { ...deviceSelector, Identifier: "list", Asc: "integer", ...timeBucket, PageSize: "integer" },
    async (input, { registry, things, limits }) => {
      const { Identifier } = input;
      if (Identifier.length > limits.identifiersMax)
        throw new PlatformError("alibaba.too_many_identifiers", { received: Identifier.length, expected: limits.identifiersMax });
      const device = refOf(await findSelectedDevice(input, registry));
      const range = readRange(input, input.PageSize, limits.propertiesEntriesMax);
      const pages = await Promise.all(
        Identifier.map(async (identifier) => ({
          identifier,
          ...(await readPage((each) => things.propertyHistory(device, identifier, each), range)),
        })),
      );
      // One time for all: what is asked for next begins where the first of them stopped.
      const nexts = pages.flatMap(({ NextTime }) => (NextTime === undefined ? [] : [NextTime]));
      const PropertyDataInfo = pages.map(({ identifier, items }) => ({
        Identifier: identifier,
        List: { PropertyInfo: items.map(({ time, value }) => ({ Time: time, Value: showValue(value) })) },
      }));
      const NextTime = nexts.length === 0 ? undefined : range.isAscending ? Math.min(...nexts) : Math.max(...nexts);
      return { PropertyDataInfos: { PropertyDataInfo }, NextValid: nexts.length > 0, NextTime };
    },
  ),

  QueryDeviceEventData: defineOperation(
    { ...deviceSelector, Identifier: "text?", EventType: "text?", Asc: "integer?", ...timeBucket, PageSize: "integer?" },
    async (input, { registry, things, limits }) => {
      const device = refOf(await findSelectedDevice(input, registry));
      const range = readRange({ ...input, Asc: input.Asc ?? 0 }, input.PageSize ?? entriesUsual, limits.historyEntriesMax);
      const filter = {
        ...(input.Identifier ? { identifier: input.Identifier } : {}),
        ...(input.EventType ? { type: oneOf("EventType", input.EventType, eventTypes) } : {}),
      };
      const { items, ...next } = await readPage((each) => things.eventHistory(device, filter, each), range);
      return { Data: { List: { EventInfo: items.map(showEvent) }, ...next } };
    },
  ),

  QueryDeviceServiceData: defineOperation(
    { ...deviceSelector, Identifier: "text?", Asc: "integer?", ...timeBucket, PageSize: "integer?" },
    async (input, { registry, things, limits }) => {
      const device = refOf(await findSelectedDevice(input, registry));
      const range = readRange({ ...input, Asc: input.Asc ?? 0 }, input.PageSize ?? entriesUsual, limits.historyEntriesMax);
      const filter = input.Identifier ? { identifier: input.Identifier } : {};
      const { items, ...next } = await readPage((each) => things.serviceHistory(device, filter, each), range);
      return { Data: { List: { ServiceInfo: items.map(showCall) }, ...next } };
    },
  ),

  SetDeviceDesiredProperty: defineOperation(
    { ...deviceSelector, Items: "text", Versions: "text" },
    async (input, { registry, things, limits, nextMessageId }) => {
      const device = refOf(await findSelectedDevice(input, registry));
      const items = readJson("Items", input.Items);
      const count = Object.keys(items).length;
      if (count > limits.identifiersMax)
        throw new PlatformError("alibaba.too_many_identifiers", { received: count, expected: limits.identifiersMax });
      const versions = readVersions(readJson("Versions", input.Versions));
      const stored = await things.setDesired(device, items, versions);
      return { Data: { MessageId: nextMessageId(), Versions: JSON.stringify(stored) } };
    },
  ),

  QueryDeviceDesiredProperty: defineOperation(
    { ...deviceSelector, FunctionBlockId: "text?", Identifier: "list?" },
    async (input, { registry, things, limits }) => {
      const { Identifier } = input;
      if (Identifier.length > limits.identifiersMax)
        throw new PlatformError("alibaba.too_many_identifiers", { received: Identifier.length, expected: limits.identifiersMax });
      const device = refOf(await findSelectedDevice(input, registry));
      const properties = await propertiesOf(things, device.productKey, input.FunctionBlockId);
      const wanted = Identifier.length === 0 ? [...properties.keys()] : Identifier;
      const desired = await things.desired(device, wanted);
      const DesiredPropertyInfo = wanted.flatMap((identifier) => {
        const property = properties.get(identifier);
        const value = desired[identifier];
        // Version 0 says that it was never set.
        if (property === undefined && value === undefined) return [];
        return [
          {
            Identifier: identifier,
            Name: property?.name ?? identifier,
            DataType: property?.dataType.type ?? "",
            Unit: property === undefined ? "" : unitOf(property.dataType),
            Version: value?.version ?? 0,
            ...(value === undefined ? {} : { Time: String(value.time), Value: showValue(value.value) }),
          },
        ];
      });
      return { Data: { List: { DesiredPropertyInfo } } };
    },
  ),

  ClearDeviceDesiredProperty: defineOperation({ ...deviceSelector, Identifies: "list?" }, async (input, { registry, things, limits }) => {
    const { Identifies } = input;
    if (Identifies.length > limits.identifiersMax)
      throw new PlatformError("alibaba.too_many_identifiers", { received: Identifies.length, expected: limits.identifiersMax });
    const device = refOf(await findSelectedDevice(input, registry));
    const identifiers = Identifies.length > 0 ? Identifies : Object.keys(await things.desired(device));
    await things.clearDesired(device, Object.fromEntries(identifiers.map((identifier) => [identifier, {}])));
    return {};
  }),

  QueryDeviceOriginalPropertyData: defineOperation(
    { ...deviceSelector, Identifier: "text", Asc: "integer", ...timeBucket, PageSize: "integer", NextPageToken: "text?" },
    async (input, { registry, things, limits }) => {
      const device = refOf(await findSelectedDevice(input, registry));
      const range = withToken(readRange(input, input.PageSize, limits.historyEntriesMax), input.NextPageToken);
      const { items, cursor } = await things.propertyHistory(device, input.Identifier, range);
      const PropertyInfo = items.map(({ time, value }) => ({ Time: String(time), Value: showValue(value) }));
      // The first letter is small here and only here.
      return { Data: { List: { PropertyInfo }, NextValid: cursor !== undefined, nextPageToken: cursor } };
    },
  ),

  QueryDeviceOriginalPropertyStatus: defineOperation(
    { ...deviceSelector, Asc: "integer", PageSize: "integer", NextPageToken: "text?" },
    async (input, { registry, things, limits }) => {
      const isAscending = oneOf("Asc", input.Asc, [0, 1]) === 1;
      const size = pageSize(input.PageSize, limits.historyEntriesMax);
      const device = refOf(await findSelectedDevice(input, registry));
      const all = Object.entries(await things.currentValues(device)).sort(([left], [right]) => (left < right ? -1 : 1));
      const ordered = isAscending ? all : all.reverse();
      const token = input.NextPageToken;
      const rest = token ? ordered.filter(([identifier]) => (isAscending ? identifier > token : identifier < token)) : ordered;
      const page = rest.slice(0, size);
      const isMore = rest.length > size;
      const PropertyStatusDataInfo = page.map(([Identifier, { time, value }]) => ({ Identifier, Time: time, Value: showValue(value) }));
      return { Data: { List: { PropertyStatusDataInfo }, NextValid: isMore, NextPageToken: isMore ? page.at(-1)?.[0] : undefined } };
    },
  ),

  QueryDeviceOriginalEventData: defineOperation(
    { ...deviceSelector, Identifier: "text", Asc: "integer", ...timeBucket, PageSize: "integer", NextPageToken: "text?" },
    async (input, { registry, things, limits }) => {
      const device = refOf(await findSelectedDevice(input, registry));
      const range = withToken(readRange(input, input.PageSize, limits.historyEntriesMax), input.NextPageToken);
      const { items, cursor } = await things.eventHistory(device, { identifier: input.Identifier }, range);
      return { Data: { List: { EventInfo: items.map(showEvent) }, NextValid: cursor !== undefined, NextPageToken: cursor } };
    },
  ),

  QueryDeviceOriginalServiceData: defineOperation(
    { ...deviceSelector, Identifier: "text", Asc: "integer", ...timeBucket, PageSize: "integer", NextPageToken: "text?" },
    async (input, { registry, things, limits }) => {
      const device = refOf(await findSelectedDevice(input, registry));
      const range = withToken(readRange(input, input.PageSize, limits.historyEntriesMax), input.NextPageToken);
      const { items, cursor } = await things.serviceHistory(device, { identifier: input.Identifier }, range);
      return { Data: { List: { ServiceInfo: items.map(showCall) }, NextValid: cursor !== undefined, NextPageToken: cursor } };
    },
  ),
};

function refOf({ productKey, deviceName, iotId }: Device): DeviceRef {
  return { productKey, deviceName, iotId };
}

/** An object in a text. */
function readJson(parameter: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    if (!isNestedTooDeep(text)) value = JSON.parse(text);
  } catch {
    // Told below.
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new PlatformError("alibaba.parameter_not_json", { parameter, received: text.slice(0, 200), expected: "a JSON object" });
}

function readVersions(versions: Record<string, unknown>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(versions).map(([identifier, version]) => {
      if (typeof version === "number") return [identifier, version];
      throw new PlatformError("alibaba.parameter_not_json", {
        parameter: "Versions",
        received: `${identifier}: ${JSON.stringify(version)}`,
        expected: "numbers",
      });
    }),
  );
}

/** Unknown names are found before anything is sent; offline devices are no reason to leave the others out. */
async function toEach(
  productKey: string,
  deviceNames: readonly string[],
  { registry, limits }: OperationPorts,
  send: (device: DeviceRef) => Promise<unknown>,
): Promise<void> {
  if (deviceNames.length > limits.publishDevicesMax)
    throw new PlatformError("alibaba.too_many_devices", { received: deviceNames.length, expected: limits.publishDevicesMax });
  const devices = await Promise.all(deviceNames.map((deviceName) => registry.getDevice(productKey, deviceName)));
  const outcomes = await Promise.allSettled(devices.map((device) => send(refOf(device))));
  const failed = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason as unknown] : []));
  if (failed.length === 0) return;
  const [first] = failed;
  if (!(first instanceof PlatformError) || failed.length === outcomes.length) throw first;
  const reasons = outcomes.flatMap((outcome, index) =>
    outcome.status === "rejected" ? [`${deviceNames[index]}: ${(outcome.reason as Error).message}`] : [],
  );
  throw new PlatformError("alibaba.batch_call_failed", {
    sent: outcomes.length - failed.length,
    failed: failed.length,
    reasons: reasons.join("; ").slice(0, 2_000),
  });
}

interface Bucket {
  Asc: number;
  StartTime: number;
  EndTime: number;
}

/** From old to new with `Asc` 1; with 0 the start is the newer end. */
function readRange({ Asc, StartTime, EndTime }: Bucket, entries: number, entriesMax: number): TimeRange {
  const isAscending = oneOf("Asc", Asc, [0, 1]) === 1;
  const [from, to] = isAscending ? [StartTime, EndTime] : [EndTime, StartTime];
  // Both ways round are seen in programs of the ascending kind; only what nothing can match is refused.
  if (from > to)
    throw new PlatformError("alibaba.time_bucket_invalid", {
      received: `${StartTime} to ${EndTime} with Asc ${Asc}`,
      expected: isAscending ? "StartTime before EndTime" : "StartTime after EndTime",
    });
  return { from, to, isAscending, entriesMax: pageSize(entries, entriesMax) };
}

function pageSize(entries: number, entriesMax: number): number {
  if (entries < 1 || entries > entriesMax)
    throw new PlatformError("alibaba.page_invalid", { page: 1, pageSize: entries, pageSizeMax: entriesMax });
  return entries;
}

function withToken(range: TimeRange, token: string | undefined): TimeRange {
  return token ? { ...range, cursor: token } : range;
}

/**
 * The vendor's callers go on from a time, not from a cursor: it is that of the first entry not shown, and entries of that same
 * time are left for the next page, so that none is skipped.
 */
async function readPage<T extends { time: number }>(read: (range: TimeRange) => Promise<TimePage<T>>, range: TimeRange) {
  const { items } = await read({ ...range, entriesMax: range.entriesMax + 1 });
  const next = items[range.entriesMax];
  if (next === undefined) return { items, NextValid: false, NextTime: undefined };
  const page = items.slice(0, range.entriesMax);
  const whole = page.filter(({ time }) => time !== next.time);
  if (whole.length > 0) return { items: whole, NextValid: true, NextTime: next.time };
  // A page full of one moment: whoever asks by time cannot see the rest of it.
  return { items: page, NextValid: true, NextTime: range.isAscending ? next.time + 1 : next.time - 1 };
}

/** The vendor gives every value as text; structs and arrays as JSON. */
function showValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function showEvent({ identifier, name, type, time, value }: StoredEvent) {
  return { Identifier: identifier, Name: name, EventType: type, Time: String(time), OutputData: JSON.stringify(value) };
}

function showCall({ identifier, name, time, input, output }: StoredCall) {
  return {
    Identifier: identifier,
    Name: name,
    Time: String(time),
    InputData: JSON.stringify(input),
    OutputData: output === undefined ? "" : JSON.stringify(output),
  };
}

function unitOf(dataType: DataType): string {
  return dataType.type === "int" || dataType.type === "float" || dataType.type === "double" ? (dataType.specs?.unit ?? "") : "";
}

function functionsOf<K extends "properties" | "services">(modules: readonly ThingModel[], kind: K): Map<string, ThingModel[K][number]> {
  return new Map(
    modules.flatMap((model) => model[kind].map((each): [string, ThingModel[K][number]] => [wireIdentifier(model, each.identifier), each])),
  );
}

/** Of one module where it is named, of all otherwise; by identifiers as on the wire. */
async function propertiesOf(things: Things, productKey: string, functionBlockId: string | undefined): Promise<Map<string, Property>> {
  const modules = await things.models.published(productKey);
  if (!functionBlockId) return functionsOf(modules, "properties");
  const wanted = modules.filter((model) => model.functionBlockId === functionBlockId);
  if (wanted.length === 0) throw new PlatformError("things.module_not_found", { productKey, functionBlockId });
  return functionsOf(wanted, "properties");
}
