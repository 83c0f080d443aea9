/** What a rule's error action is told [aws-iot 14.5]. */
import type { Message } from "@thingstead/mqtt";
import { formatJson, type RuleMessage, type RuleOutput, type Value } from "./compile/index.ts";
import type { MessageOrigin } from "./ports.ts";

export interface ActionFailure {
  action: string;
  resource: string;
  reason: string;
}

export function originOf(shared: RuleMessage, { payload, hops }: Message): MessageOrigin {
  const payloadBase64 = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("base64");
  return { payloadBase64, clientId: shared.publisher?.clientId ?? "N/A", traceId: shared.traceId, hops };
}

/** The body that an error action sends [aws-iot 14.5]. */
export function reportOf(ruleName: string, topic: string, origin: MessageOrigin, failures: readonly ActionFailure[]): RuleOutput {
  const value: Value = {
    ruleName,
    topic,
    cloudwatchTraceId: origin.traceId,
    clientId: origin.clientId,
    base64OriginalPayload: origin.payloadBase64,
    failures: failures.map(({ action, resource, reason }) => ({ failedAction: action, failedResource: resource, errorMessage: reason })),
  };
  return { bytes: Buffer.from(formatJson(value)), value };
}
