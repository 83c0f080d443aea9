/** Firmware messages of devices, and what devices are told. Source: alibaba-device.md, 7. */
import {
  type AlinkRefusal,
  formatFileBlock,
  formatFileBlockRefusal,
  formatFirmwareGetReply,
  formatOtaPush,
  type OtaPush,
  readFileBlockRequest,
  readOtaInform,
  readOtaProgress,
  readOtaRequest,
} from "@thingstead/dialects";
import type { DeviceLog } from "../../device-log/index.ts";
import { formatError, PlatformError } from "../../errors/index.ts";
import type { Downlink } from "../../messages/index.ts";
import type { Ota, OtaDownlink, UpgradeOffer } from "../../ota/index.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { Uplink, UplinkHandlers } from "./uplink.ts";

type OtaDoor = Pick<Ota, "reportVersion" | "reportProgress" | "pull" | "readBlock">;

export interface OtaHandlersPorts {
  ota: OtaDoor;
  downlink: Pick<Downlink, "send">;
  problems: Pick<DeviceProblems, "refused">;
  deviceLog: Pick<DeviceLog, "write" | "wants">;
}

/** Codes of alibaba-device.md, 5.11. */
const requestInvalid = 460;
const serverFault = 500;

function toPush({ taskId, ...offer }: UpgradeOffer): OtaPush {
  const { module, version, isDifferential, signMethod, digestSign, tags, userInfo, protocol, files } = offer;
  return {
    module,
    version,
    isDifferential,
    signMethod,
    ...(digestSign === undefined ? {} : { digestSign }),
    tags,
    ...(userInfo === undefined ? {} : { userInfo }),
    // A stream is the task, a file in it is counted from 1.
    ...(protocol === "mqtt" ? { stream: { streamId: taskId, streamFileId: 1 } } : {}),
    files,
  };
}

export function createOtaHandlers({ ota, downlink, problems, deviceLog }: OtaHandlersPorts): UplinkHandlers {
  function refuse(uplink: Uplink, { code, message }: AlinkRefusal): undefined {
    problems.refused(uplink, code, message);
    return undefined;
  }

  function send({ device: { productKey, deviceName }, qos }: Uplink, topic: string, payload: Uint8Array): void {
    downlink.send({ productKey, deviceName, topic, payload, qos: qos === 0 ? 0 : 1 });
  }

  async function takeProgress(uplink: Uplink, report: { module?: string; step: number; description: string }): Promise<void> {
    const { device, topic, qos } = uplink;
    if (await ota.reportProgress(device, report)) return;
    const { productKey, deviceName } = device;
    if (!deviceLog.wants("publish", productKey, deviceName)) return;
    const received = `${report.step} for module ${report.module ?? "default"}`;
    const code = "ota.progress_unexpected";
    const reason = formatError(code, { received }, "en");
    deviceLog.write({ kind: "publish", code, isSuccess: false, productKey, deviceName, topic, qos, received, reason });
  }

  async function answerBlock(
    uplink: Uplink,
    request: Extract<ReturnType<typeof readFileBlockRequest>, { kind: "request" }>,
  ): Promise<void> {
    const { id, streamId = 0, fileId = 1, offset, bytes, fileToken } = request;
    const topic = `${uplink.topic}_reply`;
    try {
      const { fileBytes, block } = await ota.readBlock(uplink.device, { taskId: streamId, index: fileId - 1, offset, bytes });
      send(uplink, topic, formatFileBlock({ id, ...(fileToken === undefined ? {} : { fileToken }), fileBytes, offset, bytes: block }));
    } catch (error) {
      // The world's fault (a lost file) goes up after the device has its answer; its own fault ends here.
      const isItsOwn = error instanceof PlatformError && error.row.http < 500;
      const code = isItsOwn ? requestInvalid : serverFault;
      const message = error instanceof PlatformError ? error.message : "system error";
      send(uplink, topic, formatFileBlockRefusal(id, code, message));
      problems.refused(uplink, code, message);
      if (!isItsOwn) throw error;
    }
  }

  return {
    // Neither this nor progress is answered (7.1).
    "/ota/device/inform/${productKey}/${deviceName}": (uplink) => {
      const inform = readOtaInform(uplink.payload);
      return inform.kind === "refused" ? refuse(uplink, inform) : ota.reportVersion(uplink.device, inform);
    },

    "/ota/device/progress/${productKey}/${deviceName}": (uplink) => {
      const progress = readOtaProgress(uplink.payload);
      return progress.kind === "refused" ? refuse(uplink, progress) : takeProgress(uplink, progress);
    },

    // Answered on the same topic in the shape of a push; the device's own message is not routed, so it is no echo (7.1).
    "/ota/device/request/${productKey}/${deviceName}": (uplink) => {
      const request = readOtaRequest(uplink.payload);
      if (request.kind === "refused") return refuse(uplink, request);
      return ota.pull(uplink.device, request.module).then((offer) => {
        send(uplink, uplink.topic, formatOtaPush(request.id, offer && toPush(offer)));
      });
    },

    "/sys/${productKey}/${deviceName}/thing/ota/firmware/get": (uplink) => {
      const request = readOtaRequest(uplink.payload);
      if (request.kind === "refused") return refuse(uplink, request);
      return ota.pull(uplink.device, request.module).then((offer) => {
        send(uplink, `${uplink.topic}_reply`, formatFirmwareGetReply(request.id, offer && toPush(offer)));
      });
    },

    "/sys/${productKey}/${deviceName}/thing/file/download": (uplink) => {
      const request = readFileBlockRequest(uplink.payload);
      return request.kind === "refused" ? refuse(uplink, request) : answerBlock(uplink, request);
    },
  };
}

const upgradeTopic = "/ota/device/upgrade/";

export interface OtaDownlinkPorts {
  downlink: Pick<Downlink, "send" | "isOnline">;
  deviceLog: Pick<DeviceLog, "write" | "wants">;
  /** Digits; the vendor's are ten or thirteen of them. */
  nextMessageId: () => string;
}

export function createOtaDownlink({ downlink, deviceLog, nextMessageId }: OtaDownlinkPorts): OtaDownlink {
  return {
    isOnline: (productKey, deviceName) => downlink.isOnline(productKey, deviceName),
    offer(offer) {
      const { productKey, deviceName } = offer.device;
      const topic = `${upgradeTopic}${productKey}/${deviceName}`;
      // A number on the wire: small enough to be exact in every language.
      const id = Number(BigInt(nextMessageId()) % 10_000_000_000n);
      const payload = formatOtaPush(id, toPush(offer));
      const { delivered, queued } = downlink.send({ productKey, deviceName, topic, payload, qos: 1 });
      const isTaken = delivered + queued > 0;
      if (isTaken && deviceLog.wants("deliver", productKey, deviceName)) {
        const reason = formatError("ota.offered", { version: offer.version }, "en");
        const payloadBytes = payload.byteLength;
        deviceLog.write({
          kind: "deliver",
          code: "ota.offered",
          isSuccess: true,
          productKey,
          deviceName,
          topic,
          qos: 1,
          payloadBytes,
          reason,
        });
      }
      return isTaken;
    },
  };
}

/** Whether a filter brings pushes: then they may be sent. */
export function reachesUpgradeTopic(filter: string): boolean {
  return (
    filter.startsWith(upgradeTopic) ||
    filter.startsWith("/ota/#") ||
    filter.startsWith("/ota/device/#") ||
    filter.startsWith("/ota/device/+")
  );
}
