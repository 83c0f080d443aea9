/** Reading and writing the credentials of a CONNECT. Source: alibaba-device.md, 2.1, 2.3, 2.4. */
import type { ConnectRequest, DialectRefusal, Identification, Remark, TransportFacts } from "../dialect.ts";
import { formatClientId, type ParsedClientId, parameterOf, parseClientId } from "./client-id.ts";
import { isIotId, parseUserName } from "./identity.ts";
import { readRegistrationConnect, registrationKindOf } from "./registration.ts";
import { connectText, defaultSignMethod, readSignMethod, type SignMethod, sign, unknownMethod } from "./signing.ts";

const passwordCharactersMax = 512;

/** Which credential a `securemode` asks for, and the transport it was meant for (2.3). All other values are refused. */
const secureModes: Readonly<Record<string, { credential: "signature" | "token"; isSecure: boolean }>> = {
  "-1": { credential: "token", isSecure: true },
  "0": { credential: "token", isSecure: false },
  "2": { credential: "signature", isSecure: true },
  "3": { credential: "signature", isSecure: false },
};

/** Whom a CONNECT claims to be. Never throws, whatever came. */
export function identifyConnect(request: ConnectRequest, transport: TransportFacts): Identification {
  const userName = request.userName ?? "";
  const password = request.password === undefined ? "" : Buffer.from(request.password).toString("utf8");
  const looksSigned = userName.includes("&");
  const certified = identifyCertificate(request, transport, userName, password);
  if (certified !== undefined) return certified;
  // Without an extension and without a name of ours the client belongs to another dialect, however long its id is.
  if (!request.clientId.includes("|") && !looksSigned && (!isIotId(userName) || password === "")) return { kind: "notMine" };

  const parsed = parseClientId(request.clientId);
  if (parsed.kind === "refused") return parsed;
  if (password.length > passwordCharactersMax) {
    return refuse("access.password_malformed", `${password.length} characters`, `at most ${passwordCharactersMax} characters`);
  }
  const registrationKind = registrationKindOf(parsed);
  if (registrationKind !== undefined) return readRegistrationConnect(registrationKind, parsed, request, transport);
  const wrong = unsupportedParameters(parsed);
  if (wrong !== undefined) return wrong;
  const modeName = parameterOf(parsed.parameters, "securemode");
  const mode = modeName === undefined ? undefined : secureModes[modeName];
  const credential = mode?.credential ?? (looksSigned ? "signature" : "token");
  const shared = {
    clientMark: parsed.base,
    parameters: parsed.parameters,
    ...(mode === undefined ? {} : remarksOn(modeName, mode.isSecure, transport)),
  };
  if (password === "") return refuse("access.password_missing", "no password", credentialWords[credential]);
  if (credential === "token") {
    const guess = request.clientId.includes("|") || looksSigned ? {} : { isGuess: true };
    return { kind: "token", iotId: userName, token: password, ...guess, ...shared };
  }
  const names = parseUserName(userName);
  if (names === undefined) {
    return refuse("access.user_name_malformed", JSON.stringify(userName.slice(0, 128)), "${deviceName}&${productKey}");
  }
  return { kind: "device-signature", ...names, signature: password, ...shared };
}

/** 2.7: a client certificate takes the place of the password; at a first connection there is no user name either. */
function identifyCertificate(
  { clientId }: ConnectRequest,
  { clientCertificate }: TransportFacts,
  userName: string,
  password: string,
): Identification | undefined {
  if (clientCertificate === undefined || password !== "") return undefined;
  const parsed = parseClientId(clientId);
  if (parsed.kind === "refused") return parsed;
  const names = parseUserName(userName);
  if (userName !== "" && names === undefined) {
    return refuse("access.user_name_malformed", JSON.stringify(userName.slice(0, 128)), "no user name, or ${deviceName}&${productKey}");
  }
  const { fingerprint } = clientCertificate;
  return {
    kind: "certificate",
    fingerprint,
    ...(names === undefined ? {} : { names }),
    clientMark: parsed.base,
    parameters: parsed.parameters,
  };
}

