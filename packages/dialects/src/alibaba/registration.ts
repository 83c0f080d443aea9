/** Dynamic registration: credentials for a product's secret, over HTTPS and over MQTT. Source: alibaba-device.md, 2.5 and 2.6. */
import type {
  ConnectRequest,
  DeviceNames,
  DeviceTokenClaim,
  DialectRefusal,
  RegistrationClaim,
  RegistrationDialect,
  TransportFacts,
} from "../dialect.ts";
import { formatClientId, type ParsedClientId, parameterOf } from "./client-id.ts";
import { isProductKey, parseUserName } from "./identity.ts";
import { isSignature, mismatch, readSignMethod, type SignMethod, sign, signedText, unknownMethod } from "./signing.ts";

/** What is pushed to a device that registered over MQTT, whether it subscribed or not. */
export const registrationTopics = { secret: "/ext/register", token: "/ext/regnwl" } as const;

const methodDefault: SignMethod = "hmacsha1";
const requiredFields = ["productKey", "deviceName", "random", "sign"] as const;
const randomCharactersMax = 64;

/** The text that a registration signs with the product's secret. */
export function registrationContent(names: { productKey: string; deviceName: string; random: string }): string {
  return signedText([
    ["deviceName", names.deviceName],
    ["productKey", names.productKey],
    ["random", names.random],
  ]);
}

export interface RegistrationOptions {
  productKey: string;
  deviceName: string;
  productSecret: string;
  random: string;
  signMethod?: SignMethod;
}

/** The form of `POST /auth/register/device`. */
export function signRegistration(options: RegistrationOptions): Record<string, string> {
  const { productKey, deviceName, productSecret, random } = options;
  const method = options.signMethod ?? "hmacsha256";
  const signature = sign(method, productSecret, registrationContent(options));
  return { productKey, deviceName, random, sign: signature, signMethod: method };
}

/**
 * Credentials of a connection that asks for a secret (`register`), or for a token without having been registered (`regnwl`).
 * The answer comes on {@link registrationTopics} without a SUBSCRIBE.
 */
export function registrationConnect(options: RegistrationOptions & { authType: "register" | "regnwl"; clientId?: string }): {
  clientId: string;
  userName: string;
  password: string;
} {
  const { productKey, deviceName, productSecret, random, authType } = options;
  const method = options.signMethod ?? "hmacsha256";
  return {
    clientId: formatClientId(options.clientId ?? `${deviceName}.${productKey}`, [
      ["random", random],
      ["authType", authType],
      ["securemode", authType === "register" ? "2" : "-2"],
      ["signmethod", method],
    ]),
    userName: `${deviceName}&${productKey}`,
    password: sign(method, productSecret, registrationContent(options)),
  };
}

/** Credentials of a device that registered itself: the client id and the token that it was given. */
export function deviceTokenConnect(options: {
  productKey: string;
  deviceName: string;
  clientId: string;
  deviceToken: string;
  parameters?: Readonly<Record<string, string>>;
}): { clientId: string; userName: string; password: string } {
  return {
    clientId: formatClientId(options.clientId, [["authType", "connwl"], ["securemode", "-2"], ...Object.entries(options.parameters ?? {})]),
    userName: `${options.deviceName}&${options.productKey}`,
    password: options.deviceToken,
  };
}

/** What was pushed on {@link registrationTopics}; undefined for anything else. */
export function readRegistrationAnswer(
  topic: string,
  payload: Uint8Array,
):
  | { kind: "secret"; productKey: string; deviceName: string; deviceSecret: string }
  | { kind: "token"; productKey: string; deviceName: string; clientId: string; deviceToken: string }
  | undefined {
  let members: Record<string, unknown>;
  try {
    members = JSON.parse(Buffer.from(payload).toString("utf8"));
  } catch {
    return undefined;
  }
  const { productKey, deviceName, deviceSecret, clientId, deviceToken } = members ?? {};
  if (typeof productKey !== "string" || typeof deviceName !== "string") return undefined;
  if (topic === registrationTopics.secret && typeof deviceSecret === "string")
    return { kind: "secret", productKey, deviceName, deviceSecret };
  if (topic === registrationTopics.token && typeof clientId === "string" && typeof deviceToken === "string") {
    return { kind: "token", productKey, deviceName, clientId, deviceToken };
  }
  return undefined;
}

/** Which kind of registration, or connection of a registered device, a client id asks for; undefined: an ordinary connection. */
export function registrationKindOf({ parameters }: ParsedClientId): "register" | "regnwl" | "connwl" | undefined {
  const authType = parameterOf(parameters, "authtype");
  if (authType === "register" || authType === "connwl") return authType;
  // One page of the documentation connects with `regnwl` and the token (2.6): then there is no `random`.
  if (authType === "regnwl") return parameterOf(parameters, "random") === undefined ? "connwl" : "regnwl";
  return authType === undefined && parameterOf(parameters, "securemode") === "-2" ? "connwl" : undefined;
}

