/** Files of devices, uploaded in blocks. Source: alibaba-device.md, 8.9. */
import { type AlinkId, formatAlinkReply, readAlinkRequest, readUploadBlock } from "@thingstead/dialects";
import type { DeviceFiles, UploadRefusal } from "../../device-services/index.ts";
import type { Downlink } from "../../messages/index.ts";
import { methodOf } from "./answers.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { Uplink, UplinkHandlers } from "./uplink.ts";

export interface FileUploadHandlersPorts {
  files: Pick<DeviceFiles, "begin" | "append" | "cancel">;
  downlink: Pick<Downlink, "send">;
  problems: Pick<DeviceProblems, "refused">;
}

const codes: Readonly<Record<UploadRefusal, number>> = {
  file_too_large: 78117,
  block_too_large: 78118,
  offset_mismatch: 78119,
  block_too_small: 78120,
  block_damaged: 78121,
  upload_unknown: 78122,
  name_taken: 78123,
  upload_finished: 78124,
  invalid: 460,
  // The vendor's list has none for a full account.
  storage_full: 78117,
};
const notJson = 400;
const parameterInvalid = 460;
const systemFault = 500;
const strategies = ["overwrite", "append", "reject"] as const;
const prefix = "/sys/${productKey}/${deviceName}/thing/file/upload/mqtt/";

export function createFileUploadHandlers({ files, downlink, problems }: FileUploadHandlersPorts): UplinkHandlers {
  function send({ device: { productKey, deviceName }, topic }: Uplink, id: AlinkId, code: number, data: unknown, message?: string): void {
    const payload = formatAlinkReply({ id, code, data, method: methodOf(topic), ...(message === undefined ? {} : { message }) });
    downlink.send({ productKey, deviceName, topic: `${topic}_reply`, payload, qos: 0 });
  }

  function refuse(uplink: Uplink, id: AlinkId, code: number, message: string): undefined {
    problems.refused(uplink, code, message);
    send(uplink, id, code, {}, message);
    return undefined;
  }

  async function answer<T extends object>(
    uplink: Uplink,
    id: AlinkId,
    work: Promise<T | { refused: UploadRefusal; reason: string }>,
    data: (result: T) => unknown,
  ): Promise<void> {
    let result: T | { refused: UploadRefusal; reason: string };
    try {
      result = await work;
    } catch (error) {
      refuse(uplink, id, systemFault, "system error");
      throw error;
    }
    if (isRefusal(result)) refuse(uplink, id, codes[result.refused], result.reason);
    else send(uplink, id, 200, data(result));
  }

  /** Its params, or undefined when the refusal was sent. A payload that is no JSON is 400 here, not 6207. */
  function read(uplink: Uplink): { id: AlinkId; params: Readonly<Record<string, unknown>> } | undefined {
    const request = readAlinkRequest(uplink.payload);
    if (request.kind === "refused") return refuse(uplink, request.id ?? "", notJson, request.message);
    const { id, params } = request;
    if (typeof params === "object" && params !== null && !Array.isArray(params)) return { id, params: { ...params } };
    return refuse(uplink, id, parameterInvalid, "params must be an object");
  }

  return {
    [`${prefix}init`]: (uplink) => {
      const request = read(uplink);
      if (request === undefined) return undefined;
      const { id, params } = request;
      const { fileName, fileSize, conflictStrategy } = params;
      const ifExists = strategies.find((strategy) => strategy === (conflictStrategy ?? "overwrite"));
      if (typeof fileName !== "string" || typeof fileSize !== "number" || ifExists === undefined) {
        return refuse(uplink, id, parameterInvalid, `fileName, fileSize or conflictStrategy (${strategies.join(", ")}) is wrong`);
      }
      return answer(uplink, id, files.begin(uplink.device, { name: fileName, bytes: fileSize, ifExists }), ({ file }) => ({
        fileName: file.name,
        uploadId: file.uploadId,
        offset: file.storedBytes,
        fileSize: file.bytes,
      }));
    },

    [`${prefix}send`]: (uplink) => {
      const block = readUploadBlock(uplink.payload);
      if (block.kind === "refused") return refuse(uplink, block.id ?? "", block.code, block.message);
      const { id, uploadId, offset, bytes, announcedBytes, isComplete } = block;
      // A block of another length than it says was damaged, too.
      const isIntact = block.isIntact && (announcedBytes === -1 || announcedBytes === bytes.byteLength);
      return answer(uplink, id, files.append(uplink.device, { uploadId, offset, bytes, isComplete, isIntact }), ({ file }) => ({
        uploadId,
        offset,
        bSize: file.storedBytes - offset,
        ...(file.isComplete ? { complete: true } : {}),
      }));
    },

    [`${prefix}cancel`]: (uplink) => {
      const request = read(uplink);
      if (request === undefined) return undefined;
      const { id, params } = request;
      if (typeof params.uploadId !== "string") return refuse(uplink, id, parameterInvalid, "uploadId is missing");
      return answer(uplink, id, files.cancel(uplink.device, params.uploadId), ({ uploadId }) => ({ uploadId }));
    },
  };
}

function isRefusal(result: object): result is { refused: UploadRefusal; reason: string } {
  return "refused" in result;
}
