/** Shadows: what a device reported last and what programs desire, there while the device is not. */
import type { Clock } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import type { DeviceNames, ServiceDownlink, ShadowChange, ShadowOutcome, Shadows } from "./device-services.ts";
import type { DeviceServicesLimits } from "./limits.ts";
import type { ShadowStore } from "./ports.ts";
import { createRequestCounter } from "./request-counter.ts";
import {
  countAttributes,
  deleteValues,
  depthOf,
  emptyShadow,
  mergeValues,
  type ShadowDocument,
  type ShadowValues,
} from "./shadow-document.ts";
import { createTurns } from "./turns.ts";

export interface ShadowsPorts {
  store: ShadowStore;
  registry: Pick<Registry, "getDevice">;
  downlink: Pick<ServiceDownlink, "isOnline" | "tellShadow">;
  clock: Pick<Clock, "now">;
  limits: DeviceServicesLimits;
}

const keyOf = ({ productKey, deviceName }: DeviceNames): string => `${productKey}/${deviceName}`;

export function createShadows({ store, registry, downlink, clock, limits }: ShadowsPorts): Shadows {
  const turns = createTurns();
  const counter = createRequestCounter({ clock, perSecondMax: limits.shadowRequestsPerSecondMax, keysMax: limits.countedDevicesMax });
  const nowSeconds = (): number => Math.floor(clock.now() / 1000);

  /** Version 0 is that of a document that was reset or never written. */
  function checkVersion(document: ShadowDocument, version: number): boolean {
    return version === -1 || version > document.version;
  }

  const isTooDeep = (values: ShadowValues | null | undefined): boolean => depthOf(values, limits.shadowDepthMax) > limits.shadowDepthMax;

  function problemOf(document: ShadowDocument): "too_many_attributes" | "too_large" | undefined {
    const { reported, desired } = document;
    for (const values of [reported, desired]) {
      if (countAttributes(values) > limits.shadowAttributesMax) return "too_many_attributes";
    }
    return Buffer.byteLength(JSON.stringify({ reported, desired })) > limits.shadowBytesMax ? "too_large" : undefined;
  }

  function changed(before: ShadowDocument, change: ShadowChange): ShadowDocument {
    const at = nowSeconds();
    const version = change.version === -1 ? 0 : change.version;
    const reported = { values: before.reported, times: before.reportedTimes };
    if (change.kind === "delete") {
      const left = change.reported === "all" ? { values: {}, times: {} } : deleteValues(reported, change.reported);
      return { ...before, reported: left.values, reportedTimes: left.times, version, modifiedAt: at };
    }
    const merged = change.reported === undefined ? reported : mergeValues(reported, change.reported, at);
    const cleared = change.clearsDesired ? { desired: {}, desiredTimes: { timestamp: at } } : {};
    return { ...before, ...cleared, reported: merged.values, reportedTimes: merged.times, version, modifiedAt: at };
  }

  return {
    async read(device) {
      await registry.getDevice(device.productKey, device.deviceName);
      return (await store.load(device)) ?? emptyShadow;
    },

    async ask(device) {
      if (!counter.admit(keyOf(device))) return "throttled";
      return store.load(device);
    },

    report(device, change): Promise<ShadowOutcome> {
      if (!counter.admit(keyOf(device))) return Promise.resolve({ kind: "refused", reason: "throttled" });
      // Before anything goes down into it: it may be nested as deeply as a message is long.
      if (change.kind === "update" && isTooDeep(change.reported)) return Promise.resolve({ kind: "refused", reason: "too_deep" });
      return turns.take(keyOf(device), async () => {
        const before = (await store.load(device)) ?? emptyShadow;
        if (!checkVersion(before, change.version)) return { kind: "refused", reason: "version_conflict", version: before.version };
        const after = changed(before, change);
        // Deleting must stay possible in a document that outgrew lowered limits.
        const problem = change.kind === "delete" ? undefined : problemOf(after);
        if (problem !== undefined) return { kind: "refused", reason: problem };
        await store.save(device, after);
        return { kind: "done", version: after.version };
      });
    },

    async desire(device, { desired, isDelta, version }) {
      await registry.getDevice(device.productKey, device.deviceName);
      if (isTooDeep(desired)) throw new PlatformError("device_services.shadow_too_deep", { expected: limits.shadowDepthMax });
      return turns.take(keyOf(device), async () => {
        const before = (await store.load(device)) ?? emptyShadow;
        const isChecked = version !== undefined && version !== 0;
        if (isChecked && !checkVersion(before, version)) {
          throw new PlatformError("device_services.shadow_version_conflict", { received: version, expected: `above ${before.version}` });
        }
        const at = nowSeconds();
        const base = isDelta ? { values: before.desired, times: before.desiredTimes } : { values: {}, times: {} };
        const { values, times } = desired === null ? { values: {}, times: { timestamp: at } } : mergeValues(base, desired, at);
        const next = !isChecked ? before.version + 1 : version === -1 ? 0 : version;
        const after = { ...before, desired: values, desiredTimes: times, version: next, modifiedAt: at };
        refuseUnfit(after, problemOf(after), limits);
        await store.save(device, after);
        // An offline device asks when it is back.
        if (downlink.isOnline(device.productKey, device.deviceName)) downlink.tellShadow(device, after);
        return after;
      });
    },
  };
}

function refuseUnfit(
  document: ShadowDocument,
  problem: "too_many_attributes" | "too_large" | undefined,
  limits: DeviceServicesLimits,
): void {
  if (problem === undefined) return;
  if (problem === "too_many_attributes") {
    throw new PlatformError("device_services.shadow_too_many_attributes", {
      received: countAttributes(document.desired),
      expected: limits.shadowAttributesMax,
    });
  }
  throw new PlatformError("device_services.shadow_too_large", { expected: limits.shadowBytesMax });
}
