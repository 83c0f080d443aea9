/** Remote configuration, and whether a device shall send its log. Source: alibaba-device.md, 8.6 and 8.7. */
import type { ConfigOffer, Configs, DeviceLines } from "../../device-services/index.ts";
import type { Downlink } from "../../messages/index.ts";
import { type Answer, readRequest, reply } from "./answers.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { UplinkHandler, UplinkHandlers } from "./uplink.ts";

export interface ConfigHandlersPorts {
  configs: Pick<Configs, "offer">;
  lines: Pick<DeviceLines, "isWanted">;
  downlink: Pick<Downlink, "send">;
  problems: DeviceProblems;
}

const switchedOff: Answer = { code: 6713, message: "remote configuration is switched off" };
const nothingThere: Answer = { code: 6710, message: "no configuration" };
const getTypeInvalid: Answer = { code: 6717, message: "getType must be content" };
const scopeInvalid: Answer = { code: 6718, message: "configScope must be device" };

export function configMembers({ id, bytes, sha256, url }: ConfigOffer): Readonly<Record<string, unknown>> {
  return { configId: String(id), configSize: bytes, sign: sha256, signMethod: "Sha256", url, getType: "file" };
}

export function logSwitchMembers(isWanted: boolean): Readonly<Record<string, unknown>> {
  return { getType: "content", content: { mode: isWanted ? 1 : 0 } };
}

export function createConfigHandlers(ports: ConfigHandlersPorts): UplinkHandlers {
  const { configs, lines, problems } = ports;

  function answered(work: (device: Parameters<UplinkHandler>[0]["device"], params: Members) => Promise<Answer> | Answer): UplinkHandler {
    return (uplink) => {
      const request = readRequest(ports, uplink, problems);
      if (request === undefined) return undefined;
      const send = (answer: Answer): void => {
        if (answer.code !== 200) problems.refused(uplink, answer.code, answer.message ?? "");
        reply(ports, uplink, request, answer);
      };
      const answer = work(uplink.device, membersOf(request.params));
      if (answer instanceof Promise) return answer.then(send);
      send(answer);
      return undefined;
    };
  }

  return {
    "/sys/${productKey}/${deviceName}/thing/config/get": answered(async ({ productKey }, { configScope, getType }) => {
      // Old SDKs write one of them only; another value than these is asking for something that there is not.
      if ((configScope ?? "product") !== "product" || (getType ?? "file") !== "file") {
        return { code: 460, message: "configScope must be product, getType must be file" };
      }
      const offer = await configs.offer(productKey);
      if (offer === "off") return switchedOff;
      return offer === "none" ? nothingThere : { code: 200, data: configMembers(offer) };
    }),

    "/sys/${productKey}/${deviceName}/thing/config/log/get": answered((device, { configScope, getType }) => {
      if (getType !== undefined && getType !== "content") return getTypeInvalid;
      if (configScope !== undefined && configScope !== "device") return scopeInvalid;
      return lines.isWanted(device).then((isWanted) => ({ code: 200, data: logSwitchMembers(isWanted) }));
    }),

    // What the C SDK 3 answers after a failure is no JSON: nothing depends on it.
    "/sys/${productKey}/${deviceName}/thing/config/push_reply": () => undefined,
  };
}

type Members = Readonly<Record<string, unknown>>;

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
