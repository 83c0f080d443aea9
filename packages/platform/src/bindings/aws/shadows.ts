/** Shadow requests over MQTT, whoever publishes them (AWS reference, 11.1). */
import { formatThingShadowRefusal, readThingShadowQuestion, type ThingShadowName, type ThingShadowRefusal } from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import type { DeviceLog } from "../../device-log/index.ts";
import { formatError } from "../../errors/index.ts";
import { type AwsShadowLimits, shadowTopicOf, type ThingShadowAnswer, type ThingShadows } from "./thing-shadows.ts";
import type { AwsAnswers, AwsUplink, AwsUplinkHandler, AwsUplinkHandlers } from "./uplink.ts";

export interface ShadowHandlersPorts {
  thingShadows: ThingShadows;
  answers: Pick<AwsAnswers, "publish">;
  deviceLog: Pick<DeviceLog, "write" | "wants">;
  /** Of the product whose devices are the things. */
  productKey: string;
  clock: Pick<Clock, "now">;
  limits: AwsShadowLimits;
}

type Operation = keyof ThingShadows;

export function createShadowHandlers(ports: ShadowHandlersPorts): AwsUplinkHandlers {
  const { thingShadows, answers, deviceLog, productKey, clock, limits } = ports;
  /** Of connections that have any. */
  const unanswered = new Map<string, number>();

  function isOverLimit(sessionId: string): boolean {
    return (unanswered.get(sessionId) ?? 0) >= limits.requestsPerConnectionMax;
  }

  function count(sessionId: string, step: 1 | -1): void {
    const now = (unanswered.get(sessionId) ?? 0) + step;
    if (now === 0) unanswered.delete(sessionId);
    else unanswered.set(sessionId, now);
  }

  function log(
    { topic, qos, payload }: Pick<AwsUplink, "topic" | "qos" | "payload">,
    shadow: ThingShadowName,
    refusal: ThingShadowRefusal,
  ): void {
    const { thingName, shadowName } = shadow;
    if (!deviceLog.wants("publish", productKey, thingName)) return;
    const { reason, received = `${payload.length} bytes`, expected } = refusal;
    const code = `aws.shadow_${reason}`;
    const told = { received, ...(expected === undefined ? {} : { expected }) };
    deviceLog.write({
      kind: "publish",
      code,
      isSuccess: false,
      productKey,
      deviceName: thingName,
      topic,
      qos,
      payloadBytes: payload.length,
      reason: formatError(code, { name: shadowName || thingName, ...told }, "en"),
      ...told,
    });
  }

  function refuse(operation: Operation, uplink: AwsUplink, shadow: ThingShadowName, refusal: ThingShadowRefusal): void {
    log(uplink, shadow, refusal);
    answers.publish(
      `${shadowTopicOf(shadow)}/${operation}/rejected`,
      formatThingShadowRefusal(refusal, shadow, Math.floor(clock.now() / 1000)),
    );
  }

  function tell(operation: Operation, uplink: AwsUplink, shadow: ThingShadowName, answer: ThingShadowAnswer): void {
    if (answer.kind !== "done") refuse(operation, uplink, shadow, answer.refusal);
    // The PUBACK is held back.
    if (answer.kind === "failed") throw answer.error;
    if (answer.kind === "done" && operation === "get") answers.publish(`${shadowTopicOf(shadow)}/get/accepted`, answer.payload);
  }

  async function serve(operation: Operation, uplink: AwsUplink, shadow: ThingShadowName, asked: Promise<ThingShadowAnswer>): Promise<void> {
    const { sessionId } = uplink;
    if (sessionId !== undefined) count(sessionId, 1);
    try {
      tell(operation, uplink, shadow, await asked);
    } finally {
      if (sessionId !== undefined) count(sessionId, -1);
    }
  }

  function overLimit(payload: Uint8Array): ThingShadowRefusal {
    const { clientToken } = readThingShadowQuestion(payload, limits);
    const max = limits.requestsPerConnectionMax;
    const told = { received: `more than ${max} unanswered requests`, expected: `at most ${max}` };
    return { reason: "throttled", ...told, ...(clientToken === undefined ? {} : { clientToken }) };
  }

  function handlerOf(operation: Operation): AwsUplinkHandler {
    return (uplink) => {
      const { thingName = "", shadowName = "" } = uplink.parts;
      const shadow = { thingName, shadowName };
      if (uplink.sessionId !== undefined && isOverLimit(uplink.sessionId)) {
        refuse(operation, uplink, shadow, overLimit(uplink.payload));
        return undefined;
      }
      return serve(operation, uplink, shadow, thingShadows[operation](shadow, uplink.payload));
    };
  }

  const [get, update, remove] = [handlerOf("get"), handlerOf("update"), handlerOf("delete")];
  return {
    "shadow/get": get,
    "shadow/update": update,
    "shadow/delete": remove,
    "named-shadow/get": get,
    "named-shadow/update": update,
    "named-shadow/delete": remove,
  };
}
