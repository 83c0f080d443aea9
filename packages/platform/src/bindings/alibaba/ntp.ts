/** The time for devices. Source: alibaba-device.md, 8.3. */
import { answerTimeRequest } from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import type { Downlink } from "../../messages/index.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { UplinkHandlers } from "./uplink.ts";

export interface NtpHandlersPorts {
  downlink: Pick<Downlink, "send">;
  problems: Pick<DeviceProblems, "malformed">;
  clock: Pick<Clock, "now">;
}

export function createNtpHandlers({ downlink, problems, clock }: NtpHandlersPorts): UplinkHandlers {
  return {
    "/ext/ntp/${productKey}/${deviceName}/request": (uplink) => {
      const { productKey, deviceName } = uplink.device;
      const payload = answerTimeRequest(uplink.payload, uplink.receivedAt, clock.now());
      if (payload === undefined) problems.malformed(uplink, `${uplink.payload.length} bytes`, "a json object with deviceSendTime");
      else downlink.send({ productKey, deviceName, topic: `/ext/ntp/${productKey}/${deviceName}/response`, payload, qos: 0 });
      return undefined;
    },
  };
}
