/** The cloud's side of a file upload over MQTT. Source: alibaba-device.md, 8.9. */
import { type AlinkId, type AlinkRefusal, readAlinkRequest } from "./alink.ts";
import { crc16 } from "./file-download.ts";

export interface UploadBlock {
  kind: "block";
  id: AlinkId;
  uploadId: string;
  offset: number;
  /** As the device says it; -1 when it says none. */
  announcedBytes: number;
  /** A view into the message. */
  bytes: Uint8Array;
  isComplete: boolean;
  /** False: the bytes were damaged on the way. */
  isIntact: boolean;
}

const lengthBytes = 2;
const checksumBytes = 2;

function refuse(code: number, message: string, id?: AlinkId): AlinkRefusal {
  return { kind: "refused", code, message, ...(id === undefined ? {} : { id }) };
}

function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** Length of the header (big-endian), header, bytes, their CRC-16 (little-endian). */
export function readUploadBlock(payload: Uint8Array): UploadBlock | AlinkRefusal {
  if (payload.length < lengthBytes) return refuse(400, "the message has no header");
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const bodyAt = lengthBytes + view.getUint16(0);
  if (bodyAt + checksumBytes > payload.length) return refuse(400, "the header is cut short");
  const request = readAlinkRequest(payload.subarray(lengthBytes, bodyAt));
  if (request.kind === "refused") return refuse(400, request.message, request.id);
  const { id, params } = request;
  if (typeof params !== "object" || params === null || Array.isArray(params)) return refuse(460, "params must be an object", id);
  const { uploadId, offset: offsetValue, bSize, isComplete } = params as Readonly<Record<string, unknown>>;
  const offset = wholeNumber(offsetValue);
  if (typeof uploadId !== "string" || offset === undefined) return refuse(460, "params need uploadId and offset", id);
  const end = payload.length - checksumBytes;
  const bytes = payload.subarray(bodyAt, end);
  return {
    kind: "block",
    id,
    uploadId,
    offset,
    announcedBytes: wholeNumber(bSize) ?? -1,
    bytes,
    isComplete: isComplete === true || isComplete === "true",
    isIntact: view.getUint16(end, true) === crc16(bytes),
  };
}
