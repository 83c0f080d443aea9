/**
 * Device-side metrics (AWS reference, reserved topics): agents in the field report them and take no answer for a failure, so they are
 * answered. Nothing here judges them: rules on the topic may, and the device log says so.
 */
import { decodeProvisioningRequest, encodeProvisioningAnswer, provisioningFormats } from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import type { DeviceLog } from "../../device-log/index.ts";
import { formatError } from "../../errors/index.ts";
import type { AwsAnswers, AwsUplink, AwsUplinkHandlers } from "./uplink.ts";

export interface MetricsHandlersPorts {
  answers: Pick<AwsAnswers, "publish">;
  deviceLog: Pick<DeviceLog, "write" | "wants">;
  /** The product whose devices are the things. */
  productKey: string;
  clock: Pick<Clock, "now">;
}

export function createMetricsHandlers({ answers, deviceLog, productKey, clock }: MetricsHandlersPorts): AwsUplinkHandlers {
  function log({ topic, qos, payload, parts }: AwsUplink, code: string, expected?: string): void {
    const deviceName = parts.thingName ?? "";
    if (!deviceLog.wants("publish", productKey, deviceName)) return;
    const details = { received: `${payload.length} bytes`, expected: expected ?? "" };
    deviceLog.write({
      kind: "publish",
      code,
      isSuccess: false,
      productKey,
      deviceName,
      topic,
      qos,
      payloadBytes: payload.length,
      reason: formatError(code, details, "en"),
    });
  }

  return {
    "defender/metrics"(uplink) {
      const { topic, parts, payload } = uplink;
      const thingName = parts.thingName ?? "";
      const format = provisioningFormats.find((known) => known === parts.format);
      const members = format === undefined ? undefined : decodeProvisioningRequest(format, payload);
      const header = members?.header ?? members?.hed;
      const reportId = isObject(header) ? (header.report_id ?? header.rid) : undefined;
      if (typeof reportId !== "number") {
        log(uplink, "aws.metrics_malformed", `an object as ${provisioningFormats.join(" or ")} with header.report_id`);
        const statusDetails = { ErrorCode: "InvalidPayload", ErrorMessage: "header.report_id is missing" };
        const refused = { thingName, status: "REJECTED", statusDetails, timestamp: clock.now() };
        answers.publish(`${topic}/rejected`, encodeProvisioningAnswer(format ?? "json", refused));
        return undefined;
      }
      log(uplink, "aws.metrics_not_judged");
      const accepted = { thingName, reportId, status: "ACCEPTED", timestamp: clock.now() };
      answers.publish(`${topic}/accepted`, encodeProvisioningAnswer(format ?? "json", accepted));
      return undefined;
    },
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
