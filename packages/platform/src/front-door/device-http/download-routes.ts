import { type Downloads, downloadPathPrefix, type OtaLimits } from "../../ota/index.ts";
import type { DeviceHttpRequest, DeviceHttpResponse } from "./device-http.ts";
import type { DeviceRoute } from "./device-routes.ts";
import { answerError } from "./http-answer.ts";

interface DownloadRoutesPorts {
  downloads: Pick<Downloads, "answer">;
  limits: Pick<OtaLimits, "downloadIdleMilliseconds" | "downloadRecordBytesMax">;
}

const contentType = "application/octet-stream";

/** Firmware for devices, over HTTP and HTTPS alike (Alibaba device reference 7.2). */
export function createDownloadRoutes({ downloads, limits }: DownloadRoutesPorts): DeviceRoute[] {
  async function answer({ method, path, headers }: DeviceHttpRequest): Promise<DeviceHttpResponse> {
    const isHead = method === "HEAD";
    const ifRange = headers["if-range"];
    const asked = { path, range: headers.range, ifRange: typeof ifRange === "string" ? ifRange : undefined, isHead };
    const found = await downloads.answer(asked);
    if (found.kind === "refused") return answerError(found.code, found.details, found.headers);
    const { status, bytes, source } = found;
    if (source === undefined) return { status, contentType, headers: found.headers, body: Buffer.alloc(0), headBytes: bytes };
    const { downloadIdleMilliseconds: idleMilliseconds, downloadRecordBytesMax: recordBytesMax } = limits;
    const body = { bytes, next: source.next, close: source.close, idleMilliseconds, recordBytesMax };
    return { status, contentType, headers: found.headers, body };
  }
  const path = `${downloadPathPrefix}*`;
  return [
    { method: "GET", path, answer },
    { method: "HEAD", path, answer },
  ];
}
