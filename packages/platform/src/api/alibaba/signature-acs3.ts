/** Header signature ACS3-HMAC-SHA256 (reference 1.4). */
import { createHash, createHmac } from "node:crypto";
import type { Pair } from "./parameters.ts";
import { percentEncode } from "./percent-encode.ts";

export const acs3Algorithm = "ACS3-HMAC-SHA256";

/** Headers that a signature must cover. */
export const acs3RequiredHeaders = [
  "host",
  "x-acs-action",
  "x-acs-version",
  "x-acs-date",
  "x-acs-signature-nonce",
  "x-acs-content-sha256",
] as const;

export interface Acs3Authorization {
  algorithm: string;
  accessKeyId: string;
  /** Lower case, as listed. */
  signedHeaders: string[];
  signature: string;
}

/** Credential, SignedHeaders and Signature, and room for what a client may add. */
const partsMax = 16;

/** Undefined when a part is missing. Parts may be separated by a comma with or without a blank. */
export function parseAcs3Authorization(header: string): Acs3Authorization | undefined {
  const match = /^(\S+)\s+(.*)$/.exec(header.trim());
  if (match === null) return undefined;
  const [, algorithm = "", rest = ""] = match;
  const parts = new Map(
    rest.split(",", partsMax).map((part): [string, string] => {
      const at = part.indexOf("=");
      return [part.slice(0, Math.max(at, 0)).trim(), part.slice(at + 1).trim()];
    }),
  );
  const accessKeyId = parts.get("Credential");
  const signedHeaders = parts.get("SignedHeaders");
  const signature = parts.get("Signature");
  if (!accessKeyId || !signedHeaders || !signature) return undefined;
  return { algorithm, accessKeyId, signedHeaders: signedHeaders.toLowerCase().split(";"), signature };
}

/** Lower-case hex SHA-256 of the body. */
export function hashPayload(body: Buffer): string {
  return createHash("sha256").update(body).digest("hex");
}

export interface Acs3Signed {
  method: string;
  path: string;
  query: readonly Pair[];
  headers: Readonly<Record<string, string | undefined>>;
  signedHeaders: readonly string[];
  payloadHash: string;
}

export function canonicalRequestAcs3({ method, path, query, headers, signedHeaders, payloadHash }: Acs3Signed): string {
  const uri = path.replaceAll("+", "%20").replaceAll("*", "%2A").replaceAll("%7E", "~");
  const canonicalQuery = [...query]
    .sort(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .join("&");
  const names = [...signedHeaders].sort();
  const canonicalHeaders = names.map((name) => `${name}:${(headers[name] ?? "").trim()}\n`).join("");
  return `${method}\n${uri}\n${canonicalQuery}\n${canonicalHeaders}\n${names.join(";")}\n${payloadHash}`;
}

export function stringToSignAcs3(canonicalRequest: string): string {
  return `${acs3Algorithm}\n${createHash("sha256").update(canonicalRequest, "utf8").digest("hex")}`;
}

/** Lower-case hex. The key is the secret alone, without the `&` of the older signature. */
export function signAcs3(secret: string, stringToSign: string): string {
  return createHmac("sha256", secret).update(stringToSign, "utf8").digest("hex");
}
