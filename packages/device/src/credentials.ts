/** What a CONNECT says of who the device is. */
import { deviceTokenConnect, signConnect, tokenConnect } from "@thingstead/dialects";
import type { ResolvedOptions } from "./options.ts";
import type { PreAuthGrant } from "./pre-auth.ts";

/** Made for every connection: a timestamp is not used twice. */
export function makeCredentials(
  options: ResolvedOptions,
  grant: PreAuthGrant | undefined,
): { clientId: string; userName: string; password: string } {
  const { productKey, deviceName, deviceSecret, deviceToken, clientId, signMethod, parameters, mode, clock } = options;
  if (deviceToken !== undefined) return deviceTokenConnect({ productKey, deviceName, clientId, deviceToken, parameters });
  if (grant !== undefined) return tokenConnect({ iotId: grant.iotId, iotToken: grant.iotToken, clientId, secureMode: -1, parameters });
  const timestamp = options.timestamp === undefined ? String(clock.now()) : options.timestamp;
  return signConnect({
    productKey,
    deviceName,
    deviceSecret,
    clientId,
    signMethod,
    secureMode: mode === "tcp" ? 3 : 2,
    parameters,
    ...(timestamp === null ? {} : { timestamp }),
  });
}