const credentialWords = { signature: "the signature as password", token: "the iotToken as password" } as const;

function unsupportedParameters({ parameters }: ParsedClientId): DialectRefusal | undefined {
  const authType = parameterOf(parameters, "authtype");
  const mode = parameterOf(parameters, "securemode");
  if (authType === "id2" || (mode !== undefined && !Object.hasOwn(secureModes, mode))) {
    const received = authType === "id2" ? "authtype=id2" : `securemode=${mode?.slice(0, 32)}`;
    return refuse("access.secure_mode_unsupported", received, "securemode 2 or 3 (signature), -1 or 0 (token)");
  }
  const method = parameterOf(parameters, "signmethod");
  if (method !== undefined && readSignMethod(method) === undefined) return unknownMethod(method);
  return undefined;
}

/** The wrong mode for the transport is told, not refused: fleets behind a TLS proxy have no choice. */
function remarksOn(modeName: string | undefined, isSecure: boolean, transport: TransportFacts): { remarks?: readonly Remark[] } {
  if (isSecure === transport.isSecure) return {};
  return {
    remarks: [
      {
        code: "access.secure_mode_differs",
        received: `securemode=${modeName} over ${transport.isSecure ? "TLS" : "plain TCP"}`,
        expected: isSecure ? "TLS" : "plain TCP",
      },
    ],
  };
}

function refuse(code: string, received: string, expected: string): DialectRefusal {
  return { kind: "refused", code, received, expected };
}

/** The three fields of a CONNECT. */
export interface ConnectCredentials {
  clientId: string;
  userName: string;
  password: string;
}

/**
 * Credentials of a device that signs with its secret (2.1).
 *
 * @example signConnect({ productKey: "pk", deviceName: "device", deviceSecret: "secret", clientId: "12345",
 *   signMethod: "hmacsha1", timestamp: "789", secureMode: 3 }).password // fafd82a3…
 */
export function signConnect(options: {
  productKey: string;
  deviceName: string;
  deviceSecret: string;
  /** The part before the first pipe; `${productKey}.${deviceName}` when absent. */
  clientId?: string;
  signMethod?: SignMethod;
  timestamp?: string;
  /** 2 = over TLS, 3 = over plain TCP. */
  secureMode: 2 | 3;
  /** Further items of the extension, e.g. `{ _v: "1.0", lan: "C" }`. */
  parameters?: Readonly<Record<string, string>>;
}): ConnectCredentials {
  const { productKey, deviceName, timestamp } = options;
  const clientId = options.clientId ?? `${productKey}.${deviceName}`;
  const method = options.signMethod ?? "hmacsha256";
  return {
    clientId: formatClientId(clientId, [
      ["securemode", String(options.secureMode)],
      ["signmethod", method],
      ...(timestamp === undefined ? [] : [["timestamp", timestamp] as const]),
      ...Object.entries(options.parameters ?? {}),
    ]),
    userName: `${deviceName}&${productKey}`,
    password: sign(method, options.deviceSecret, connectText({ clientId, deviceName, productKey, timestamp })),
  };
}

/** Credentials of a device that holds a token from HTTPS pre-authentication (2.4). */
export function tokenConnect(options: {
  iotId: string;
  iotToken: string;
  clientId: string;
  /** -1 = over TLS (default), 0 = over plain TCP. */
  secureMode?: -1 | 0;
  parameters?: Readonly<Record<string, string>>;
}): ConnectCredentials {
  const clientId = formatClientId(options.clientId, [
    ["securemode", String(options.secureMode ?? -1)],
    ["signmethod", defaultSignMethod],
    ...Object.entries(options.parameters ?? {}),
  ]);
  return { clientId, userName: options.iotId, password: options.iotToken };
}
