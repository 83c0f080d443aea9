/** Signed calls as clients make them, for tests of this room. */
import type { RawApiRequest } from "../../raw-request.ts";
import type { Pair } from "../parameters.ts";
import { percentEncode } from "../percent-encode.ts";
import { acs3RequiredHeaders, canonicalRequestAcs3, hashPayload, signAcs3, stringToSignAcs3 } from "../signature-acs3.ts";
import { signV1, stringToSignV1 } from "../signature-v1.ts";
import { accessKeyId, accessKeySecret, startTime } from "./rooms.ts";

export type Fields = Readonly<Record<string, string | undefined>>;

let nonce = 0;

export function formatTimestamp(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}

function encodePairs(pairs: readonly Pair[]): string {
  return pairs.map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`).join("&");
}

function toPairs(fields: Fields): Pair[] {
  return Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

/** A field given as undefined is left out, common parameters too. */
export function signedV1(fields: Fields, { secret = accessKeySecret, isPost = false } = {}): RawApiRequest {
  const method = isPost ? "POST" : "GET";
  const pairs = toPairs({
    Format: "JSON",
    Version: "2018-01-20",
    AccessKeyId: accessKeyId,
    SignatureMethod: "HMAC-SHA1",
    SignatureVersion: "1.0",
    SignatureNonce: `nonce${++nonce}`,
    Timestamp: formatTimestamp(startTime),
    ...fields,
  });
  const all = encodePairs([["Signature", signV1(secret, stringToSignV1(method, pairs))], ...pairs]);
  return {
    method,
    path: "/",
    rawQuery: isPost ? "" : all,
    headers: { host: "127.0.0.1", ...(isPost ? { "content-type": "application/x-www-form-urlencoded" } : {}) },
    body: Buffer.from(isPost ? all : ""),
    remoteAddress: "127.0.0.1",
  };
}

export interface Acs3Options {
  headers?: Fields;
  form?: Fields;
  /** Headers left out of SignedHeaders. */
  unsigned?: readonly string[];
  algorithm?: string;
}

export function signedAcs3(action: string, query: Fields, options: Acs3Options = {}): RawApiRequest {
  const body = Buffer.from(encodePairs(toPairs(options.form ?? {})));
  const payloadHash = hashPayload(body);
  const headers: Record<string, string | undefined> = {
    host: "127.0.0.1:8080",
    "x-acs-action": action,
    "x-acs-version": "2018-01-20",
    "x-acs-date": formatTimestamp(startTime),
    "x-acs-signature-nonce": `nonce${++nonce}`,
    "x-acs-content-sha256": payloadHash,
    ...(body.length > 0 ? { "content-type": "application/x-www-form-urlencoded" } : {}),
    ...options.headers,
  };
  const signedHeaders = acs3RequiredHeaders.filter((name) => !options.unsigned?.includes(name));
  const pairs = toPairs(query);
  const canonicalRequest = canonicalRequestAcs3({ method: "POST", path: "/", query: pairs, headers, signedHeaders, payloadHash });
  const signature = signAcs3(accessKeySecret, stringToSignAcs3(canonicalRequest));
  const algorithm = options.algorithm ?? "ACS3-HMAC-SHA256";
  headers.authorization = `${algorithm} Credential=${accessKeyId},SignedHeaders=${signedHeaders.join(";")},Signature=${signature}`;
  return { method: "POST", path: "/", rawQuery: encodePairs(pairs), headers, body, remoteAddress: "127.0.0.1" };
}
