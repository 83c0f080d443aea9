/** The JSON in parameters of jobs (reference 1.8.N). */
import { createHash } from "node:crypto";
import type { DeviceNames, JobRollout, NewJob } from "../../../device-services/index.ts";
import { PlatformError } from "../../../errors/index.ts";
import type { OperationPorts } from "../operation.ts";
import type { DeviceSelection } from "./device-selector.ts";

type Members = Readonly<Record<string, unknown>>;

/** What does the same to many devices, for the types that are no job of this server. */
const insteadOfType: Readonly<Record<string, string>> = {
  INVOKE_SERVICE: "InvokeThingsService",
  SET_PROPERTY: "SetDevicesProperty",
  PUB: "BatchPub",
};

const pageEntries = 1_000;

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(parameter: string, received: unknown, expected: string): never {
  const shown = typeof received === "string" ? received : (JSON.stringify(received) ?? "absent");
  throw new PlatformError("alibaba.job_config_invalid", { parameter, received: shown.slice(0, 200), expected });
}

function readMembers(parameter: string, text: string): Members {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Told below.
  }
  return isMembers(value) ? value : refuse(parameter, text, "a JSON object");
}

export function checkJobType(type: string): void {
  if (type === "CUSTOM_JOB") return;
  const instead = Object.hasOwn(insteadOfType, type) ? insteadOfType[type] : undefined;
  if (instead === undefined) refuse("Type", type, "CUSTOM_JOB");
  throw new PlatformError("alibaba.job_type_not_supported", { received: type, instead });
}

export function readJobDocument(text: string): Members {
  return readMembers("JobDocument", text);
}

/** `QoS0`, `QoS1` or the digit; the vendor's own examples write the name in two ways. */
export function readRollout(text: string): JobRollout {
  const members = readMembers("RolloutConfig", text);
  const { maximumPerMinute } = members;
  const quality = members.messageQoS ?? members.messageQos;
  if (maximumPerMinute !== undefined && typeof maximumPerMinute !== "number") {
    refuse("RolloutConfig.maximumPerMinute", maximumPerMinute, "a whole number above 0");
  }
  const digit = quality === undefined ? undefined : /^(?:qos)?([01])$/i.exec(String(quality))?.[1];
  if (quality !== undefined && digit === undefined) refuse("RolloutConfig.messageQoS", quality, "QoS0 or QoS1");
  return {
    ...(maximumPerMinute === undefined ? {} : { perMinuteMax: maximumPerMinute }),
    ...(digit === undefined ? {} : { qos: digit === "0" ? 0 : 1 }),
  };
}

export function readTimeout(text: string): { timeoutMinutes?: number } {
  const minutes = readMembers("TimeoutConfig", text).inProgressTimeoutInMinutes;
  if (minutes === undefined) return {};
  return typeof minutes === "number"
    ? { timeoutMinutes: minutes }
    : refuse("TimeoutConfig.inProgressTimeoutInMinutes", minutes, "a whole number above 0");
}

/** The file was uploaded with a form before; what is said of its digest must be so. */
export function readJobFile(text: string, { firmwareUploads }: Pick<OperationPorts, "firmwareUploads">): NonNullable<NewJob["file"]> {
  const { fileKey, signMethod, sign } = readMembers("JobFile", text);
  if (typeof fileKey !== "string" || fileKey === "") return refuse("JobFile.fileKey", fileKey, "the Key of GenerateFileUploadURL");
  const method = String(signMethod ?? "Sha256").toLowerCase();
  if (method !== "md5" && method !== "sha256") refuse("JobFile.signMethod", signMethod, "Md5 or Sha256");
  const content = firmwareUploads.findJobFile(fileKey);
  const expected = createHash(method).update(content).digest("hex");
  if (sign !== undefined && String(sign).toLowerCase() !== expected) {
    throw new PlatformError("alibaba.job_file_sign_mismatch", { received: String(sign).slice(0, 100), expected });
  }
  return { content, signMethod: method === "md5" ? "Md5" : "Sha256" };
}

/** Which devices these are is settled now: who joins later is not among them. */
export async function readTarget(text: string, { registry, groups, limits }: Pick<OperationPorts, "registry" | "groups" | "limits">) {
  const { targetType, targetDevices, targetProduct, targetGroup } = readMembers("TargetConfig", text);
  if (typeof targetType !== "string" || targetType === "") return refuse("TargetConfig.targetType", targetType, "a text");
  if (typeof targetProduct === "string" && targetProduct !== "") {
    await registry.getProduct(targetProduct);
    const devices = await collect((page) => registry.listDevices(targetProduct, page), limits.jobDevicesMax);
    return { devices, notes: { targetType, targetProduct } };
  }
  if (typeof targetGroup === "string" && targetGroup !== "") {
    await groups.get(targetGroup);
    return {
      devices: await collect((page) => groups.devices(targetGroup, page), limits.jobDevicesMax),
      notes: { targetType, targetGroup },
    };
  }
  if (!Array.isArray(targetDevices)) return refuse("TargetConfig", text, "targetDevices, targetProduct or targetGroup");
  const devices = targetDevices.map((device: unknown): DeviceNames => {
    const { productKey, deviceName } = isMembers(device) ? device : refuse("TargetConfig.targetDevices", device, "objects");
    if (typeof productKey === "string" && typeof deviceName === "string") return { productKey, deviceName };
    return refuse("TargetConfig.targetDevices", device, "productKey and deviceName");
  });
  return { devices, notes: { targetType } };
}

async function collect(
  load: (page: { page: number; pageSize: number }) => Promise<{ items: readonly DeviceNames[]; total: number }>,
  devicesMax: number,
): Promise<DeviceNames[]> {
  const devices: DeviceNames[] = [];
  for (let page = 1; ; page++) {
    const { items, total } = await load({ page, pageSize: pageEntries });
    if (total > devicesMax) refuse("TargetConfig", `${total} devices`, `at most ${devicesMax} devices`);
    devices.push(...items.map(({ productKey, deviceName }) => ({ productKey, deviceName })));
    if (items.length === 0 || devices.length >= total) return devices;
  }
}

/** `Device` of `ListTask`; the vendor's documents write its members in capitals, its SDK leaves them as they are. */
export function readDevice(text: string): DeviceSelection {
  const members = readMembers("Device", text);
  const textOf = (capital: string, small: string): string | undefined => {
    const value = members[capital] ?? members[small];
    return value === undefined || typeof value === "string" ? value : refuse(`Device.${capital}`, value, "a text");
  };
  return {
    IotId: textOf("IotId", "iotId"),
    ProductKey: textOf("ProductKey", "productKey"),
    DeviceName: textOf("DeviceName", "deviceName"),
  };
}

/** Where the list goes on; it does not expire. */
export function writeToken(id: number): string {
  return Buffer.from(`task:${id}`).toString("base64url");
}

export function readToken(token: string): number {
  const id = /^task:(\d{1,15})$/.exec(Buffer.from(token, "base64url").toString())?.[1];
  if (id === undefined) throw new PlatformError("alibaba.task_token_invalid", { received: token.slice(0, 100) });
  return Number(id);
}
