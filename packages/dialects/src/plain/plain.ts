/** Generic MQTT clients: no cloud's words, all of MQTT. */
import type { PlainDialect } from "../dialect.ts";
import { refusalCodesOf } from "./refusals.ts";
import { anonymousRights, compileRights } from "./rights.ts";

export const plainDialect: PlainDialect = {
  name: "plain",
  behaviour: {
    qosMax: 2,
    onQosAboveMax: "disconnect",
    retain: "store",
    will: "publish",
    wildcards: true,
    sharedSubscriptions: true,
    deliveryQos: "minimum",
    onPublishRefused: "acknowledge",
  },
  refusalCodes: refusalCodesOf,
  anonymousRights,
  compileRights,
};
