/** Products with bytes of their own: a script makes Alink of them and back. Source: alibaba-device.md, 5.7. */
import { type AlinkId, alinkReplyObject, formatAlinkReply, readAlinkMembers, readAlinkReplyMembers } from "@thingstead/dialects";
import type { Downlink } from "../../messages/index.ts";
import type { Scripts } from "../../scripts/index.ts";
import type { Answer } from "./answers.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { ThingActions } from "./thing-actions.ts";
import type { AnswerTaker } from "./thing-answers.ts";
import { alinkCodes, answerFailure, type ThingOutcome } from "./thing-call.ts";
import { findAction } from "./thing-messages.ts";
import type { ThingQuestions } from "./thing-questions.ts";
import type { Uplink, UplinkHandlers } from "./uplink.ts";

export interface RawMessagesPorts {
  downlink: Pick<Downlink, "send">;
  scripts: Pick<Scripts, "rawDataToProtocol" | "protocolToRawData">;
  actions: ThingActions & ThingQuestions;
  takeAnswer: AnswerTaker;
  problems: DeviceProblems;
}

const device = "/sys/${productKey}/${deviceName}/";

export function createRawHandlers({ downlink, scripts, actions, takeAnswer, problems }: RawMessagesPorts): UplinkHandlers {
  /** Through `protocolToRawData`; without a script, or where it fails, the JSON text. */
  async function reply(uplink: Uplink, id: AlinkId, method: string | undefined, answer: Answer): Promise<void> {
    const { productKey, deviceName } = uplink.device;
    const message = { id, ...(method === undefined ? {} : { method }), ...answer };
    const result = await scripts.protocolToRawData(productKey, alinkReplyObject(message));
    const payload = result.kind === "done" ? result.value : formatAlinkReply(message);
    downlink.send({ productKey, deviceName, topic: `${uplink.topic}_reply`, payload, qos: uplink.qos === 0 ? 0 : 1 });
  }

  async function refuse(uplink: Uplink, id: AlinkId, code: number, message: string): Promise<void> {
    problems.scriptFailed(uplink, code, message);
    await reply(uplink, id, undefined, { code, message });
  }

  async function act(uplink: Uplink): Promise<void> {
    const result = await scripts.rawDataToProtocol(uplink.device.productKey, uplink.payload);
    if (result.kind === "failed") return refuse(uplink, "", result.code, result.message);
    const request = readAlinkMembers(result.value);
    if (request.kind === "refused") return refuse(uplink, request.id ?? "", request.code, request.message);
    const { id, method } = request;
    if (method === undefined) return refuse(uplink, id, alinkCodes.methodMissing, "the script's result has no method");
    const found = findAction(actions, method);
    if (found === undefined)
      return refuse(uplink, id, alinkCodes.parameterError, `the method ${method.slice(0, 128)} is not one of a device`);
    const { device: speaker, topic, qos, receivedAt } = uplink;
    let outcome: ThingOutcome;
    try {
      outcome = await found.action({ device: speaker, request, topic, qos, receivedAt }, found.part);
    } catch (error) {
      await reply(uplink, id, method, answerFailure(error));
      throw error;
    }
    // Together: rules that fail while the script still writes the answer must find somebody who waits.
    await Promise.all([request.wantsReply ? reply(uplink, id, method, outcome.answer) : undefined, outcome.told]);
  }

  async function takeRawAnswer(uplink: Uplink): Promise<void> {
    const result = await scripts.rawDataToProtocol(uplink.device.productKey, uplink.payload);
    if (result.kind === "failed") return problems.scriptFailed(uplink, result.code, result.message);
    const answer = readAlinkReplyMembers(result.value);
    if (answer.kind === "refused") return problems.malformed(uplink, "a script's result", answer.message);
    await takeAnswer(uplink, answer, uplink.topic.slice(0, -"_reply".length));
  }

  return {
    [`${device}thing/model/up_raw`]: act,
    [`${device}thing/model/down_raw_reply`]: takeRawAnswer,
  };
}
