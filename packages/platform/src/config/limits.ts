/** Every room's named limits with their defaults, in one place: `limits.<room>.<name>` in the configuration. */
import { defaultBrokerLimits } from "@thingstead/mqtt";
import { defaultAccessLimits, defaultGatewayLimits, defaultPlainSessionLimits, defaultSessionLimits } from "../access/index.ts";
import {
  defaultAlibabaApiLimits,
  defaultApiLimits,
  defaultAwsApiLimits,
  defaultAwsDataLimits,
  defaultAwsIndexLimits,
} from "../api/index.ts";
import {
  defaultAlibabaBindingLimits,
  defaultAwsAccessLimits,
  defaultAwsDepartureLimits,
  defaultAwsEventLimits,
  defaultAwsSessionLimits,
  defaultAwsShadowLimits,
} from "../bindings/index.ts";
import { defaultDeviceLogLimits } from "../device-log/index.ts";
import { defaultDeviceServicesLimits, defaultFleetJobLimits } from "../device-services/index.ts";
import { defaultFleetLimits, defaultProvisioningLimits } from "../fleet/index.ts";
import { defaultFrontDoorLimits } from "../front-door/index.ts";
import { defaultMessageLimits } from "../messages/index.ts";
import { defaultOtaLimits } from "../ota/index.ts";
import { defaultMqttUserLimits, defaultRegistryLimits } from "../registry/index.ts";
import { defaultRuleLimits } from "../rules/index.ts";
import { defaultScriptLimits } from "../scripts/index.ts";
import { defaultHistoryLimits, defaultJournalLimits, defaultStoreLimits } from "../store/index.ts";
import { defaultThingLimits } from "../things/index.ts";

export const roomLimits = {
  mqtt: defaultBrokerLimits,
  session: defaultSessionLimits,
  plainSession: defaultPlainSessionLimits,
  access: defaultAccessLimits,
  gateway: defaultGatewayLimits,
  messages: defaultMessageLimits,
  registry: defaultRegistryLimits,
  mqttUsers: defaultMqttUserLimits,
  fleet: defaultFleetLimits,
  provisioning: defaultProvisioningLimits,
  deviceLog: defaultDeviceLogLimits,
  deviceServices: defaultDeviceServicesLimits,
  fleetJobs: defaultFleetJobLimits,
  ota: defaultOtaLimits,
  rules: defaultRuleLimits,
  scripts: defaultScriptLimits,
  alibabaBinding: defaultAlibabaBindingLimits,
  store: defaultStoreLimits,
  journal: defaultJournalLimits,
  things: defaultThingLimits,
  history: defaultHistoryLimits,
  frontDoor: defaultFrontDoorLimits,
  api: defaultApiLimits,
  alibabaApi: defaultAlibabaApiLimits,
  awsApi: defaultAwsApiLimits,
  awsEvents: defaultAwsEventLimits,
  awsData: defaultAwsDataLimits,
  awsIndex: defaultAwsIndexLimits,
  awsShadow: defaultAwsShadowLimits,
  awsDepartures: defaultAwsDepartureLimits,
  awsSession: defaultAwsSessionLimits,
  awsAccess: defaultAwsAccessLimits,
};
