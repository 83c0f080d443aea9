/** Wires shadows, for MQTT and for the AWS API, and the data plane of that API. */
import type { Broker } from "@thingstead/mqtt";
import type { AwsOperationPorts } from "./api/index.ts";
import {
  type AwsUplinkHandlers,
  awsTopicRefusal,
  createThingShadowHandlers,
  createThingShadows,
  type ThingShadows,
} from "./bindings/index.ts";
import type { Clock, Random } from "./clock.ts";
import type { Settings } from "./config/index.ts";
import type { DeviceLog } from "./device-log/index.ts";
import type { DeviceServices } from "./device-services/index.ts";
import type { Aws } from "./open-aws.ts";

export interface AwsShadowPorts {
  settings: Settings;
  aws: Pick<Aws, "answers" | "fleet">;
  deviceServices: Pick<DeviceServices, "namedShadows">;
  deviceLog: DeviceLog;
  clock: Clock;
}

function openThingShadows({ settings, aws, deviceServices, clock }: Omit<AwsShadowPorts, "deviceLog">): ThingShadows {
  return createThingShadows({ shadows: deviceServices.namedShadows, answers: aws.answers, clock, limits: settings.limits.awsShadow });
}

/** Of the reserved topics. */
export function openShadowHandlers(ports: AwsShadowPorts): AwsUplinkHandlers {
  const { settings, aws, deviceLog, clock } = ports;
  return createThingShadowHandlers({
    thingShadows: openThingShadows(ports),
    answers: aws.answers,
    deviceLog,
    productKey: aws.fleet.productKey,
    clock,
    limits: settings.limits.awsShadow,
  });
}

export interface AwsDataPorts extends Omit<AwsShadowPorts, "deviceLog"> {
  aws: Pick<Aws, "answers" | "fleet" | "publisher" | "departures">;
  broker: () => Broker;
  random: Random;
}

/** What the operations of the data plane ask for. */
export function openAwsData(ports: AwsDataPorts): AwsOperationPorts["data"] {
  const { settings, aws, deviceServices, broker, clock, random } = ports;
  const { awsData, awsIndex, awsAccess } = settings.limits;
  return {
    thingShadows: openThingShadows(ports),
    namedShadows: deviceServices.namedShadows,
    publisher: aws.publisher,
    broker: broker(),
    departures: aws.departures,
    topicFault: (topic) => awsTopicRefusal(topic, awsAccess),
    clock,
    random,
    limits: awsData,
    indexLimits: awsIndex,
  };
}
