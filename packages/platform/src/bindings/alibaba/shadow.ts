/** Shadow messages of devices. Source: alibaba-device.md, 8.1. */
import {
  formatShadowDocument,
  formatShadowDone,
  formatShadowRefusal,
  readShadowRequest,
  type ShadowCode,
  type ShadowRequest,
} from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import type { ShadowOutcome, Shadows } from "../../device-services/index.ts";
import type { Downlink } from "../../messages/index.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { Uplink, UplinkHandlers } from "./uplink.ts";

export interface ShadowHandlersPorts {
  shadows: Pick<Shadows, "ask" | "report">;
  downlink: Pick<Downlink, "send">;
  problems: Pick<DeviceProblems, "refused">;
  clock: Pick<Clock, "now">;
}

type Refusal = Extract<ShadowOutcome, { kind: "refused" }>["reason"];

/** The vendor has no code for what is too deep or too large: the message is not what it takes. */
const refusals: Readonly<Record<Refusal, { code: ShadowCode; message: string }>> = {
  version_conflict: { code: 409, message: "version is not greater than the stored one" },
  too_many_attributes: { code: 408, message: "too many attributes" },
  too_deep: { code: 400, message: "values are nested too deeply" },
  too_large: { code: 400, message: "the document is too large" },
  throttled: { code: 429, message: "too many requests" },
};

export const shadowTopic = (productKey: string, deviceName: string): string => `/shadow/get/${productKey}/${deviceName}`;

export function createShadowHandlers({ shadows, downlink, problems, clock }: ShadowHandlersPorts): UplinkHandlers {
  const nowSeconds = (): number => Math.floor(clock.now() / 1000);

  function send({ device: { productKey, deviceName }, qos }: Uplink, payload: Uint8Array): undefined {
    downlink.send({ productKey, deviceName, topic: shadowTopic(productKey, deviceName), payload, qos: qos === 0 ? 0 : 1 });
    return undefined;
  }

  function refuse(uplink: Uplink, request: ShadowRequest, code: ShadowCode, message: string): undefined {
    problems.refused(uplink, code, message);
    return send(uplink, formatShadowRefusal(request, code, message, nowSeconds()));
  }

  async function answer(uplink: Uplink, request: Exclude<ShadowRequest, { kind: "refused" }>): Promise<void> {
    const { device } = uplink;
    try {
      if (request.kind === "get") {
        const document = await shadows.ask(device);
        if (document === "throttled") return refuse(uplink, request, refusals.throttled.code, refusals.throttled.message);
        if (document === undefined) return refuse(uplink, request, 407, "the shadow is empty");
        return send(uplink, formatShadowDocument(request, document, nowSeconds()));
      }
      const outcome = await shadows.report(device, request);
      if (outcome.kind === "done") return send(uplink, formatShadowDone(request, outcome.version, nowSeconds()));
      const { code, message } = refusals[outcome.reason];
      return refuse(uplink, request, code, message);
    } catch (error) {
      // The world's fault: the device hears of it, and the PUBACK is held back.
      refuse(uplink, request, 500, "server error");
      throw error;
    }
  }

  return {
    "/shadow/update/${productKey}/${deviceName}": (uplink) => {
      const request = readShadowRequest(uplink.payload);
      return request.kind === "refused" ? refuse(uplink, request, request.code, request.message) : answer(uplink, request);
    },
  };
}
