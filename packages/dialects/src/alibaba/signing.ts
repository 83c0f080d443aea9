/**
 * Signatures: hexadecimal HMAC over sorted `namevalue` pairs, with the device secret as it is written (never decoded) as key.
 * Source: alibaba-device.md, 2.1 and 2.2.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Claim, DialectRefusal } from "../dialect.ts";
import { parameterOf } from "./client-id.ts";

/** Every name of a method seen, in lower case, and the hash below its HMAC. A bare hash name means its HMAC, too. */
const hashOfMethod: Readonly<Record<string, "md5" | "sha1" | "sha256">> = {
  hmacmd5: "md5",
  hmacsha1: "sha1",
  hmacsha256: "sha256",
  md5: "md5",
  sha1: "sha1",
  sha256: "sha256",
};

export type SignMethod = "hmacmd5" | "hmacsha1" | "hmacsha256";

/** What an absent `signmethod` means (2.4). */
export const defaultSignMethod: SignMethod = "hmacmd5";

const signMethods: readonly SignMethod[] = ["hmacmd5", "hmacsha1", "hmacsha256"];

/** The method that a name in any letter case stands for. */
export function readSignMethod(name: string): SignMethod | undefined {
  const lower = name.toLowerCase();
  const hash = Object.hasOwn(hashOfMethod, lower) ? hashOfMethod[lower] : undefined;
  return hash === undefined ? undefined : `hmac${hash}`;
}

/** Lower-case hexadecimal signature. Vectors: conformance/alibaba/signatures.json. */
export function sign(method: SignMethod, secret: string, text: string): string {
  return createHmac(method.slice("hmac".length), secret).update(text).digest("hex");
}

/** Compares a received signature in any letter case without telling by its time how much of it was right. */
export function isSignature(method: SignMethod, secret: string, text: string, received: string): boolean {
  const right = Buffer.from(sign(method, secret, text), "latin1");
  const given = Buffer.from(received.toLowerCase(), "latin1");
  if (given.length !== right.length) {
    timingSafeEqual(right, right);
    return false;
  }
  return timingSafeEqual(right, given);
}

/** `namevalue` pairs, sorted by name, without separators. */
export function signedText(fields: readonly (readonly [name: string, value: string])[]): string {
  return [...fields]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => name + value)
    .join("");
}

/** The text that a CONNECT signs; `timestamp` takes part only when the device sent one. */
export function connectText(names: { clientId: string; deviceName: string; productKey: string; timestamp?: string | undefined }): string {
  // In the order of the names; sorting them for every CONNECT costs more than the rest.
  const signed = `clientId${names.clientId}deviceName${names.deviceName}productKey${names.productKey}`;
  return names.timestamp === undefined ? signed : `${signed}timestamp${names.timestamp}`;
}

/** Checks the password of a CONNECT. `timestamp` is never compared to a clock: devices send 0–999 or the year 2050. */
export function verifyConnect(
  claim: Extract<Claim, { kind: "device-signature" }>,
  deviceSecret: string,
): { kind: "verified" } | DialectRefusal {
  const methodName = parameterOf(claim.parameters, "signmethod") ?? defaultSignMethod;
  const method = readSignMethod(methodName);
  if (method === undefined) return unknownMethod(methodName);
  const timestamp = parameterOf(claim.parameters, "timestamp");
  const names = { clientId: claim.clientMark, deviceName: claim.deviceName, productKey: claim.productKey };
  const text = connectText({ ...names, timestamp });
  if (isSignature(method, deviceSecret, text, claim.signature)) return { kind: "verified" };
  // All guesses are tried for every wrong signature, known device or not, so that time tells nothing.
  const guesses: (readonly [guess: string, isRight: boolean])[] = [
    ["signed without timestamp", timestamp !== undefined && isSignature(method, deviceSecret, connectText(names), claim.signature)],
    ...signMethods.map(
      (other) => [`made with ${other}`, other !== method && isSignature(other, deviceSecret, text, claim.signature)] as const,
    ),
  ];
  const hint = guesses.find(([, isRight]) => isRight)?.[0] ?? "key, names or client id differ from the registered ones";
  return mismatch(method, text, claim.signature, hint);
}

/** A mismatch shows the signed text and what came, never the key or the right signature. */
export function mismatch(method: SignMethod, text: string, received: string, hint: string): DialectRefusal {
  const shown = /^[0-9A-Fa-f]{1,64}$/.test(received) ? `: ${received}` : ", not hexadecimal";
  return {
    kind: "refused",
    code: "access.signature_mismatch",
    received: `${method} signature of ${received.length} characters${shown} (hint: ${hint})`,
    expected: text,
  };
}

export function unknownMethod(name: string): DialectRefusal {
  return {
    kind: "refused",
    code: "access.sign_method_unknown",
    received: JSON.stringify(name.slice(0, 64)),
    expected: signMethods.join(", "),
  };
}
