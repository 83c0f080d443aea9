/** Tells a client's protocol from its first bytes: one device port serves them all (protocol reference, Alibaba 1.3). */

/** `more`: what came so far fits a protocol but does not decide yet. */
type SniffedProtocol = "tls" | "mqtt" | "http" | "unknown" | "more";

const tlsHandshakeRecord = 0x16;
const tlsMajorVersion = 0x03;
const mqttConnect = 0x10;
const tlsRecordHeaderBytes = 5;
/** RFC 8446 5.1: a record carries at most 2^14 bytes. */
const tlsRecordBytesMax = 16_384;

const httpMethods = ["GET ", "POST ", "PUT ", "DELETE ", "HEAD ", "OPTIONS ", "PATCH "];

export const sniffExpectation = "0x16 (TLS), 0x10 (MQTT CONNECT) or an HTTP method";

/**
 * Decides with as few bytes as possible. TLS is decided once its first record is whole, so that the ClientHello can be
 * read before the handshake starts.
 */
export function sniffProtocol(bytes: Uint8Array): SniffedProtocol {
  const first = bytes[0];
  if (first === undefined) return "more";
  if (first === mqttConnect) return "mqtt";
  if (first === tlsHandshakeRecord) return sniffTls(bytes);
  return sniffHttp(bytes);
}

function sniffTls(bytes: Uint8Array): SniffedProtocol {
  const [, major, , high, low] = bytes;
  if (major !== undefined && major !== tlsMajorVersion) return "unknown";
  if (high === undefined || low === undefined) return "more";
  const recordBytes = high * 256 + low;
  if (recordBytes === 0 || recordBytes > tlsRecordBytesMax) return "unknown";
  return bytes.length >= tlsRecordHeaderBytes + recordBytes ? "tls" : "more";
}

function sniffHttp(bytes: Uint8Array): SniffedProtocol {
  let isPrefix = false;
  for (const method of httpMethods) {
    const compared = Math.min(method.length, bytes.length);
    let equal = 0;
    while (equal < compared && bytes[equal] === method.charCodeAt(equal)) equal++;
    if (equal === method.length) return "http";
    if (equal === bytes.length) isPrefix = true;
  }
  return isPrefix ? "more" : "unknown";
}

/** The first bytes as hex, bounded: `16 03 01 …`. */
export function showBytes(bytes: Uint8Array, bytesMax: number): string {
  if (bytes.length === 0) return "nothing";
  const shown = Array.from(bytes.subarray(0, bytesMax), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return bytes.length > bytesMax ? `${shown} … (${bytes.length} bytes)` : shown;
}
