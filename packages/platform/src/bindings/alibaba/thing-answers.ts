/** Answers of devices: to property sets, to asynchronous services, and to calls that wait. Source: alibaba-device.md, 5.3, 5.6, 8.4. */
import { type AlinkReply, readAlinkReply } from "@thingstead/dialects";
import type { Rrpc } from "../../messages/index.ts";
import type { Things } from "../../things/index.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { ThingForwards } from "./thing-forwards.ts";
import type { Uplink, UplinkHandler, UplinkHandlers } from "./uplink.ts";

export interface ThingAnswersPorts {
  things: Pick<Things, "answered">;
  rrpc: Pick<Rrpc, "answered">;
  forwards: Pick<ThingForwards, "answered">;
  problems: DeviceProblems;
}

const device = "/sys/${productKey}/${deviceName}/";
const answerSuffix = "_reply";

/** An answer that was read, from JSON or by a script. */
export type AnswerTaker = (
  uplink: Pick<Uplink, "device" | "topic" | "qos" | "receivedAt">,
  reply: AlinkReply,
  requestTopic: string,
) => Promise<void>;

export function createAnswerTaker({ things, forwards, problems }: Omit<ThingAnswersPorts, "rrpc">): AnswerTaker {
  return async (uplink, { id, code, message = code === 200 ? "success" : "", data }, requestTopic) => {
    const check = await things.answered(uplink.device, String(id), { code, message, output: data });
    if (check === undefined) return problems.unexpectedAnswer(uplink, `id ${String(id)}`);
    if (check.problems.length > 0 || check.refusal !== undefined) problems.ofModel(uplink, check.problems, check.refusal);
    const { device: speaker, qos, receivedAt } = uplink;
    const answer = { id: String(id), code, message, data, checkFailedData: check.checkFailedData };
    await forwards.answered({ device: speaker, topic: requestTopic, qos, receivedAt }, answer);
  };
}

export function createAnswerHandlers(ports: ThingAnswersPorts): UplinkHandlers {
  const { problems, rrpc } = ports;
  const take = createAnswerTaker(ports);

  const answer: UplinkHandler = (uplink) => {
    const reply = readAlinkReply(uplink.payload);
    if (reply.kind === "reply") return take(uplink, reply, uplink.topic.slice(0, -answerSuffix.length));
    problems.malformed(uplink, `${uplink.payload.length} bytes`, reply.message);
    return undefined;
  };

  const response: UplinkHandler = (uplink) => {
    const { productKey, deviceName } = uplink.device;
    const messageId = uplink.parts.messageId ?? "";
    if (!rrpc.answered(productKey, deviceName, messageId, uplink.payload)) problems.unexpectedAnswer(uplink, `message ${messageId}`);
    return undefined;
  };

  return {
    [`${device}thing/service/property/set_reply`]: answer,
    [`${device}thing/service/property/get_reply`]: answer,
    [`${device}thing/service/\${service}_reply`]: answer,
    [`${device}rrpc/response/\${messageId}`]: response,
    // What a device publishes there is never routed, so it does not come back to its own subscription.
    "/ext/rrpc/${messageId}/${topic}": response,
  };
}