/** Reads a CONNECT of that kind. TLS only: the answer is a secret, or the password is one. */
export function readRegistrationConnect(
  kind: "register" | "regnwl" | "connwl",
  parsed: ParsedClientId,
  { userName = "", password }: ConnectRequest,
  transport: TransportFacts,
): RegistrationClaim | DeviceTokenClaim | DialectRefusal {
  if (!transport.isSecure) return refuse("access.registration_insecure", `authType=${kind} over plain TCP`, "TLS");
  const names = parseUserName(userName);
  if (names === undefined)
    return refuse("access.user_name_malformed", JSON.stringify(userName.slice(0, 128)), "${deviceName}&${productKey}");
  const text = password === undefined ? "" : Buffer.from(password).toString("utf8");
  const shared = { ...names, clientMark: parsed.base, parameters: parsed.parameters };
  if (text === "") return refuse("access.password_missing", "no password", kind === "connwl" ? "the deviceToken" : "the signature");
  if (kind === "connwl") return { kind: "device-token", token: text, ...shared };
  const random = parameterOf(parsed.parameters, "random") ?? "";
  if (random === "" || random.length > randomCharactersMax) {
    return refuse("access.client_id_malformed", `random of ${random.length} characters`, `1 to ${randomCharactersMax} characters`);
  }
  const signMethod = readSignMethod(parameterOf(parsed.parameters, "signmethod") ?? methodDefault);
  if (signMethod === undefined) return unknownMethod(parameterOf(parsed.parameters, "signmethod") ?? "");
  return {
    kind: "registration",
    mode: kind === "register" ? "known" : "self",
    signMethod,
    signature: text,
    signedText: registrationContent({ ...names, random }),
    ...shared,
  };
}

function readRegistration(fields: Readonly<Record<string, string>>): RegistrationClaim | DialectRefusal {
  for (const name of requiredFields) {
    if (fieldOf(fields, name) === "") return refuse("access.parameter_missing", `no ${name}`, requiredFields.join(", "));
  }
  const productKey = fieldOf(fields, "productKey");
  const deviceName = fieldOf(fields, "deviceName");
  const random = fieldOf(fields, "random");
  if (!isProductKey(productKey) || parseUserName(`${deviceName}&${productKey}`) === undefined) {
    return refuse("access.parameter_malformed", JSON.stringify({ productKey, deviceName }).slice(0, 200), "letters, digits, -_@.:");
  }
  if (random.length > randomCharactersMax) {
    return refuse("access.parameter_malformed", `random of ${random.length} characters`, `at most ${randomCharactersMax} characters`);
  }
  const methodName = fieldOf(fields, "signMethod") || fieldOf(fields, "signmethod") || methodDefault;
  const signMethod = readSignMethod(methodName);
  if (signMethod === undefined) return unknownMethod(methodName);
  return {
    kind: "registration",
    mode: "known",
    productKey,
    deviceName,
    signMethod,
    signature: fieldOf(fields, "sign"),
    signedText: registrationContent({ productKey, deviceName, random }),
    clientMark: "",
    parameters: {},
  };
}

function fieldOf(fields: Readonly<Record<string, string>>, name: string): string {
  return (Object.hasOwn(fields, name) ? fields[name] : undefined) ?? "";
}

function verifyRegistration(claim: RegistrationClaim, productSecret: string): { kind: "verified" } | DialectRefusal {
  const method = readSignMethod(claim.signMethod);
  if (method === undefined) return unknownMethod(claim.signMethod);
  if (isSignature(method, productSecret, claim.signedText, claim.signature)) return { kind: "verified" };
  const hint = "signed with the product's secret, which differs from the registered one, or other names";
  return { ...mismatch(method, claim.signedText, claim.signature, hint), code: "access.registration_signature" };
}

/** Answers by refusal code, over HTTPS (2.5) and for a gateway's proxied devices (6.1). */
const answerOfRefusal: Readonly<Record<string, { code: number; message: string }>> = {
  "access.parameter_missing": { code: 460, message: "request parameter error" },
  "access.parameter_malformed": { code: 460, message: "request parameter error" },
  "access.too_many_fields": { code: 460, message: "request parameter error" },
  "access.registration_insecure": { code: 460, message: "https required" },
  "access.product_unknown": { code: 6250, message: "product not found" },
  "access.registration_device_unknown": { code: 6100, message: "device not found" },
  "access.device_disabled": { code: 6204, message: "device disabled" },
  "access.registration_closed": { code: 6288, message: "dynamic registration is closed" },
  "access.registration_activated": { code: 6289, message: "device already activated" },
  "access.sign_method_unknown": { code: 6292, message: "sign method not supported" },
  "access.registration_signature": { code: 6600, message: "signature error" },
  "access.credential_kind": { code: 6200, message: "auth type mismatch" },
};
const failureAnswer = { code: 500, message: "internal error" };

export function registrationAnswerOf(code: string): { code: number; message: string } {
  return { ...((Object.hasOwn(answerOfRefusal, code) ? answerOfRefusal[code] : undefined) ?? failureAnswer) };
}

const encoder = new TextEncoder();

export const alibabaRegistration: RegistrationDialect = {
  read: readRegistration,
  verify: verifyRegistration,
  // The C SDK looks for the literal texts `"deviceSecret":"` in at most 256 bytes.
  grant: ({ productKey, deviceName, deviceSecret }) => ({ code: 200, data: { productKey, deviceName, deviceSecret }, message: "success" }),
  refuse: registrationAnswerOf,
  announceSecret: ({ productKey, deviceName, deviceSecret }) => ({
    topic: registrationTopics.secret,
    payload: encoder.encode(JSON.stringify({ productKey, deviceName, deviceSecret })),
  }),
  announceToken: ({ clientId, productKey, deviceName, deviceToken }) => ({
    topic: registrationTopics.token,
    payload: encoder.encode(JSON.stringify({ clientId, productKey, deviceName, deviceToken })),
  }),
  bootstrap: ({ host, port }) => ({ code: 200, data: { resources: { mqtt: { host, port } } }, message: "success" }),
};

function refuse(code: string, received: string, expected: string): DialectRefusal {
  return { kind: "refused", code, received, expected };
}

/** 2.7 */
export function announceIdentity({ productKey, deviceName }: DeviceNames): { topic: string; payload: Uint8Array } {
  return { topic: "/ext/auth/identity/response", payload: encoder.encode(JSON.stringify({ productKey, deviceName })) };
}
