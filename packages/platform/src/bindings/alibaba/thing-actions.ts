/** What devices report: properties, events, batches, packs, histories. Source: alibaba-device.md, 5.2, 5.5 and 5.8. */
import { type MessageRefusal, postReplyData } from "@thingstead/thing-model";
import type { DeviceRef, RecordsReport, Things } from "../../things/index.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { AlibabaBindingLimits } from "./limits.ts";
import { alinkCodes, refused, type ThingAction, type ThingCall, type ThingOutcome } from "./thing-call.ts";
import { type ThingForwards, together } from "./thing-forwards.ts";

/** A sub-device that the gateway may speak for, or why it may not. */
export type SubDeviceLookup = (
  gateway: DeviceRef,
  productKey: string,
  deviceName: string,
) => Promise<DeviceRef | "unknown" | "no_topology">;

export interface ThingActionsPorts {
  things: Pick<Things, "reportProperties" | "reportEvent" | "reportRecords" | "reportPack">;
  forwards: ThingForwards;
  problems: DeviceProblems;
  subDeviceOf: SubDeviceLookup;
  limits: AlibabaBindingLimits;
}

export interface ThingActions {
  postProperties: ThingAction;
  postEvent: ThingAction;
  postBatch: ThingAction;
  postPack: ThingAction;
  postHistory: ThingAction;
}

/** One device's part of a pack or history, and whose it is. */
interface Part {
  device: DeviceRef;
  part: unknown;
}

