/** Nouns of thing models and of what devices report, as schemas and views. */
import { Type } from "typebox";
import { PlatformError } from "../../errors/index.ts";
import type { Registry } from "../../registry/index.ts";
import type { DesiredValue, DeviceRef, StoredValue, TimePage, TimeRange } from "../../things/index.ts";
import type { ApiLimits } from "../limits.ts";
import { devicePath } from "./schemas.ts";
import { formatTime, parseTime } from "./views.ts";

export const strict = { additionalProperties: false } as const;

const dateTime = (description: string) => Type.String({ format: "date-time", description });

export const devicePart = "/products/:productKey/devices/:deviceName";

export const identifierPath = Type.Object(
  { ...devicePath.properties, identifier: Type.String({ description: "As in the thing model; `module:identifier` in a custom module." }) },
  strict,
);

/** A value of any type of the thing model. */
export const anyValue = Type.Unknown({ description: "As the thing model says." });

export const timedValueSchema = Type.Object({ value: anyValue, time: dateTime("The device's time, or when its message came.") }, strict);

export const desiredValueSchema = Type.Object(
  {
    value: anyValue,
    time: dateTime("When it was set."),
    version: Type.Integer({ description: "1 at the first set, then one more each time." }),
  },
  strict,
);

export const valuesBody = Type.Record(Type.String(), Type.Unknown(), {
  description: "Values by identifier, checked against the thing model.",
});

/** From, to, order, page: what every history takes. */
export function rangeQuery(limits: ApiLimits) {
  return {
    from: Type.Optional(
      Type.String({ description: "ISO 8601 or milliseconds since the epoch, included. Default: as far back as is kept." }),
    ),
    to: Type.Optional(Type.String({ description: "The same, included. Default: now." })),
    order: Type.Enum(["ascending", "descending"], { default: "descending" }),
    limit: Type.Integer({ minimum: 1, maximum: limits.pageSizeMax, default: limits.pageSizeDefault }),
    cursor: Type.Optional(Type.String({ description: "From an earlier answer." })),
  };
}

interface RangeQuery {
  from?: string;
  to?: string;
  order: "ascending" | "descending";
  limit: number;
  cursor?: string;
}

export function toRange({ from, to, order, limit, cursor }: RangeQuery, now: number): TimeRange {
  return {
    ...toTimes({ ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }, now),
    isAscending: order === "ascending",
    entriesMax: limit,
    ...(cursor === undefined ? {} : { cursor }),
  };
}

export function toTimes({ from, to }: { from?: string; to?: string }, now: number): { from: number; to: number } {
  return {
    from: from === undefined ? 0 : parseTime(from, "querystring/from"),
    to: to === undefined ? now : parseTime(to, "querystring/to"),
  };
}

export function toTimedView({ value, time }: StoredValue): { value: unknown; time: string } {
  return { value, time: formatTime(time) };
}

export function toDesiredView({ value, time, version }: DesiredValue): { value: unknown; time: string; version: number } {
  return { value, time: formatTime(time), version };
}

export function toTimePageView<T, View>({ items, cursor }: TimePage<T>, toView: (item: T) => View): { items: View[]; cursor?: string } {
  return { items: items.map(toView), ...(cursor === undefined ? {} : { cursor }) };
}

export function mapValues<T, View>(values: Readonly<Record<string, T>>, toView: (value: T) => View): Record<string, View> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toView(value)]));
}

/** Throws `registry.device_not_found`. */
export async function findDeviceRef(
  registry: Pick<Registry, "findDevice">,
  { productKey, deviceName }: { productKey: string; deviceName: string },
): Promise<DeviceRef> {
  const device = await registry.findDevice(productKey, deviceName);
  if (device === undefined) throw new PlatformError("registry.device_not_found", { productKey, deviceName });
  return { productKey, deviceName, iotId: device.iotId };
}
