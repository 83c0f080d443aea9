/** Wires the services of devices beside things and firmware: where their files lie, who is told, how links begin. */
import { join } from "node:path";
import { createServiceDownlink } from "./bindings/index.ts";
import type { Clock, Random } from "./clock.ts";
import type { Settings } from "./config/index.ts";
import { createDeviceServices, createFileFolder, type DeviceServices, type LinkedFiles } from "./device-services/index.ts";
import type { Downlink } from "./messages/index.ts";
import { originOf } from "./open-ota.ts";
import type { Registry } from "./registry/index.ts";
import type { Store } from "./store/index.ts";

export interface OpenDeviceServicesPorts {
  settings: Settings;
  store: Store;
  registry: Registry;
  downlink: Downlink;
  nextMessageId: () => string;
  /** Bound `host:port` of the device ports. */
  deviceAddresses: () => readonly string[];
  clock: Clock;
  random: Random;
  onFailure(error: unknown): void;
}

const linkKeyName = "device-services.link-key";
const linkKeyBytes = 32;

export async function openDeviceServices(
  ports: OpenDeviceServicesPorts,
): Promise<{ deviceServices: DeviceServices; linkedFiles: LinkedFiles }> {
  const { settings, store, registry, downlink, nextMessageId, clock, random, onFailure } = ports;
  return createDeviceServices({
    stores: store,
    folder: createFileFolder(join(settings.dataDir, "device-files")),
    registry,
    downlink: createServiceDownlink({ downlink, nextMessageId, clock }),
    origin: () => originOf(settings, ports.deviceAddresses()),
    linkKey: await openLinkKey(store, random),
    clock,
    random,
    limits: settings.limits.deviceServices,
    onFailure,
  });
}

/** Made at the first start; links stay good over restarts. */
async function openLinkKey({ settings }: Pick<Store, "settings">, random: Random): Promise<Buffer> {
  const known = await settings.read(linkKeyName);
  if (known !== undefined) return Buffer.from(known, "base64");
  const key = random.bytes(linkKeyBytes);
  await settings.write(linkKeyName, key.toString("base64"), { isSecret: true });
  return key;
}
