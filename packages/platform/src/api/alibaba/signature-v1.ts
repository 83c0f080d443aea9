/** Query signature, `SignatureVersion=1.0`, HMAC-SHA1 (reference 1.3). */
import { createHmac } from "node:crypto";
import type { Pair } from "./parameters.ts";
import { percentEncode } from "./percent-encode.ts";

/** @param pairs all parameters of query and form body, decoded; `Signature` itself is left out here */
export function stringToSignV1(method: string, pairs: readonly Pair[]): string {
  const canonical = pairs
    .filter(([name]) => name !== "Signature")
    .sort(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .join("&");
  return `${method}&${percentEncode("/")}&${percentEncode(canonical)}`;
}

/** Base64. The key of this signature is the secret with an `&` behind it. */
export function signV1(secret: string, stringToSign: string): string {
  return createHmac("sha1", `${secret}&`).update(stringToSign, "utf8").digest("base64");
}
