/** What devices report: checked against the model, stored, told. */
import type { EventRecord, PropertyRecord, TimedValue } from "@thingstead/thing-model";
import type { ThingLimits } from "./limits.ts";
import type { ThingHistory } from "./ports.ts";
import type { ProductModel, ProductModels } from "./product-models.ts";
import type { DeviceRef, EventReport, PropertyReport, RecordsReport, StoredValue, ThingChange, Things } from "./things.ts";

interface ReportsPorts {
  models: ProductModels;
  history: ThingHistory;
  limits: ThingLimits;
  tell(change: ThingChange): void;
  hasListeners(): boolean;
  isDeleted(iotId: string): boolean;
}

type Reports = Pick<Things, "reportProperties" | "reportEvent" | "reportRecords" | "reportPack">;

const eventTypeUnknown = "info";

export function createReports({ models, history, limits, tell, hasListeners, isDeleted }: ReportsPorts): Reports {
  /** The map with running-ahead times replaced; the same one when there is none, as nearly always. */
  function withSaneTimes<V extends TimedValue>(values: Readonly<Record<string, V>>, receivedAt: number): Readonly<Record<string, V>> {
    const timeMax = receivedAt + limits.aheadMillisecondsMax;
    for (const name in values) {
      if ((values[name]?.time ?? 0) <= timeMax) continue;
      const sane = Object.entries(values).map(([key, value]): [string, V] => [
        key,
        value.time > timeMax ? { ...value, time: receivedAt } : value,
      ]);
      return Object.fromEntries(sane);
    }
    return values;
  }

  function withSaneTime<R extends { time: number }>(record: R, receivedAt: number): R {
    return record.time > receivedAt + limits.aheadMillisecondsMax ? { ...record, time: receivedAt } : record;
  }

  function admit(device: DeviceRef): boolean {
    history.admit();
    return !isDeleted(device.iotId);
  }

  function storeProperties(model: ProductModel, device: DeviceRef, params: unknown, receivedAt: number): Promise<PropertyReport> {
    const isKept = admit(device);
    const check = model.validator.checkPropertyReport(params, receivedAt);
    const items = withSaneTimes(check.items, receivedAt);
    const report: PropertyReport = items === check.items ? check : { ...check, items };
    let isEmpty = true;
    for (const name in items) {
      const item = items[name];
      if (item === undefined || !isKept) continue;
      isEmpty = false;
      history.saveValue(device.iotId, name, item.value, item.time, true);
    }
    if (isEmpty) return Promise.resolve(report);
    return history.committed().then(() => {
      if (hasListeners()) tell({ kind: "properties", device, items, receivedAt });
      return report;
    });
  }

  function saveEvent(model: ProductModel, device: DeviceRef, { identifier, time, value }: EventRecord): void {
    const type = model.events.get(identifier)?.type ?? eventTypeUnknown;
    history.saveEvent(device.iotId, { identifier, type, time, value });
  }

  function checkRecords(model: ProductModel, part: unknown, receivedAt: number): RecordsReport {
    const check = model.validator.checkRecords(part, receivedAt);
    return {
      ...check,
      properties: check.properties.map((record): PropertyRecord => withSaneTime(record, receivedAt)),
      events: check.events.map((record): EventRecord => withSaneTime(record, receivedAt)),
    };
  }

  function saveRecords(model: ProductModel, device: DeviceRef, report: RecordsReport, isHistory: boolean): void {
    if (isDeleted(device.iotId)) return;
    for (const { identifier, value, time } of report.properties) history.saveValue(device.iotId, identifier, value, time, !isHistory);
    for (const event of report.events) saveEvent(model, device, event);
  }

  function tellRecords(device: DeviceRef, report: RecordsReport, receivedAt: number): void {
    if (!hasListeners()) return;
    const items: Record<string, StoredValue> = {};
    for (const { identifier, value, time } of report.properties) {
      const known = Object.hasOwn(items, identifier) ? items[identifier] : undefined;
      if (known === undefined || known.time <= time)
        Object.defineProperty(items, identifier, { value: { value, time }, enumerable: true, configurable: true, writable: true });
    }
    if (report.properties.length > 0) tell({ kind: "properties", device, items, receivedAt });
    for (const { identifier, value, time } of report.events) tell({ kind: "event", device, identifier, value, time });
  }

  return {
    reportProperties(device, params, receivedAt) {
      const model = models.peek(device.productKey);
      if (model === undefined) return models.get(device.productKey).then((loaded) => storeProperties(loaded, device, params, receivedAt));
      try {
        return storeProperties(model, device, params, receivedAt);
      } catch (error) {
        return Promise.reject(error);
      }
    },

    async reportEvent(device, identifier, params, receivedAt) {
      const model = models.peek(device.productKey) ?? (await models.get(device.productKey));
      const isKept = admit(device);
      const check = model.validator.checkEvent(identifier, params, receivedAt);
      if (check.refusal !== undefined || !isKept) return check;
      const report: EventReport = withSaneTime(check, receivedAt);
      const { time, value } = report;
      saveEvent(model, device, { identifier, time, value, checkFailedData: report.checkFailedData });
      await history.committed();
      tell({ kind: "event", device, identifier, value, time });
      return report;
    },

    async reportRecords(device, part, receivedAt, { isHistory }) {
      const model = models.peek(device.productKey) ?? (await models.get(device.productKey));
      admit(device);
      const report = checkRecords(model, part, receivedAt);
      if (report.refusal !== undefined) return report;
      saveRecords(model, device, report, isHistory);
      await history.committed();
      if (!isHistory) tellRecords(device, report, receivedAt);
      return report;
    },

    async reportPack(parts, receivedAt) {
      const loaded = await Promise.all(parts.map(({ device }) => models.get(device.productKey)));
      const checked = parts.flatMap(({ device, part }, index) => {
        const model = loaded[index];
        return model === undefined ? [] : [{ device, model, report: checkRecords(model, part, receivedAt) }];
      });
      const reports = checked.map(({ report }) => report);
      // All or nothing [alibaba-device 5.8].
      const isStored = reports.every(({ refusal, problems }) => refusal === undefined && problems.length === 0);
      if (!isStored) return { isStored, reports };
      for (const { device } of checked) admit(device);
      for (const { device, model, report } of checked) saveRecords(model, device, report, false);
      await history.committed();
      for (const { device, report } of checked) tellRecords(device, report, receivedAt);
      return { isStored, reports };
    },
  };
}
