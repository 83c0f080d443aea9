/** HTTPS pre-authentication: `POST /auth/devicename`. Source: alibaba-device.md, 2.4. */
import type { DialectRefusal, PreAuthClaim, PreAuthDialect } from "../dialect.ts";
import { alibabaClientIdLimits } from "./client-id.ts";
import { isProductKey, parseUserName } from "./identity.ts";
import { defaultSignMethod, isSignature, mismatch, readSignMethod, type SignMethod, sign, signedText, unknownMethod } from "./signing.ts";

/** Fields that never take part in the signature. `resouces` is a misprint of the documentation that devices repeat. */
const unsignedFields: ReadonlySet<string> = new Set(["version", "sign", "resources", "resouces", "signmethod", "signMethod"]);

const requiredFields = ["productKey", "deviceName", "clientId", "sign"] as const;

/** Answers by refusal code; the words are the documentation's, its spelling included. */
const answerOfRefusal: Readonly<Record<string, { code: number; message: string }>> = {
  "access.signature_mismatch": { code: 401, message: "request auth error" },
  "access.parameter_missing": { code: 460, message: "param error" },
  "access.parameter_malformed": { code: 460, message: "param error" },
  "access.too_many_fields": { code: 460, message: "param error" },
  "access.sign_method_unknown": { code: 460, message: "param error" },
  "access.device_unknown": { code: 5001, message: "meta device not found" },
  "access.credential_kind": { code: 6200, message: "auth type mismatch" },
  // The endpoint's own table has no code for a disabled device; 6204 is the platform-wide one (5.11).
  "access.device_disabled": { code: 6204, message: "device disabled" },
};
const failureAnswer = { code: 500, message: "unknow error" };

/** The text that a pre-authentication signs: every submitted field but the named exceptions, known or not. */
export function preAuthContent(fields: Readonly<Record<string, string>>): string {
  return signedText(Object.entries(fields).filter(([name]) => !unsignedFields.has(name)));
}

/** The form of a pre-authentication, as a device submits it. */
export function signPreAuth(options: {
  productKey: string;
  deviceName: string;
  deviceSecret: string;
  clientId: string;
  signMethod?: SignMethod;
  timestamp?: string;
}): Record<string, string> {
  const method = options.signMethod ?? "hmacsha1";
  const signed: Record<string, string> = {
    productKey: options.productKey,
    deviceName: options.deviceName,
    clientId: options.clientId,
    ...(options.timestamp === undefined ? {} : { timestamp: options.timestamp }),
  };
  return {
    ...signed,
    sign: sign(method, options.deviceSecret, preAuthContent(signed)),
    signmethod: method,
    version: "default",
    resources: "mqtt",
  };
}

function readPreAuth(fields: Readonly<Record<string, string>>): PreAuthClaim | DialectRefusal {
  for (const name of requiredFields) {
    if (fieldOf(fields, name) === "") return refuse("access.parameter_missing", `no ${name}`, requiredFields.join(", "));
  }
  const productKey = fieldOf(fields, "productKey");
  const deviceName = fieldOf(fields, "deviceName");
  const clientMark = fieldOf(fields, "clientId");
  if (!isProductKey(productKey) || parseUserName(`${deviceName}&${productKey}`) === undefined) {
    return refuse("access.parameter_malformed", JSON.stringify({ productKey, deviceName }).slice(0, 200), "letters, digits, -_@.:");
  }
  const charactersMax = alibabaClientIdLimits.baseCharactersMax;
  if (clientMark.length > charactersMax) {
    return refuse("access.parameter_malformed", `clientId of ${clientMark.length} characters`, `at most ${charactersMax}`);
  }
  const methodName = fieldOf(fields, "signmethod") || fieldOf(fields, "signMethod") || defaultSignMethod;
  const signMethod = readSignMethod(methodName);
  if (signMethod === undefined) return unknownMethod(methodName);
  const signature = fieldOf(fields, "sign");
  return { kind: "pre-auth", productKey, deviceName, clientMark, signMethod, signature, signedText: preAuthContent(fields) };
}

function fieldOf(fields: Readonly<Record<string, string>>, name: string): string {
  return (Object.hasOwn(fields, name) ? fields[name] : undefined) ?? "";
}

function verifyPreAuth(claim: PreAuthClaim, deviceSecret: string): { kind: "verified" } | DialectRefusal {
  const method = readSignMethod(claim.signMethod);
  if (method === undefined) return unknownMethod(claim.signMethod);
  if (isSignature(method, deviceSecret, claim.signedText, claim.signature)) return { kind: "verified" };
  return mismatch(method, claim.signedText, claim.signature, "every field but version, sign, resources and signmethod is signed");
}

function refuse(code: string, received: string, expected: string): DialectRefusal {
  return { kind: "refused", code, received, expected };
}

export const alibabaPreAuth: PreAuthDialect = {
  tokenSeconds: 7 * 24 * 3600,
  read: readPreAuth,
  verify: verifyPreAuth,
  // The C SDK aborts without resources.mqtt, asked for or not; member order is the sample's.
  grant: ({ iotId, token, host, port }) => ({
    code: 200,
    data: { iotId, iotToken: token, resources: { mqtt: { host, port } } },
    message: "success",
  }),
  refuse: (code) => ({ ...((Object.hasOwn(answerOfRefusal, code) ? answerOfRefusal[code] : undefined) ?? failureAnswer) }),
};
