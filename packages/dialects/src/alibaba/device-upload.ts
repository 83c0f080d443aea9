/** The device's side of a file upload over MQTT. Source: alibaba-device.md, 8.9. */
import { crc16 } from "./file-download.ts";

const encoder = new TextEncoder();
const lengthBytes = 2;
const checksumBytes = 2;

/** Length of the header (big-endian), header, bytes, their CRC-16 (little-endian). */
export function formatUploadBlock(block: {
  id: string;
  uploadId: string;
  offset: number;
  bytes: Uint8Array;
  isComplete: boolean;
}): Uint8Array {
  const { id, uploadId, offset, bytes, isComplete } = block;
  const header = encoder.encode(JSON.stringify({ id, params: { uploadId, offset, bSize: bytes.length, isComplete } }));
  const framed = new Uint8Array(lengthBytes + header.length + bytes.length + checksumBytes);
  const view = new DataView(framed.buffer);
  view.setUint16(0, header.length);
  framed.set(header, lengthBytes);
  framed.set(bytes, lengthBytes + header.length);
  view.setUint16(framed.length - checksumBytes, crc16(bytes), true);
  return framed;
}
