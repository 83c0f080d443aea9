/** Messages on custom topics with `?_sn=default`: rules and subscriptions see the script's JSON (alibaba-device.md, 4.2). */
import type { Message, Tap } from "@thingstead/mqtt";
import type { DeviceSubject, PayloadScripts } from "../../access/index.ts";
import type { DeviceLog } from "../../device-log/index.ts";
import type { DeviceEvents } from "../../messages/index.ts";
import type { Scripts } from "../../scripts/index.ts";
import { createDeviceProblems } from "./device-problems.ts";

export interface ScriptedTopicsPorts {
  scripts: Pick<Scripts, "transformPayload">;
  events: Pick<DeviceEvents, "offer" | "tapsFor">;
  deviceLog: Pick<DeviceLog, "write" | "wants">;
  onFailure(error: unknown): void;
}

const noTaps: readonly Tap[] = [];

export function createScriptedTopics({ scripts, events, deviceLog, onFailure }: ScriptedTopicsPorts): PayloadScripts {
  const problems = createDeviceProblems(deviceLog);

  async function transform(subject: DeviceSubject, message: Message): Promise<void> {
    const { topic, qos } = message;
    const result = await scripts.transformPayload(subject.productKey, topic, message.payload);
    if (result.kind === "failed") return problems.scriptFailed({ device: subject, topic, qos }, result.code, result.message);
    await events.offer({ ...message, payload: Buffer.from(JSON.stringify(result.value)) });
  }

  return {
    tapsFor(subject, topic) {
      // Nobody listens: the script need not run. Grants are compiled anew when rules change.
      if (events.tapsFor(topic).length === 0) return noTaps;
      return [
        (message) => {
          const wait = transform(subject, message);
          if (message.qos > 0) return wait;
          wait.catch(onFailure);
          return undefined;
        },
      ];
    },
  };
}
