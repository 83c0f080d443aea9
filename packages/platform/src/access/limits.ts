/** Limits of one device's session. */
export interface SessionLimits {
  subscriptionsMax: number;
  filtersPerSubscribeMax: number;
  /** QoS 1 publishes of the device not yet answered. */
  receiveMaximum: number;
  /** QoS 1 deliveries to the device not yet answered. */
  inflightMax: number;
  payloadBytesMax: number;
  /** Of any topic; a dialect may hold custom topics to less. */
  topicBytesMax: number;
  topicAliasMax: number;
  sessionExpirySecondsMax: number;
  queueMessagesMax: number;
  queueBytesMax: number;
  queueAgeSecondsMax: number;
}

const sevenDaysSeconds = 7 * 24 * 3600;

/** The vendor's published limits (alibaba-device.md, 3) where it has any; queues are sized for small machines. */
export const defaultSessionLimits: SessionLimits = {
  subscriptionsMax: 100,
  filtersPerSubscribeMax: 8,
  receiveMaximum: 100,
  inflightMax: 50,
  payloadBytesMax: 256 * 1024,
  topicBytesMax: 512,
  topicAliasMax: 10,
  sessionExpirySecondsMax: sevenDaysSeconds,
  queueMessagesMax: 5_000,
  queueBytesMax: 8 * 1024 * 1024,
  queueAgeSecondsMax: sevenDaysSeconds,
};

/** Generic clients: limits are there to bound memory, not to teach a vendor's manners. */
export const defaultPlainSessionLimits: SessionLimits = {
  subscriptionsMax: 10_000,
  filtersPerSubscribeMax: 1_000,
  receiveMaximum: 1_000,
  inflightMax: 100,
  payloadBytesMax: 256 * 1024,
  topicBytesMax: 0xffff,
  topicAliasMax: 100,
  sessionExpirySecondsMax: sevenDaysSeconds,
  queueMessagesMax: 10_000,
  queueBytesMax: 64 * 1024 * 1024,
  queueAgeSecondsMax: sevenDaysSeconds,
};

/** Limits of pre-authentication and of cutting sessions. */
export interface AccessLimits {
  preAuthFieldsMax: number;
  /** Names and values of a form together. */
  preAuthFormBytesMax: number;
  /** Expired tokens are swept when a token is issued, at most once in this time. */
  tokenSweepSeconds: number;
  /** A device that was being admitted while it was disabled or deleted is looked for once more after this time. */
  cutRecheckMilliseconds: number;
  /** Physical devices that may register themselves under one device's names. */
  clientsPerDeviceMax: number;
  certificatesPerDeviceMax: number;
  /** A connection that fetches credentials ends after this time. */
  registrationSessionSeconds: number;
}

export const defaultAccessLimits: AccessLimits = {
  preAuthFieldsMax: 32,
  preAuthFormBytesMax: 4096,
  tokenSweepSeconds: 3600,
  cutRecheckMilliseconds: 2000,
  clientsPerDeviceMax: 5,
  certificatesPerDeviceMax: 10,
  registrationSessionSeconds: 15,
};

/** Limits of gateways and the sub-devices that speak through them (alibaba-device.md, 6). */
export interface GatewayLimits {
  /** Sub-devices logged in over one gateway. */
  subDevicesOnlineMax: number;
  /** Logins of one sub-device in a minute. */
  subDeviceLoginsPerMinuteMax: number;
  /** Subscriptions of a gateway, for itself and for its sub-devices. */
  gatewaySubscriptionsMax: number;
}

export const defaultGatewayLimits: GatewayLimits = {
  subDevicesOnlineMax: 2_000,
  subDeviceLoginsPerMinuteMax: 5,
  gatewaySubscriptionsMax: 100_000,
};
