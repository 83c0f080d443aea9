import { filePathPrefix, type LinkedFiles } from "../../device-services/index.ts";
import type { DeviceHttpRequest, DeviceHttpResponse } from "./device-http.ts";
import type { DeviceRoute } from "./device-routes.ts";
import { answerError } from "./http-answer.ts";

interface LinkedFileRoutesPorts {
  linkedFiles: LinkedFiles;
  limits: { downloadIdleMilliseconds: number; downloadRecordBytesMax: number; downloadPieceBytes: number };
}

/** Configurations, files of jobs and files of devices behind signed links. */
export function createLinkedFileRoutes({ linkedFiles, limits }: LinkedFileRoutesPorts): DeviceRoute[] {
  const { downloadIdleMilliseconds: idleMilliseconds, downloadRecordBytesMax: recordBytesMax, downloadPieceBytes } = limits;
  async function answer({ method, path, headers: { range } }: DeviceHttpRequest): Promise<DeviceHttpResponse> {
    const found = await linkedFiles.answer({ path, range });
    if (found.kind === "refused") return answerError(found.code, found.details);
    const { status, contentType, headers, bytes } = found;
    if (method === "HEAD") return { status, contentType, headers, body: Buffer.alloc(0), headBytes: bytes };
    let at = 0;
    const next = () => {
      if (at >= bytes) return undefined;
      const piece = found.read(at, Math.min(downloadPieceBytes, bytes - at));
      at += Math.min(downloadPieceBytes, bytes - at);
      return piece;
    };
    return { status, contentType, headers, body: { bytes, next, close: () => {}, idleMilliseconds, recordBytesMax } };
  }
  const path = `${filePathPrefix}*`;
  return [
    { method: "GET", path, answer },
    { method: "HEAD", path, answer },
  ];
}
