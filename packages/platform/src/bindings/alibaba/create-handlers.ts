/** Everything that devices say about themselves on system topics. */
import type { Clock } from "../../clock.ts";
import type { DeviceLog } from "../../device-log/index.ts";
import type { DeviceEvents, Downlink, Rrpc } from "../../messages/index.ts";
import type { Ota } from "../../ota/index.ts";
import type { Tags } from "../../registry/index.ts";
import type { Scripts } from "../../scripts/index.ts";
import type { Things } from "../../things/index.ts";
import { createConsumerHandlers } from "./consumer.ts";
import { createDeviceProblems } from "./device-problems.ts";
import { createDeviceTagHandlers } from "./device-tags.ts";
import { createEventNames } from "./event-names.ts";
import type { AlibabaBindingLimits } from "./limits.ts";
import { createOtaHandlers } from "./ota.ts";
import { createRawHandlers } from "./raw-messages.ts";
import { createThingActions, type SubDeviceLookup } from "./thing-actions.ts";
import { createAnswerHandlers, createAnswerTaker } from "./thing-answers.ts";
import { createThingForwards } from "./thing-forwards.ts";
import { createThingHandlers } from "./thing-messages.ts";
import { createThingQuestions } from "./thing-questions.ts";
import type { UplinkHandlers } from "./uplink.ts";

export interface AlibabaHandlersPorts {
  downlink: Pick<Downlink, "send">;
  rrpc: Pick<Rrpc, "answered">;
  scripts: Pick<Scripts, "rawDataToProtocol" | "protocolToRawData">;
  things: Things;
  tags: Pick<Tags, "setDeviceTags" | "deleteDeviceTags">;
  ota: Pick<Ota, "reportVersion" | "reportProgress" | "pull" | "readBlock">;
  events: Pick<DeviceEvents, "tell">;
  deviceLog: Pick<DeviceLog, "write" | "wants">;
  subDeviceOf: SubDeviceLookup;
  clock: Pick<Clock, "now">;
  limits: AlibabaBindingLimits;
}

/** Families for the uplink router: things, answers, raw messages, the consumer platform. */
export function createAlibabaHandlers(ports: AlibabaHandlersPorts): UplinkHandlers[] {
  const { downlink, rrpc, scripts, things, events, subDeviceOf, clock, limits } = ports;
  const problems = createDeviceProblems(ports.deviceLog);
  const eventNames = createEventNames({ models: things.models, productsMax: limits.eventNamesProductsMax });
  const forwards = createThingForwards({ events, eventNames, clock });
  const actions = {
    ...createThingActions({ things, forwards, problems, subDeviceOf, limits }),
    ...createThingQuestions({ things, problems, limits }),
  };
  const takeAnswer = createAnswerTaker({ things, forwards, problems });
  return [
    createThingHandlers({ downlink, actions, problems }),
    createAnswerHandlers({ things, rrpc, forwards, problems }),
    createRawHandlers({ downlink, scripts, actions, takeAnswer, problems }),
    createOtaHandlers({ ota: ports.ota, downlink, problems, deviceLog: ports.deviceLog }),
    createDeviceTagHandlers({ downlink, problems, tags: ports.tags, limits }),
    createConsumerHandlers({ downlink, problems }),
  ];
}
