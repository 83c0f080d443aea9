/** What a device did wrong, told to the device log: with the code, what came and what was expected. */
import { formatProblem, type MessageRefusal, type ThingModelProblem } from "@thingstead/thing-model";
import type { DeviceLog } from "../../device-log/index.ts";
import { formatError } from "../../errors/index.ts";
import type { Uplink } from "./uplink.ts";

type Source = Pick<Uplink, "device" | "topic" | "qos">;

export interface DeviceProblems {
  /** Values that do not fit the model, or a whole message that cannot be taken. */
  ofModel(source: Source, problems: readonly ThingModelProblem[], refusal?: MessageRefusal): void;
  /** A request answered with a code of its cloud. */
  refused(source: Source, code: number, message: string): void;
  malformed(source: Source, received: string, expected: string): void;
  unexpectedAnswer(source: Source, received: string): void;
  scriptFailed(source: Source, code: number, message: string): void;
}

/** Of one message; the rest is counted in the last one's text. */
const problemsShownMax = 5;

export function createDeviceProblems(deviceLog: Pick<DeviceLog, "write" | "wants">): DeviceProblems {
  function write({ device, topic, qos }: Source, entry: { code: string; reason: string; received?: string; expected?: string }): void {
    const { productKey, deviceName } = device;
    if (!deviceLog.wants("publish", productKey, deviceName)) return;
    deviceLog.write({ kind: "publish", isSuccess: false, productKey, deviceName, topic, qos, ...entry });
  }

  function writeCode(source: Source, code: string, received: string, expected: string): void {
    write(source, { code, reason: formatError(code, { received, expected }, "en"), received, expected });
  }

  return {
    ofModel(source, problems, refusal) {
      const all = refusal === undefined ? problems : [refusal.problem];
      for (const problem of all.slice(0, problemsShownMax)) {
        const { code, received, expected } = problem;
        write(source, { code, reason: formatProblem(problem, "en"), received, expected });
      }
    },
    refused: (source, code, message) => writeCode(source, "bindings.request_refused", String(code), message),
    malformed: (source, received, expected) => writeCode(source, "bindings.message_malformed", received, expected),
    unexpectedAnswer: (source, received) => writeCode(source, "bindings.answer_unexpected", received, "an answer to a request"),
    scriptFailed: (source, code, message) => writeCode(source, "bindings.data_converted_badly", String(code), message),
  };
}
