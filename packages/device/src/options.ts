import { endpoints } from "@thingstead/dialects";
import { type Clock, systemClock } from "./clock.ts";
import { DeviceError } from "./errors.ts";
import { type DeviceLimits, defaultDeviceLimits } from "./limits.ts";
import { defaultReconnectPolicy, type ReconnectPolicy } from "./reconnect-delay.ts";

/** `tcp`: direct, plain. `tls`: direct over TLS. `preauth`: HTTPS authentication first, then MQTT over TLS with its token. */
export type ConnectMode = "tcp" | "tls" | "preauth";
export type SignMethod = "hmacmd5" | "hmacsha1" | "hmacsha256";

export interface DeviceOptions {
  productKey: string;
  deviceName: string;
  /** Not for a device with a `deviceToken`. */
  deviceSecret?: string;
  /** Of a device that registered itself without having been known (`registerUnknown`). Needs the `clientId` that came with it. */
  deviceToken?: string;
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
  /** Tells the cloud that RRPC on custom topics is understood; synchronous services then come that way, too. Default false. */
  acceptsCustomRrpc?: boolean;
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
  /** Firmware and configuration may be fetched over plain HTTP. Default false. */
  allowsPlainDownloads?: boolean;
  /**
   * Refuses TLS records larger than this, as a device with a small buffer must (mbed TLS: -0x7200). Default: what TLS allows,
   * 16 KB and some.
   */
  tlsRecordBytesMax?: number;
  /** Default 10,000. */
  connectTimeoutMilliseconds?: number;
  /** Messages that may wait for the connection or their acknowledgement. Default 1,000. */
  outgoingMessagesMax?: number;
  /** `false` = do not reconnect. */
  reconnect?: Partial<ReconnectPolicy> | false;
  limits?: Partial<DeviceLimits>;
  clock?: Clock;
}

export interface ResolvedOptions {
  productKey: string;
  deviceName: string;
  deviceSecret: string;
  deviceToken: string | undefined;
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
  acceptsCustomRrpc: boolean;
  keepAliveSeconds: number;
  isCleanSession: boolean;
  ca: string | Uint8Array | undefined;
  serverName: string | undefined;
  verifyServer: boolean;
  allowsPlainDownloads: boolean;
  tlsRecordBytesMax: number;
  connectTimeoutMilliseconds: number;
  outgoingMessagesMax: number;
  reconnect: ReconnectPolicy | undefined;
  limits: DeviceLimits;
  clock: Clock;
}

/** Plain bytes of a TLS record, and what encryption may add (RFC 8446, 5.2). */
export const tlsRecordBytesDefault = 16_384 + 256;

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
  if (options.deviceToken !== undefined) {
    // The token is a password: it must not be read on the way, and is worth nothing without its client id.
    if (mode !== "tls")
      throw new DeviceError("device.option_invalid", { option: "mode", received: mode, expected: "tls with a deviceToken" });
    if (options.clientId === undefined)
      throw new DeviceError("device.option_missing", { option: "clientId", expected: "what came with the deviceToken" });
  }
  const acceptsCustomRrpc = options.acceptsCustomRrpc ?? false;
  return {
    productKey,
    deviceName,
    deviceSecret: options.deviceToken === undefined ? requireText(options, "deviceSecret") : "",
    deviceToken: options.deviceToken,
    mode,
    host: options.host ?? cloud.mqtt.host,
    port: requireInteger("port", options.port ?? mqttPort, 1, 65_535),
    preAuthHost: options.preAuthHost ?? options.host ?? cloud.auth.host,
    preAuthPort: requireInteger("preAuthPort", options.preAuthPort ?? preAuthPort, 1, 65_535),
    keepHost: options.keepHost ?? options.host !== undefined,
    clientId,
    signMethod: requireOneOf("signMethod", options.signMethod ?? (mode === "preauth" ? "hmacsha1" : "hmacsha256"), signMethods),
    timestamp: options.timestamp,
    parameters: { ...(acceptsCustomRrpc ? { ext: "1" } : {}), ...options.parameters },
    acceptsCustomRrpc,
    keepAliveSeconds: requireInteger("keepAliveSeconds", options.keepAliveSeconds ?? 60, 1, 65_535),
    isCleanSession: options.isCleanSession ?? true,
    ca: options.ca,
    serverName: options.serverName,
    verifyServer: options.verifyServer ?? true,
    allowsPlainDownloads: options.allowsPlainDownloads ?? false,
    tlsRecordBytesMax: requireInteger("tlsRecordBytesMax", options.tlsRecordBytesMax ?? tlsRecordBytesDefault, 512, tlsRecordBytesDefault),
    connectTimeoutMilliseconds: requireInteger("connectTimeoutMilliseconds", options.connectTimeoutMilliseconds ?? 10_000, 1, 600_000),
    outgoingMessagesMax: requireInteger("outgoingMessagesMax", options.outgoingMessagesMax ?? 1_000, 1, 1_000_000),
    reconnect: options.reconnect === false ? undefined : { ...defaultReconnectPolicy, ...options.reconnect },
    limits: resolveLimits(options.limits),
    clock: options.clock ?? systemClock,
  };
}

function resolveLimits(given: Partial<DeviceLimits> = {}): DeviceLimits {
  const limits = { ...defaultDeviceLimits, ...given };
  for (const [name, value] of Object.entries(limits)) requireInteger(`limits.${name}`, value, 1, Number.MAX_SAFE_INTEGER);
  return limits;
}
