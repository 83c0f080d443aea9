/** One thing message, whatever carried it: a JSON message, or a raw one that a script made into JSON. */
import type { AlinkRequest } from "@thingstead/dialects";
import type { MessageRefusal } from "@thingstead/thing-model";
import { PlatformError } from "../../errors/index.ts";
import type { Answer } from "./answers.ts";
import type { UplinkDevice } from "./uplink.ts";

export interface ThingCall {
  readonly device: UplinkDevice;
  readonly request: Pick<AlinkRequest, "id" | "params">;
  /** For the device log. */
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly receivedAt: number;
}

export interface ThingOutcome {
  answer: Answer;
  /** What rules and subscriptions owe: the PUBACK waits for it, the answer does not. */
  told?: undefined | Promise<void>;
}

/** `part`: the `${event}` or `${service}` of the topic or method. */
export type ThingAction = (call: ThingCall, part: string) => ThingOutcome | Promise<ThingOutcome>;

export function refused({ code, message }: Pick<MessageRefusal, "code" | "message">): ThingOutcome {
  return { answer: { code, message } };
}

/** Codes of alibaba-device.md, 5.11, that the binding gives itself. */
export const alinkCodes = {
  tooManyRequests: 429,
  parameterError: 460,
  systemError: 500,
  productNotFound: 5005,
  propertyDefinitionMissing: 5159,
  deviceNotFound: 6100,
  listTooLong: 6104,
  listEmpty: 6105,
  mapEmpty: 6107,
  methodMissing: 6450,
  paramsNotContainer: 6301,
  tooManySubDevices: 6357,
  noTopology: 6401,
} as const;

const httpUnavailable = 503;

/** What a device is told when the world fails it: to come again, or that it is nothing of its making. */
export function answerFailure(error: unknown): Answer {
  const isBusy = error instanceof PlatformError && error.row.http === httpUnavailable;
  return isBusy
    ? { code: alinkCodes.tooManyRequests, message: "too many requests" }
    : { code: alinkCodes.systemError, message: "system error" };
}
