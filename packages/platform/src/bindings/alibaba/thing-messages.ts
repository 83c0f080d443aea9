/** The rows of the thing model: JSON in, action, JSON out. Raw messages find the same actions by their method. */

import { type AnswerPorts, methodOf, readRequest, reply } from "./answers.ts";
import type { DeviceProblems } from "./device-problems.ts";
import type { ThingActions } from "./thing-actions.ts";
import { answerFailure, type ThingAction, type ThingCall, type ThingOutcome } from "./thing-call.ts";
import type { ThingQuestions } from "./thing-questions.ts";
import type { Uplink, UplinkHandler, UplinkHandlers } from "./uplink.ts";

export interface ThingMessagesPorts extends AnswerPorts {
  actions: ThingActions & ThingQuestions;
  problems: DeviceProblems;
}

/** Fixed rows, below `/sys/${productKey}/${deviceName}/`. The reports of a method come in a raw message, too. */
const rows: Readonly<Record<string, keyof (ThingActions & ThingQuestions)>> = {
  "thing/event/property/post": "postProperties",
  "thing/event/property/batch/post": "postBatch",
  "thing/event/property/pack/post": "postPack",
  "thing/event/property/history/post": "postHistory",
  "thing/property/desired/get": "getDesired",
  "thing/property/desired/delete": "deleteDesired",
  "thing/dsltemplate/get": "getModel",
  "thing/dynamicTsl/get": "getModelNodes",
};

const device = "/sys/${productKey}/${deviceName}/";
const eventRow = `${device}thing/event/\${event}/post`;

export function createThingHandlers(ports: ThingMessagesPorts): UplinkHandlers {
  const handlers: Record<string, UplinkHandler> = { [eventRow]: createHandler(ports, ports.actions.postEvent) };
  for (const [path, action] of Object.entries(rows)) handlers[device + path] = createHandler(ports, ports.actions[action]);
  return handlers;
}

function createHandler(ports: ThingMessagesPorts, action: ThingAction): UplinkHandler {
  async function run(uplink: Uplink, request: NonNullable<ReturnType<typeof readRequest>>): Promise<void> {
    const { device: speaker, topic, qos, receivedAt, parts } = uplink;
    const call: ThingCall = { device: speaker, request, topic, qos, receivedAt };
    let outcome: ThingOutcome;
    try {
      outcome = await action(call, parts.event ?? "");
    } catch (error) {
      // The world's fault or ours: the device is told, and its message is not acknowledged.
      reply(ports, uplink, request, answerFailure(error));
      throw error;
    }
    reply(ports, uplink, request, outcome.answer);
    await outcome.told;
  }

  return (uplink) => {
    const request = readRequest(ports, uplink, ports.problems);
    return request === undefined ? undefined : run(uplink, request);
  };
}

const eventMethod = /^thing\.event\.([^.]+)\.post$/;
const actionsByMethod: ReadonlyMap<string, keyof (ThingActions & ThingQuestions)> = new Map(
  Object.entries(rows).map(([path, action]) => [methodOf(device + path), action]),
);

/** The action of a method, for messages whose topic does not tell. */
export function findAction(actions: ThingActions & ThingQuestions, method: string): { action: ThingAction; part: string } | undefined {
  const fixed = actionsByMethod.get(method);
  if (fixed !== undefined) return { action: actions[fixed], part: "" };
  const event = eventMethod.exec(method)?.[1];
  return event === undefined ? undefined : { action: actions.postEvent, part: event };
}
