/** From what a caller gave to complete rows: missing values drawn, given ones checked, repetitions named. */
import type { Random } from "../clock.ts";
import { PlatformError } from "../errors/index.ts";
import { checkIdentityValue, checkText, deviceNameCheck, generate } from "./identity-values.ts";
import type { RegistryLimits } from "./limits.ts";
import type { DeviceNaming, DeviceRow } from "./ports.ts";
import type { DeviceBatch, NewDevice } from "./registry.ts";

/** The wished devices of a batch. Throws `registry.invalid_batch`. */
export function wishesOf(batch: DeviceBatch, devicesMax: number): NewDevice[] {
  const count = "count" in batch ? batch.count : batch.devices.length;
  if (!Number.isInteger(count) || count < 1 || count > devicesMax) {
    throw new PlatformError("registry.invalid_batch", { received: count, expected: devicesMax });
  }
  return "count" in batch ? Array.from({ length: count }, () => ({})) : batch.devices;
}

/** Devices that are worked on in one go: about ten milliseconds. */
export const devicesPerPiece = 250;

/** `pause` is awaited between pieces of the work, so that a large batch keeps nobody waiting. */
export async function buildDeviceRows(
  productKey: string,
  wishes: readonly NewDevice[],
  now: number,
  random: Random,
  limits: RegistryLimits,
  pause: () => Promise<void>,
  naming?: DeviceNaming,
): Promise<DeviceRow[]> {
  const checkName = deviceNameCheck(limits, naming);
  const drawIotId = naming?.newIotId ?? generate.iotId;
  const rows: DeviceRow[] = [];
  for (const wish of wishes) {
    if (rows.length > 0 && rows.length % devicesPerPiece === 0) await pause();
    rows.push({
      iotId: wish.iotId === undefined ? drawIotId(random) : checkIdentityValue("iotId", wish.iotId),
      productKey,
      deviceName: wish.deviceName === undefined ? generate.deviceName(random) : checkName(wish.deviceName),
      deviceSecret: wish.deviceSecret === undefined ? generate.deviceSecret(random) : checkIdentityValue("deviceSecret", wish.deviceSecret),
      nickname: checkNickname(wish.nickname ?? "", limits),
      isEnabled: true,
      isOnline: false,
      createdAt: now,
      modifiedAt: now,
    });
  }
  refuseRepetition(rows, "deviceName");
  refuseRepetition(rows, "iotId");
  return rows;
}

export function checkNickname(nickname: string, limits: RegistryLimits): string {
  return checkText("registry.invalid_nickname", nickname, 0, limits.nicknameCharactersMax);
}

function refuseRepetition(rows: readonly DeviceRow[], field: "deviceName" | "iotId"): void {
  const seen = new Set<string>();
  for (const row of rows) {
    const value = row[field];
    if (seen.has(value)) throw new PlatformError("registry.duplicate_in_batch", { field, received: value });
    seen.add(value);
  }
}
