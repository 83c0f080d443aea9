/** Files in blocks over MQTT (`thing/file/download`), from both sides. Source: alibaba-device.md, 7.5. */
import { type AlinkId, type AlinkRefusal, readAlinkRequest } from "./alink.ts";

export interface FileBlockRequest {
  kind: "request";
  id: AlinkId;
  /** Of the generic variant. */
  fileToken?: string;
  /** Of an upgrade, as pushed. */
  streamId?: number;
  fileId?: number;
  offset: number;
  bytes: number;
}

export interface FileBlock {
  id: AlinkId;
  code: number;
  fileBytes: number;
  offset: number;
  bytes: Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const lengthBytes = 2;
const checksumBytes = 2;

/** CRC-16/ARC: polynomial 0x8005 reflected, starting at 0, nothing at the end. `123456789` gives 0xBB3D. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = (crc >>> 8) ^ (crcTable[(crc ^ byte) & 0xff] ?? 0);
  return crc;
}

const crcTable = Uint16Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xa001 : value >>> 1;
  return value;
});

/** Link SDK 4 writes a stray comma inside `fileInfo`. Commas in texts stay: a text is matched as a whole and kept. */
function withoutStrayCommas(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|,(?=\s*[,}\]])|(?<=[{[]\s*),/g, (match) => (match.startsWith('"') ? match : ""));
}

function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** Server's side. */
export function readFileBlockRequest(payload: Uint8Array): FileBlockRequest | AlinkRefusal {
  const request = readAlinkRequest(encoder.encode(withoutStrayCommas(decoder.decode(payload))));
  if (request.kind === "refused") return request;
  const params = membersOf(request.params);
  const info = membersOf(params.fileInfo);
  const block = membersOf(params.fileBlock);
  const offset = wholeNumber(block.offset);
  const bytes = wholeNumber(block.size);
  if (offset === undefined || bytes === undefined || bytes === 0) {
    return { kind: "refused", code: 460, message: "fileBlock needs a size above 0 and an offset", id: request.id };
  }
  const streamId = wholeNumber(info.streamId);
  const fileId = wholeNumber(info.fileId);
  return {
    kind: "request",
    id: request.id,
    ...(typeof params.fileToken === "string" ? { fileToken: params.fileToken } : {}),
    ...(streamId === undefined ? {} : { streamId }),
    ...(fileId === undefined ? {} : { fileId }),
    offset,
    bytes,
  };
}

function frame(header: object, bytes: Uint8Array): Uint8Array {
  const text = encoder.encode(JSON.stringify(header));
  const framed = new Uint8Array(lengthBytes + text.length + bytes.length + (bytes.length === 0 ? 0 : checksumBytes));
  const view = new DataView(framed.buffer);
  view.setUint16(0, text.length);
  framed.set(text, lengthBytes);
  if (bytes.length === 0) return framed;
  framed.set(bytes, lengthBytes + text.length);
  view.setUint16(framed.length - checksumBytes, crc16(bytes), true);
  return framed;
}

/** Server's side: length of the header (big-endian), header, bytes, their CRC-16 (little-endian). */
export function formatFileBlock(block: {
  id: AlinkId;
  fileToken?: string;
  fileBytes: number;
  offset: number;
  bytes: Uint8Array;
}): Uint8Array {
  const { id, fileToken, fileBytes, offset, bytes } = block;
  const data = { ...(fileToken === undefined ? {} : { fileToken }), fileLength: fileBytes, bSize: bytes.length, bOffset: offset };
  return frame({ id, code: 200, message: "success", data }, bytes);
}

/** Server's side: the header alone. */
export function formatFileBlockRefusal(id: AlinkId, code: number, message: string): Uint8Array {
  return frame({ id, code, message, data: {} }, new Uint8Array());
}

/** Device's side: asks for a block of an upgrade. */
export function formatFileBlockRequest(id: string, block: { streamId: number; fileId: number; offset: number; bytes: number }): Uint8Array {
  const { streamId, fileId, offset, bytes } = block;
  const params = { fileInfo: { streamId, fileId }, fileBlock: { size: bytes, offset } };
  return encoder.encode(JSON.stringify({ id, version: "1.0", params }));
}

/** Device's side: undefined for a frame that is cut short, damaged or not one. A refusal has no bytes. */
export function readFileBlock(payload: Uint8Array): FileBlock | undefined {
  if (payload.length < lengthBytes) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const bodyAt = lengthBytes + view.getUint16(0);
  if (bodyAt > payload.length) return undefined;
  let header: Readonly<Record<string, unknown>>;
  try {
    header = membersOf(JSON.parse(decoder.decode(payload.subarray(lengthBytes, bodyAt))));
  } catch {
    return undefined;
  }
  const { id, code } = header;
  if ((typeof id !== "string" && typeof id !== "number") || typeof code !== "number") return undefined;
  if (code !== 200) return { id, code, fileBytes: 0, offset: 0, bytes: new Uint8Array() };
  const data = membersOf(header.data);
  const fileBytes = wholeNumber(data.fileLength);
  const offset = wholeNumber(data.bOffset);
  const size = wholeNumber(data.bSize);
  if (fileBytes === undefined || offset === undefined || size === undefined) return undefined;
  if (payload.length !== bodyAt + size + checksumBytes) return undefined;
  const bytes = payload.subarray(bodyAt, bodyAt + size);
  return view.getUint16(bodyAt + size, true) === crc16(bytes) ? { id, code, fileBytes, offset, bytes } : undefined;
}
