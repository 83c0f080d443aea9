/** Wires firmware updates: where files lie, who is told, how links begin. */
import { join } from "node:path";
import { createOtaDownlink, createOtaForwards } from "./bindings/index.ts";
import type { Clock, Random } from "./clock.ts";
import type { Settings } from "./config/index.ts";
import type { DeviceLog } from "./device-log/index.ts";
import type { DeviceEvents, Downlink } from "./messages/index.ts";
import { createFirmwareFolder, createOta, type Downloads, type Ota } from "./ota/index.ts";
import type { Groups, Registry } from "./registry/index.ts";
import type { SettingsStore, Store } from "./store/index.ts";

export interface OpenOtaPorts {
  settings: Settings;
  store: Pick<Store, "ota" | "settings">;
  registry: Registry;
  groups: Pick<Groups, "devices">;
  downlink: Downlink;
  deviceLog: DeviceLog;
  events: DeviceEvents;
  nextMessageId: () => string;
  /** Bound `host:port` of the device ports. */
  deviceAddresses: () => readonly string[];
  clock: Clock;
  random: Random;
  onFailure(error: unknown): void;
}

const linkKeyName = "ota.link-key";
const linkKeyBytes = 32;
/** In the order of preference; otherwise the first that is open. */
const usualHttpsPorts: readonly number[] = [443, 8443, 8883];
const groupPageSize = 200;

export async function openOta(ports: OpenOtaPorts): Promise<{ ota: Ota; downloads: Downloads }> {
  const { settings, store, registry, groups, downlink, deviceLog, events, clock, random, onFailure } = ports;
  const { limits } = settings;
  const firmware = createFirmwareFolder({ folder: join(settings.dataDir, "firmware"), random, limits: limits.ota });
  const opened = createOta({
    store: store.ota,
    firmware,
    registry,
    groups: { deviceNamesOf: (groupId, productKey) => namesOfGroup(groups, groupId, productKey) },
    downlink: createOtaDownlink({ downlink, deviceLog, nextMessageId: ports.nextMessageId }),
    downloadOrigin: () => originOf(settings, ports.deviceAddresses()),
    linkKey: await openLinkKey(store.settings, random),
    clock,
    random,
    limits: limits.ota,
    onFailure,
  });
  opened.ota.onChange(createOtaForwards({ events, onFailure }));
  registry.onChange((change) => {
    if (change.kind === "device.deleted") opened.ota.deviceDeleted(change.productKey, change.deviceName).catch(onFailure);
  });
  return opened;
}

/** Made at the first start; links stay good over restarts. */
async function openLinkKey(settings: SettingsStore, random: Random): Promise<Buffer> {
  const known = await settings.read(linkKeyName);
  if (known !== undefined) return Buffer.from(known, "base64");
  const key = random.bytes(linkKeyBytes);
  await settings.write(linkKeyName, key.toString("base64"), { isSecret: true });
  return key;
}

/** Where links for devices begin. */
export function originOf({ ota, host }: Pick<Settings, "ota" | "host">, addresses: readonly string[]): string {
  if (ota.downloadUrl !== "") return ota.downloadUrl.replace(/\/+$/, "");
  const open = addresses.map((address) => Number(address.slice(address.lastIndexOf(":") + 1)));
  const port = usualHttpsPorts.find((usual) => open.includes(usual)) ?? open[0] ?? 443;
  return port === 443 ? `https://${host}` : `https://${host}:${port}`;
}

async function namesOfGroup(groups: Pick<Groups, "devices">, groupId: string, productKey: string): Promise<string[]> {
  const names: string[] = [];
  for (let page = 1; ; page++) {
    const { items, total } = await groups.devices(groupId, { page, pageSize: groupPageSize });
    for (const device of items) if (device.productKey === productKey) names.push(device.deviceName);
    if (items.length === 0 || page * groupPageSize >= total) return names;
  }
}
