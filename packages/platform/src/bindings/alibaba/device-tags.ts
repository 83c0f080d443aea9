/** Devices report their own tags (alibaba-device.md, 8.2). */
import type { AlinkRequest } from "@thingstead/dialects";
import { PlatformError } from "../../errors/index.ts";
import type { Downlink } from "../../messages/index.ts";
import type { Tags } from "../../registry/index.ts";
import { type Answer, readRequest, reply } from "./answers.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { AlibabaBindingLimits } from "./limits.ts";
import type { Uplink, UplinkHandler, UplinkHandlers } from "./uplink.ts";

export interface DeviceTagsPorts {
  downlink: Pick<Downlink, "send">;
  problems: DeviceProblems;
  tags: Pick<Tags, "setDeviceTags" | "deleteDeviceTags">;
  limits: Pick<AlibabaBindingLimits, "deviceTagsMax">;
}

type Action = (uplink: Uplink, params: unknown) => Promise<Answer>;

/** A letter or `_` first, then letters, digits and `_`. */
const keyPattern = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

export function createDeviceTagHandlers(ports: DeviceTagsPorts): UplinkHandlers {
  const { tags, limits } = ports;

  function readItems(params: unknown): Readonly<Record<string, unknown>>[] | string {
    if (!Array.isArray(params) || params.length === 0) return "params must be a list that is not empty";
    if (params.length > limits.deviceTagsMax) return `at most ${limits.deviceTagsMax} tags are allowed`;
    const isWhole = params.every((item) => typeof item?.attrKey === "string" && keyPattern.test(item.attrKey));
    return isWhole ? params : "attrKey must be a letter or _ and then letters, digits or _";
  }

  const update: Action = async ({ device }, params) => {
    const items = readItems(params);
    if (typeof items === "string") return { code: 460, message: items };
    const values = items.map(({ attrValue }) =>
      typeof attrValue === "number" || typeof attrValue === "boolean" ? String(attrValue) : attrValue,
    );
    if (!values.every((value): value is string => typeof value === "string")) return { code: 460, message: "attrValue must be a text" };
    await tags.setDeviceTags(
      device.productKey,
      device.deviceName,
      Object.fromEntries(items.map(({ attrKey }, index) => [attrKey, values[index] ?? ""])),
    );
    return { code: 200 };
  };

  const remove: Action = async ({ device }, params) => {
    const items = readItems(params);
    if (typeof items === "string") return { code: 460, message: items };
    const keys = items.map(({ attrKey }) => String(attrKey));
    await tags.deleteDeviceTags(device.productKey, device.deviceName, keys);
    return { code: 200 };
  };

  async function run(uplink: Uplink, request: AlinkRequest, action: Action): Promise<void> {
    const answer = await action(uplink, request.params).catch((error: unknown): Answer => {
      if (error instanceof PlatformError && error.code === "registry.device_not_found") return { code: 6100, message: "device not found" };
      if (error instanceof PlatformError && error.row.http < 500) return { code: 460, message: error.message };
      // The world's fault: not acknowledged, so that the device sends it again.
      throw error;
    });
    if (answer.code !== 200) ports.problems.refused(uplink, answer.code, answer.message ?? "");
    reply(ports, uplink, request, answer);
  }

  const handler =
    (action: Action): UplinkHandler =>
    (uplink) => {
      const request = readRequest(ports, uplink, ports.problems);
      return request === undefined ? undefined : run(uplink, request, action);
    };
  return {
    "/sys/${productKey}/${deviceName}/thing/deviceinfo/update": handler(update),
    "/sys/${productKey}/${deviceName}/thing/deviceinfo/delete": handler(remove),
  };
}
