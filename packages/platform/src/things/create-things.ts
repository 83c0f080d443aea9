/** The room of things, put together. */
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import { createCalls } from "./calls.ts";
import { defaultThingLimits, type ThingLimits } from "./limits.ts";
import type { ThingHistory, ThingModelStore } from "./ports.ts";
import { ProductModels } from "./product-models.ts";
import { createReadings } from "./readings.ts";
import { createReports } from "./reports.ts";
import { createThingModels } from "./thing-models.ts";
import type { ThingChange, ThingDownlink, Things } from "./things.ts";

interface ThingsPorts {
  store: ThingModelStore;
  history: ThingHistory;
  registry: Pick<Registry, "findProduct" | "onChange">;
  downlink: ThingDownlink;
  clock: Pick<Clock, "now">;
  limits?: Partial<ThingLimits>;
  /** Something of a deleted device could not be forgotten. */
  report(problem: PlatformError): void;
}

/**
 * Thing models, reports, calls and their history.
 *
 * @example
 * const things = createThings({ store: store.thingModels, history: new SqliteHistory(…), registry, downlink, clock, report });
 * await things.open();
 * const { checkFailedData } = await things.reportProperties(device, { LightSwitch: 1 }, clock.now());
 */
export function createThings({ store, history, registry, downlink, clock, limits: given, report }: ThingsPorts): Things {
  const limits = { ...defaultThingLimits, ...given };
  const models = new ProductModels(store, limits.modelsCachedMax);
  const listeners: ((change: ThingChange) => void)[] = [];
  /** A report that was under way when its device was deleted must not bring it back. */
  const deleted = new Set<string>();

  function tell(change: ThingChange): void {
    for (const listener of listeners) listener(change);
  }

  function forget(iotId: string): Promise<void> {
    deleted.add(iotId);
    if (deleted.size > limits.deletedDevicesRememberedMax) {
      const oldest = deleted.values().next();
      if (!oldest.done) deleted.delete(oldest.value);
    }
    return history.forgetDevice(iotId);
  }

  registry.onChange((change) => {
    if (change.kind === "device.created") deleted.delete(change.iotId);
    if (change.kind === "product.created" || change.kind === "product.deleted") models.forget(change.productKey);
    if (change.kind !== "device.deleted") return;
    forget(change.iotId).catch((error: unknown) => {
      report(
        error instanceof PlatformError ? error : new PlatformError("things.history_failed", { file: "history", problem: String(error) }),
      );
    });
  });

  return {
    models: createThingModels({ store, models, registry, clock, limits }),
    ...createReports({ models, history, limits, tell, hasListeners: () => listeners.length > 0, isDeleted: (iotId) => deleted.has(iotId) }),
    ...createCalls({ models, history, downlink, clock, limits, tell }),
    ...createReadings({ models, history, limits }),
    onChange(listener) {
      listeners.push(listener);
    },
    forgetDevice: (device) => forget(device.iotId),
    open: () => history.open(),
    close: () => history.close(),
  };
}
