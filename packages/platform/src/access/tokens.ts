/** Tokens of HTTPS pre-authentication: username = iotId, password = iotToken, 7 days. */

export interface TokenStore {
  /** Stores a hash, never the token. */
  insert(token: { tokenHash: string; iotId: string; productKey: string; deviceName: string; expiresAt: number }): Promise<void>;
  find(tokenHash: string): Promise<{ iotId: string; productKey: string; deviceName: string; expiresAt: number } | undefined>;
  deleteExpired(now: number): Promise<number>;
  deleteForDevice(productKey: string, deviceName: string): Promise<void>;
}

export interface PreAuthRequest {
  /** All form fields as submitted, decoded. */
  fields: Readonly<Record<string, string>>;
  remoteAddress: string;
}

/** `body` is the exact JSON object to send with HTTP 200. */
export interface PreAuth {
  authenticate(request: PreAuthRequest): Promise<{ body: object }>;
}

/** Devices that registered themselves: each physical device has a client id and a token in place of a secret (2.6). */
export interface DeviceTokenStore {
  insert(
    token: { productKey: string; deviceName: string; clientId: string; tokenHash: string; createdAt: number },
    clientsMax: number,
  ): Promise<"ok" | "too_many" | "no_device">;
  /** The hash of the token. */
  find(productKey: string, deviceName: string, clientId: string): Promise<string | undefined>;
  list(productKey: string, deviceName: string): Promise<{ clientId: string; createdAt: number }[]>;
  deleteAll(productKey: string, deviceName: string): Promise<void>;
}
