/** The one error table: every room adds its rows here, and no two rooms share a code. */
import { accessErrors } from "./access.ts";
import { alibabaErrors } from "./alibaba.ts";
import { apiErrors } from "./api.ts";
import { awsErrors } from "./aws.ts";
import { awsDataErrors } from "./aws-data.ts";
import { bindingErrors } from "./bindings.ts";
import { deviceLogErrors } from "./device-log.ts";
import { deviceServiceErrors, shadowMessageErrors } from "./device-services.ts";
import { fleetErrors } from "./fleet.ts";
import { fleetJobErrors } from "./fleet-jobs.ts";
import { frontDoorErrors } from "./front-door.ts";
import { messageErrors } from "./messages.ts";
import { mqttErrors } from "./mqtt.ts";
import { namedShadowErrors, thingShadowErrors } from "./named-shadows.ts";
import { otaErrors } from "./ota.ts";
import type { ErrorTable } from "./platform-error.ts";
import { provisioningErrors } from "./provisioning.ts";
import { registryErrors } from "./registry.ts";
import { ruleErrors } from "./rules.ts";
import { scriptErrors } from "./scripts.ts";
import { startErrors } from "./start.ts";
import { storeErrors } from "./store.ts";
import { thingErrors } from "./things.ts";

export const errorTable: ErrorTable = {
  ...accessErrors,
  ...alibabaErrors,
  ...apiErrors,
  ...awsErrors,
  ...awsDataErrors,
  ...bindingErrors,
  ...deviceLogErrors,
  ...deviceServiceErrors,
  ...shadowMessageErrors,
  ...fleetErrors,
  ...fleetJobErrors,
  ...frontDoorErrors,
  ...messageErrors,
  ...mqttErrors,
  ...namedShadowErrors,
  ...thingShadowErrors,
  ...otaErrors,
  ...provisioningErrors,
  ...registryErrors,
  ...ruleErrors,
  ...scriptErrors,
  ...startErrors,
  ...storeErrors,
  ...thingErrors,
};
