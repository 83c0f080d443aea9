/** Every way the SDK says no. Codes are API; the texts are not. `{name}` is filled from the details. */
export const deviceErrors = {
  "device.option_missing": "option {option} is missing: expected {expected}",
  "device.option_invalid": "option {option} is {received}: expected {expected}",
  "device.preauth_unreachable": "the authentication server {server} could not be reached: {reason}",
  "device.preauth_malformed": "the authentication server {server} answered something that is no authentication answer: {received}",
  "device.preauth_refused": "the authentication server refused the device with code {cloudCode}: {cloudMessage}",
  "device.connect_failed": "no connection to {server}: {reason}",
  "device.connect_timeout": "no CONNACK from {server} within {milliseconds} ms",
  "device.connection_refused": "{server} refused the connection with CONNACK {returnCode}: {meaning}",
  "device.subscribe_refused": "the server refused the subscription {filter}",
  "device.subscribe_failed": "subscribing {filter} failed: {reason}",
  "device.publish_failed": "publishing to {topic} failed: {reason}",
  "device.unsubscribe_failed": "unsubscribing {filter} failed: {reason}",
  "device.queue_full": "{count} messages wait to be sent already: more than outgoingMessagesMax",
  "device.ended": "the device was ended",
} as const;

export type DeviceErrorCode = keyof typeof deviceErrors;
export type DeviceErrorDetails = Readonly<Record<string, string | number>>;

/** @example if (error instanceof DeviceError && error.code === "device.connection_refused") … */
export class DeviceError extends Error {
  readonly code: DeviceErrorCode;
  readonly details: DeviceErrorDetails;

  constructor(code: DeviceErrorCode, details: DeviceErrorDetails = {}, options?: { cause?: unknown }) {
    super(
      deviceErrors[code].replace(/\{(\w+)\}/g, (whole, name: string) => String(details[name] ?? whole)),
      options,
    );
    this.name = "DeviceError";
    this.code = code;
    this.details = details;
  }
}
