/** What MQTT.js tells of, in the SDK's own words. */
import { type ErrorWithReasonCode, ErrorWithSubackPacket } from "mqtt";
import { DeviceError } from "./errors.ts";

/** CONNACK return codes in the vendor's reading (reference section 2.10). */
const connackMeanings: Readonly<Record<number, string>> = {
  1: "protocol version not supported",
  2: "client id malformed or too long",
  3: "token wrong or expired, or keep-alive out of range",
  4: "user name or password malformed",
  5: "unknown device, wrong signature, or device disabled",
};

/** The CONNACK code of a refusal, or undefined for any other error. */
export function refusalCodeOf(error: Error): number | undefined {
  const code: unknown = (error as Partial<ErrorWithReasonCode>).code;
  return typeof code === "number" && code > 0 ? code : undefined;
}

/** A refusal with its code and meaning, or a connection that failed. Errors of ours pass as they are. */
export function connectError(error: Error, server: string): DeviceError {
  if (error instanceof DeviceError) return error;
  const returnCode = refusalCodeOf(error);
  if (returnCode === undefined) return new DeviceError("device.connect_failed", { server, reason: error.message }, { cause: error });
  const meaning = connackMeanings[returnCode] ?? "unknown";
  return new DeviceError("device.connection_refused", { server, returnCode, meaning }, { cause: error });
}

/** A SUBACK that says no comes as MQTT.js's own kind of error; everything else is a connection that broke. */
export function subscribeError(filter: string, cause: unknown): DeviceError {
  if (cause instanceof ErrorWithSubackPacket) return new DeviceError("device.subscribe_refused", { filter }, { cause });
  return new DeviceError("device.subscribe_failed", { filter, reason: String(cause) }, { cause });
}
