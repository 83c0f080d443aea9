/** Basic Ingest: a message for one rule, named by its topic (AWS reference, 14.6). */
import type { DeviceLog } from "../../device-log/index.ts";
import { formatError } from "../../errors/index.ts";
import type { RuleContext, RuleEngine } from "../../rules/index.ts";
import type { RuleTrail } from "./rule-trail.ts";
import type { AwsUplink, AwsUplinkHandlers } from "./uplink.ts";

export interface BasicIngestPorts {
  rules: Pick<RuleEngine, "ingest">;
  context: Pick<RuleContext, "publisherOf">;
  deviceLog: Pick<DeviceLog, "write" | "wants">;
  trail: Pick<RuleTrail, "hops">;
}

const prefix = "$aws/rules/";

export function createBasicIngestHandlers({ rules, context, deviceLog, trail }: BasicIngestPorts): AwsUplinkHandlers {
  /** The vendor tells nobody but its log. */
  function logRefusal(code: string, name: string, { topic, qos, payload, sessionId }: AwsUplink): void {
    const publisher = sessionId === undefined ? undefined : context.publisherOf(sessionId);
    const device = publisher?.device;
    if (!deviceLog.wants("forward", device?.productKey ?? "", device?.deviceName ?? "")) return;
    deviceLog.write({
      kind: "forward",
      code,
      isSuccess: false,
      topic,
      qos,
      payloadBytes: payload.length,
      reason: formatError(code, { name }, "en"),
      ...(publisher === undefined ? {} : { clientId: publisher.clientId }),
      ...device,
    });
  }

  return {
    "basic-ingest"(uplink) {
      const { topic, parts, payload, qos, receivedAt, sessionId } = uplink;
      const { ruleName: name = "" } = parts;
      const { outcome, owed } = rules.ingest(name, {
        topic: topic.slice(prefix.length + name.length + 1),
        payload,
        qos,
        isRetained: false,
        receivedAt,
        hops: trail.hops,
        ...(sessionId === undefined ? {} : { publisherSessionId: sessionId }),
      });
      if (outcome === "taken") return owed;
      logRefusal(outcome === "unknown" ? "rules.ingest_unknown" : "rules.ingest_stopped", name, uplink);
      return undefined;
    },
  };
}
