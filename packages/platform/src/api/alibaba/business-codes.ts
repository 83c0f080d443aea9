/**
 * The vendor's business codes (reference 1.10) for refusals of other rooms. A row of the error table that names a vendor code itself
 * needs no entry here; an entry here wins.
 */
import { errorTable } from "../../errors/index.ts";

export const businessCodes: Readonly<Record<string, string>> = {
  // The vendor has one code for every topic that cannot be published to.
  "messages.invalid_topic": "iot.messagebroker.InvalidFormattedTopicName",
  "messages.topic_unfilled": "iot.messagebroker.InvalidFormattedTopicName",
  "messages.payload_too_large": "iot.messagebroker.PublishMessageFailed",
  "messages.topic_not_subscribable": "iot.messagebroker.PublishMessageFailed",
  "rules.running": "iot.rule.DeleteRuleFailed",
};

const businessCodeDefault = "iot.system.SystemException";

/** The vendor's code of one of our codes: an `iot.` one for a business failure, another for a failure of the gateway. */
export function vendorCodeOf(code: string): string {
  return businessCodes[code] ?? errorTable[code]?.alibaba ?? businessCodeDefault;
}
