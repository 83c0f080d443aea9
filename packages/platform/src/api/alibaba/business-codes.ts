/**
 * The vendor's business codes (reference 1.10) for refusals of other rooms. A row of the error table that names a vendor code itself
 * needs no entry here; an entry here wins.
 */
import { errorTable } from "../../errors/index.ts";

export const businessCodes: Readonly<Record<string, string>> = {
  "registry.product_not_found": "iot.prod.NotExistedProduct",
  "registry.device_not_found": "iot.device.NotExistedDevice",
  "messages.invalid_topic": "iot.messagebroker.InvalidFormattedTopicName",
  "messages.payload_too_large": "iot.messagebroker.PublishMessageFailed",
  "messages.topic_not_subscribable": "iot.messagebroker.PublishMessageFailed",
  "rules.sql_missing": "iot.rule.NullSqlForRule",
  "rules.sql_invalid": "iot.messagebroker.IncorrectRuleSql",
  "rules.no_action": "iot.rule.NullForwardDestForRule",
  "rules.already_running": "iot.ruleng.RuleAlreadyIsStarted",
};

export const businessCodeDefault = "iot.system.SystemException";

/** The vendor's code of one of our codes: an `iot.` one for a business failure, another for a failure of the gateway. */
export function vendorCodeOf(code: string): string {
  return businessCodes[code] ?? errorTable[code]?.alibaba ?? businessCodeDefault;
}