export function createThingActions({ things, forwards, problems, subDeviceOf, limits }: ThingActionsPorts): ThingActions {
  function refuse(call: ThingCall, refusal: MessageRefusal): ThingOutcome {
    problems.ofModel(call, [], refusal);
    return refused(refusal);
  }

  function refuseCode(call: ThingCall, code: number, message: string): ThingOutcome {
    problems.refused(call, code, message);
    return refused({ code, message });
  }

  async function postProperties(call: ThingCall): Promise<ThingOutcome> {
    const report = await things.reportProperties(call.device, call.request.params, call.receivedAt);
    if (report.refusal !== undefined) return refuse(call, report.refusal);
    if (report.problems.length > 0) problems.ofModel(call, report.problems);
    // Unknown and wrong properties do not spoil the others: 200, and the reply names them (5.2).
    return { answer: { code: 200, data: postReplyData(report.checkFailedData) }, told: forwards.properties(call, report) };
  }

  async function postEvent(call: ThingCall, event: string): Promise<ThingOutcome> {
    const report = await things.reportEvent(call.device, event, call.request.params, call.receivedAt);
    if (report.refusal !== undefined) return refuse(call, report.refusal);
    if (report.problems.length > 0) problems.ofModel(call, report.problems);
    return { answer: { code: 200 }, told: forwards.event(call, event, report) };
  }

  async function postBatch(call: ThingCall): Promise<ThingOutcome> {
    const report = await things.reportRecords(call.device, call.request.params, call.receivedAt, { isHistory: false });
    if (report.refusal !== undefined) return refuse(call, report.refusal);
    if (report.problems.length > 0) problems.ofModel(call, report.problems);
    return { answer: { code: 200 }, told: forwards.batch(call, report) };
  }

  /** The parts with their devices; the code of 5.8 when one is not the gateway's. */
  async function identify(call: ThingCall, entries: readonly unknown[]): Promise<Part[] | ThingOutcome> {
    const parts: Part[] = [];
    for (const entry of entries) {
      if (!isMembers(entry)) return refuseCode(call, alinkCodes.parameterError, "an entry is not an object");
      const names = namesOf(entry.identity);
      if (names === undefined) return refuseCode(call, alinkCodes.parameterError, "identity needs productKey and deviceName");
      const device = await deviceOf(call, names);
      if (device === "unknown")
        return refuseCode(call, alinkCodes.deviceNotFound, `device not found: ${names.productKey}/${names.deviceName}`);
      if (device === "no_topology") {
        return refuseCode(call, alinkCodes.noTopology, `topo relation not exist: ${names.productKey}/${names.deviceName}`);
      }
      parts.push({ device, part: entry });
    }
    return parts;
  }

  /** An identity that is left out, or blank as in the document's sample, is the reporting device itself. */
  async function deviceOf({ device }: ThingCall, { productKey, deviceName }: Names): Promise<DeviceRef | "unknown" | "no_topology"> {
    const isOwn = productKey === "" ? deviceName === "" : productKey === device.productKey && deviceName === device.deviceName;
    return isOwn ? device : subDeviceOf(device, productKey, deviceName);
  }

  /** All or nothing: any failing check stores nothing (5.8). */
  async function postPack(call: ThingCall): Promise<ThingOutcome> {
    const { params } = call.request;
    if (!isMembers(params)) return refuseCode(call, alinkCodes.paramsNotContainer, "params must be an object");
    const { subDevices = [], ...own } = params;
    if (!Array.isArray(subDevices)) return refuseCode(call, alinkCodes.parameterError, "subDevices must be an array");
    if (subDevices.length > limits.packSubDevicesMax) {
      return refuseCode(call, alinkCodes.tooManySubDevices, `${subDevices.length} sub-devices, at most ${limits.packSubDevicesMax}`);
    }
    const subs = await identify(call, subDevices);
    if (!Array.isArray(subs)) return subs;
    const parts = [...(Object.keys(own).length === 0 ? [] : [{ device: call.device, part: own }]), ...subs];
    const { isStored, reports } = await things.reportPack(parts, call.receivedAt);
    if (!isStored) return refusePack(call, reports);
    const told = reports.map((report, index) => forwards.part(call, parts[index]?.device ?? call.device, report));
    return { answer: { code: 200 }, told: together(told) };
  }

  function refusePack(call: ThingCall, reports: readonly RecordsReport[]): ThingOutcome {
    for (const { refusal, failed, problems: found } of reports) {
      if (refusal !== undefined) return refuse(call, refusal);
      const [first] = failed;
      if (first === undefined) continue;
      problems.ofModel(call, found);
      return refused(first);
    }
    return refuseCode(call, alinkCodes.parameterError, "the pack was not taken");
  }

  async function postHistory(call: ThingCall): Promise<ThingOutcome> {
    const { params } = call.request;
    if (!Array.isArray(params)) return refuseCode(call, alinkCodes.paramsNotContainer, "params must be an array");
    if (params.length === 0) return refuseCode(call, alinkCodes.listEmpty, "params is empty");
    if (params.length > limits.historyEntriesMax) {
      return refuseCode(call, alinkCodes.listTooLong, `${params.length} entries, at most ${limits.historyEntriesMax}`);
    }
    const parts = await identify(call, params);
    if (!Array.isArray(parts)) return parts;
    const reports = await Promise.all(
      parts.map(({ device, part }) => things.reportRecords(device, part, call.receivedAt, { isHistory: true })),
    );
    let refusal: MessageRefusal | undefined;
    const told = reports.map((report, index) => {
      if (report.problems.length > 0 || report.refusal !== undefined) problems.ofModel(call, report.problems, report.refusal);
      refusal ??= report.refusal;
      return report.refusal === undefined ? forwards.history(call, parts[index]?.device ?? call.device, report) : undefined;
    });
    return { ...(refusal === undefined ? { answer: { code: 200 } } : refused(refusal)), told: together(told) };
  }

  return { postProperties, postEvent, postBatch, postPack, postHistory };
}

interface Names {
  productKey: string;
  deviceName: string;
}

function isMembers(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function namesOf(identity: unknown): Names | undefined {
  if (identity === undefined) return { productKey: "", deviceName: "" };
  if (!isMembers(identity)) return undefined;
  const { productKey, deviceName } = identity;
  return typeof productKey === "string" && typeof deviceName === "string" ? { productKey, deviceName } : undefined;
}
