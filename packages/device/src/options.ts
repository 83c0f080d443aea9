import { endpoints } from "@thingstead/dialects";
import { type Clock, systemClock } from "./clock.ts";
import { DeviceError } from "./errors.ts";
import { defaultReconnectPolicy, type ReconnectPolicy } from "./reconnect-delay.ts";

/** `tcp`: direct, plain. `tls`: direct over TLS. `preauth`: HTTPS authentication first, then MQTT over TLS with its token. */
export type ConnectMode = "tcp" | "tls" | "preauth";
export type SignMethod = "hmacmd5" | "hmacsha1" | "hmacsha256";

export interface DeviceOptions {
  productKey: string;
  deviceName: string;
  deviceSecret: string;
  /** Default `tls`. */
  mode?: ConnectMode;
  /** Region of the real cloud; default `cn-shanghai`. Chooses the host names unless `host` is given. */
  region?: string;
  /** Server to connect to instead of the real cloud's: a Thingstead. */
  host?: string;
  /** Default 1883: the vendor's port takes plain and TLS connections. */
  port?: number;
  /** Where HTTPS authentication goes; default `host`, or the region's authentication host, port 443. */
  preAuthHost?: string;
  preAuthPort?: number;
  /** Connect to `host`:`port` even when the authentication answer names another place. Default true when `host` is given. */
  keepHost?: boolean;
  /** Free mark of the device in the client id, up to 64 characters: MAC or serial number. Default `productKey.deviceName`. */
  clientId?: string;
  /** Default `hmacsha256`; `preauth` of old clouds knows `hmacmd5` and `hmacsha1`. */
  signMethod?: SignMethod;
  /** Text that is signed and sent as it is; default the current time in milliseconds. `null` leaves it out. */
  timestamp?: string | null;
  /** Additional `k=v` of the client id's extension list. */
  parameters?: Readonly<Record<string, string>>;
  /** Seconds, default 60. */
  keepAliveSeconds?: number;
  /** Default true. False keeps subscriptions and QoS 1 messages while away. */
  isCleanSession?: boolean;
  /** Certificate authority in PEM, in addition to none: give Thingstead's `ca.crt` here. Default: the system's. */
  ca?: string | Uint8Array;
  /** Name checked against the server's certificate; default the host. */
  serverName?: string;
  /** False accepts any certificate: for a laboratory only. Default true. */
  verifyServer?: boolean;
  /** Default 10,000. */
  connectTimeoutMilliseconds?: number;
  /** Messages that may wait for the connection or their acknowledgement. Default 1,000. */
  outgoingMessagesMax?: number;
  /** `false` = do not reconnect. */
  reconnect?: Partial<ReconnectPolicy> | false;
  clock?: Clock;
}

export interface ResolvedOptions {
  productKey: string;
  deviceName: string;
  deviceSecret: string;
  mode: ConnectMode;
  host: string;
  port: number;
  preAuthHost: string;
  preAuthPort: number;
  keepHost: boolean;
  clientId: string;
  signMethod: SignMethod;
  timestamp: string | null | undefined;
  parameters: Readonly<Record<string, string>>;
  keepAliveSeconds: number;
  isCleanSession: boolean;
  ca: string | Uint8Array | undefined;
  serverName: string | undefined;
  verifyServer: boolean;
  connectTimeoutMilliseconds: number;
  outgoingMessagesMax: number;
  reconnect: ReconnectPolicy | undefined;
  clock: Clock;
}

/** The vendor's ports; the MQTT one takes plain and TLS connections. */
const mqttPort = 1883;
const preAuthPort = 443;
const modes: readonly ConnectMode[] = ["tcp", "tls", "preauth"];
const signMethods: readonly SignMethod[] = ["hmacmd5", "hmacsha1", "hmacsha256"];

function requireText(options: DeviceOptions, option: "productKey" | "deviceName" | "deviceSecret"): string {
  const value: unknown = options[option];
  if (typeof value !== "string" || value === "") throw new DeviceError("device.option_missing", { option, expected: "a text" });
  return value;
}

function requireInteger(option: string, value: number, minimum: number, maximum: number): number {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new DeviceError("device.option_invalid", {
      option,
      received: String(value),
      expected: `a whole number from ${minimum} to ${maximum}`,
    });
  }
  return value;
}

function requireOneOf<T extends string>(option: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value))
    throw new DeviceError("device.option_invalid", { option, received: String(value), expected: allowed.join(", ") });
  return value;
}

/** Fills in the defaults and refuses what cannot work, before anything is sent. */
export function resolveOptions(options: DeviceOptions): ResolvedOptions {
  const productKey = requireText(options, "productKey");
  const deviceName = requireText(options, "deviceName");
  const mode = requireOneOf("mode", options.mode ?? "tls", modes);
  const cloud = endpoints({ region: options.region ?? "cn-shanghai", productKey });
  const clientId = options.clientId ?? `${productKey}.${deviceName}`;
  if (clientId.length > 64 || clientId.includes("|")) {
    throw new DeviceError("device.option_invalid", { option: "clientId", received: clientId, expected: "at most 64 characters without |" });
  }
  return {
    productKey,
    deviceName,
    deviceSecret: requireText(options, "deviceSecret"),
    mode,
    host: options.host ?? cloud.mqtt.host,
    port: requireInteger("port", options.port ?? mqttPort, 1, 65_535),
    preAuthHost: options.preAuthHost ?? options.host ?? cloud.auth.host,
    preAuthPort: requireInteger("preAuthPort", options.preAuthPort ?? preAuthPort, 1, 65_535),
    keepHost: options.keepHost ?? options.host !== undefined,
    clientId,
    signMethod: requireOneOf("signMethod", options.signMethod ?? (mode === "preauth" ? "hmacsha1" : "hmacsha256"), signMethods),
    timestamp: options.timestamp,
    parameters: options.parameters ?? {},
    keepAliveSeconds: requireInteger("keepAliveSeconds", options.keepAliveSeconds ?? 60, 1, 65_535),
    isCleanSession: options.isCleanSession ?? true,
    ca: options.ca,
    serverName: options.serverName,
    verifyServer: options.verifyServer ?? true,
    connectTimeoutMilliseconds: requireInteger("connectTimeoutMilliseconds", options.connectTimeoutMilliseconds ?? 10_000, 1, 600_000),
    outgoingMessagesMax: requireInteger("outgoingMessagesMax", options.outgoingMessagesMax ?? 1_000, 1, 1_000_000),
    reconnect: options.reconnect === false ? undefined : { ...defaultReconnectPolicy, ...options.reconnect },
    clock: options.clock ?? systemClock,
  };
}
