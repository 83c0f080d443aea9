/** Questions about what was reported, checked before the store is asked. */
import { PlatformError } from "../errors/index.ts";
import type { ThingLimits } from "./limits.ts";
import type { ThingHistory } from "./ports.ts";
import type { ProductModels } from "./product-models.ts";
import type { DeviceRef, Things, TimeRange } from "./things.ts";

interface ReadingsPorts {
  models: ProductModels;
  history: ThingHistory;
  limits: ThingLimits;
}

type Readings = Pick<Things, "currentValues" | "propertyHistory" | "aggregate" | "eventHistory" | "serviceHistory">;

export function createReadings({ models, history, limits }: ReadingsPorts): Readings {
  function checkTimes({ from, to }: { from: number; to: number }): void {
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from > to)
      throw new PlatformError("things.time_range", {
        received: `${from} to ${to}`,
        expected: "two times in milliseconds, the first not after the second",
      });
  }

  function checkRange(range: TimeRange): void {
    checkTimes(range);
    const { pageEntriesMax } = limits;
    if (!Number.isInteger(range.entriesMax) || range.entriesMax < 1 || range.entriesMax > pageEntriesMax)
      throw new PlatformError("things.page_size", { received: range.entriesMax, expected: `1-${pageEntriesMax}` });
  }

  async function nameOf(device: DeviceRef, kind: "events" | "services"): Promise<(identifier: string) => string> {
    const model = await models.get(device.productKey);
    return (identifier) => model[kind].get(identifier)?.name ?? identifier;
  }

  return {
    currentValues: (device) => history.currentValues(device.iotId),

    async propertyHistory(device, identifier, range) {
      checkRange(range);
      return history.values(device.iotId, identifier, range);
    },

    async aggregate(device, identifier, query) {
      checkTimes(query);
      const { bucketMilliseconds, from, to } = query;
      const { bucketsMax } = limits;
      if (!Number.isSafeInteger(bucketMilliseconds) || bucketMilliseconds < 1 || (to - from) / bucketMilliseconds > bucketsMax)
        throw new PlatformError("things.time_range", {
          received: `buckets of ${bucketMilliseconds} ms`,
          expected: `at most ${bucketsMax} buckets of 1 ms and more between from and to`,
        });
      return history.aggregate(device.iotId, identifier, query);
    },

    async eventHistory(device, filter, range) {
      checkRange(range);
      const [page, nameOfEvent] = await Promise.all([history.events(device.iotId, filter, range), nameOf(device, "events")]);
      return { ...page, items: page.items.map((event) => ({ ...event, name: nameOfEvent(event.identifier) })) };
    },

    async serviceHistory(device, filter, range) {
      checkRange(range);
      const [page, nameOfService] = await Promise.all([history.calls(device.iotId, filter, range), nameOf(device, "services")]);
      return { ...page, items: page.items.map((call) => ({ ...call, name: nameOfService(call.identifier) })) };
    },
  };
}
