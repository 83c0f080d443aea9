/** Shadows of devices (reference 1.8.G). */
import { PlatformError } from "../../../errors/index.ts";
import { defineOperation, type OperationTable } from "../operation.ts";
import { deviceSelector, findSelectedDevice } from "./device-selector.ts";

type Members = Readonly<Record<string, unknown>>;

export const shadowOperations: OperationTable = {
  GetDeviceShadow: defineOperation(deviceSelector, async (input, { registry, deviceServices }) => {
    const device = await findSelectedDevice(input, registry);
    const { reported, desired, reportedTimes, desiredTimes, version, modifiedAt } = await deviceServices.shadows.read(device);
    const metadata = { reported: reportedTimes, desired: desiredTimes };
    return { ShadowMessage: JSON.stringify({ method: "update", state: { reported, desired }, metadata, version, timestamp: modifiedAt }) };
  }),

  UpdateDeviceShadow: defineOperation(
    { ...deviceSelector, ShadowMessage: "text", DeltaUpdate: "boolean?" },
    async (input, { registry, deviceServices }) => {
      const { desired, version } = readShadowMessage(input.ShadowMessage);
      const device = await findSelectedDevice(input, registry);
      await deviceServices.shadows.desire(device, { desired, isDelta: input.DeltaUpdate === true, version });
      return {};
    },
  ),
};

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(reason: string, received: string): never {
  throw new PlatformError(`alibaba.shadow_${reason}`, { received: received.slice(0, 80) });
}

/** What a device reported is its own to say: `state.reported` of a program is not read. */
function readShadowMessage(text: string): { desired: Members; version: number } {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    refuse("not_json", text);
  }
  if (!isMembers(message)) return refuse("not_json", text);
  const { method, state, version } = message;
  if (method === undefined || method === null) refuse("method_missing", text);
  if (method !== "update") refuse("method_invalid", String(method));
  if (!isMembers(state)) return refuse("state_missing", text);
  const { desired } = state;
  if (desired === undefined) refuse("desired_missing", text);
  if (desired === null) refuse("desired_null", text);
  if (!isMembers(desired)) return refuse("desired_not_json", JSON.stringify(desired));
  const entries = Object.entries(desired);
  if (entries.length === 0) refuse("desired_empty", text);
  if (entries.some(([name, value]) => name === "" || value === null)) refuse("desired_member_null", text);
  if (version === undefined || version === null) refuse("version_missing", text);
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < -1)
    return refuse("version_invalid", JSON.stringify(version));
  return { desired, version };
}
