import { signPreAuth } from "@thingstead/dialects";
import { DeviceError } from "./errors.ts";
import type { ResolvedOptions } from "./options.ts";
import { postForm } from "./post-form.ts";

/** What HTTPS authentication hands out. The token lives for seven days. */
export interface PreAuthGrant {
  iotId: string;
  iotToken: string;
  host: string;
  port: number;
}

interface Answer {
  code?: unknown;
  message?: unknown;
  data?: { iotId?: unknown; iotToken?: unknown; resources?: { mqtt?: { host?: unknown; port?: unknown } } };
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= 65_535;
}

/**
 * Asks the cloud's authentication host for a token (reference section 2.4).
 *
 * @throws DeviceError `device.preauth_unreachable`, `device.preauth_malformed`, `device.preauth_refused` (with `cloudCode`
 *   401 signature, 460 parameter, 500 unknown, 5001 no such device, 6200 other credential kind)
 */
export async function preAuthenticate(options: ResolvedOptions, signal: AbortSignal): Promise<PreAuthGrant> {
  const server = `${options.preAuthHost}:${options.preAuthPort}`;
  const timestamp = options.timestamp === undefined ? String(options.clock.now()) : options.timestamp;
  const fields = signPreAuth({
    productKey: options.productKey,
    deviceName: options.deviceName,
    deviceSecret: options.deviceSecret,
    clientId: options.clientId,
    signMethod: options.signMethod,
    ...(timestamp === null ? {} : { timestamp }),
  });
  const target = { host: options.preAuthHost, port: options.preAuthPort, path: "/auth/devicename", signal };
  const text = await postForm(
    options,
    target,
    fields,
    (reason, cause) => new DeviceError("device.preauth_unreachable", { server, reason }, { cause }),
  );
  let answer: Answer;
  try {
    answer = JSON.parse(text) as Answer;
  } catch (cause) {
    throw new DeviceError("device.preauth_malformed", { server, received: text.slice(0, 200) }, { cause });
  }
  if (answer.code !== 200) {
    throw new DeviceError("device.preauth_refused", { cloudCode: String(answer.code), cloudMessage: String(answer.message) });
  }
  const { iotId, iotToken, resources } = answer.data ?? {};
  const { host, port } = resources?.mqtt ?? {};
  if (typeof iotId !== "string" || typeof iotToken !== "string" || typeof host !== "string" || !isPort(port)) {
    throw new DeviceError("device.preauth_malformed", { server, received: Object.keys(answer.data ?? {}).join(", ") });
  }
  return { iotId, iotToken, host, port };
}
