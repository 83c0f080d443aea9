/** What gateways say about their sub-devices. Source: alibaba-device.md, 6. */
import type { ConnectTraits, DeviceNames, DialectRefusal } from "../dialect.ts";
import { traitsOf } from "./automatic-topics.ts";
import { parseClientId } from "./client-id.ts";
import { isProductKey, parseUserName } from "./identity.ts";
import { isSignature, mismatch, readSignMethod, type SignMethod, sign, signedText, unknownMethod } from "./signing.ts";

/** Fields that take no part in a sub-device's signature (6.2, 6.3). */
const unsignedFields: ReadonlySet<string> = new Set(["sign", "signMethod", "signmethod", "cleanSession"]);
const valueCharactersMax = 1024;

/** A sub-device as a gateway speaks of it, with the signature of its secret where one is asked for. */
export interface SubDeviceClaim extends DeviceNames {
  kind: "sub-device";
  clientId: string;
  signMethod: SignMethod;
  signature: string;
  signedText: string;
  /** From the extension of its client id. */
  traits: ConnectTraits;
}

/** The two names of an item; undefined when it has none that could be a device's. */
export function readSubDeviceNames(item: unknown): DeviceNames | undefined {
  if (typeof item !== "object" || item === null) return undefined;
  const { productKey, deviceName } = item as Record<string, unknown>;
  if (typeof productKey !== "string" || typeof deviceName !== "string" || !isProductKey(productKey)) return undefined;
  return parseUserName(`${deviceName}&${productKey}`);
}

/** The text a sub-device signs: every field but signature, method and `cleanSession`, the client id with all that is in it. */
export function subDeviceText(fields: Readonly<Record<string, string>>): string {
  return signedText(Object.entries(fields).filter(([name]) => !unsignedFields.has(name)));
}

/** Reads an item of `thing/topo/add` or of a login. Numbers are read as their digits. */
export function readSubDeviceClaim(item: unknown): SubDeviceClaim | DialectRefusal {
  const names = readSubDeviceNames(item);
  if (names === undefined) return refuse("access.parameter_malformed", "no productKey and deviceName", "the names of a device");
  const fields: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(item as object)) {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") fields[name] = String(value);
    else return refuse("access.parameter_malformed", `${name.slice(0, 64)} is no text`, "texts and numbers");
    if (String(value).length > valueCharactersMax) {
      return refuse("access.parameter_malformed", `${name.slice(0, 64)} is too long`, `at most ${valueCharactersMax} characters`);
    }
  }
  const signature = fields.sign ?? "";
  if (signature === "") return refuse("access.parameter_missing", "no sign", "productKey, deviceName, sign");
  const methodName = fields.signMethod ?? fields.signmethod ?? "hmacsha1";
  const signMethod = readSignMethod(methodName);
  if (signMethod === undefined) return unknownMethod(methodName);
  const clientId = fields.clientId ?? "";
  const parsed = parseClientId(clientId);
  const traits = parsed.kind === "clientId" ? traitsOf(parsed.parameters) : {};
  return { kind: "sub-device", ...names, clientId, signMethod, signature, signedText: subDeviceText(fields), traits };
}

export function verifySubDevice(claim: SubDeviceClaim, deviceSecret: string): { kind: "verified" } | DialectRefusal {
  if (isSignature(claim.signMethod, deviceSecret, claim.signedText, claim.signature)) return { kind: "verified" };
  return mismatch(claim.signMethod, claim.signedText, claim.signature, "every field but sign, signMethod and cleanSession is signed");
}

/** The item of `thing/topo/add` or of a login, signed with the sub-device's secret. */
export function signSubDevice(options: {
  productKey: string;
  deviceName: string;
  deviceSecret: string;
  clientId?: string;
  timestamp?: string;
  signMethod?: SignMethod;
}): Record<string, string> {
  const { productKey, deviceName } = options;
  const signMethod = options.signMethod ?? "hmacsha256";
  const fields = {
    productKey,
    deviceName,
    clientId: options.clientId ?? `${productKey}.${deviceName}`,
    ...(options.timestamp === undefined ? {} : { timestamp: options.timestamp }),
  };
  return { ...fields, signMethod, sign: sign(signMethod, options.deviceSecret, subDeviceText(fields)) };
}

function refuse(code: string, received: string, expected: string): DialectRefusal {
  return { kind: "refused", code, received, expected };
}
