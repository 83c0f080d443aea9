import type { DeliveryEvents, NewDelivery } from "./delivery-queue.ts";
import type { RuleBook } from "./rule-book.ts";
import type { RuleLog } from "./rule-log.ts";

/** What became of webhook calls, counted on the rule and written to the device log. Addresses go in without their query. */
export function deliveryEvents(book: RuleBook, log: RuleLog, report: (delivery: NewDelivery, reason: string) => void): DeliveryEvents {
  const write = (delivery: NewDelivery, code: string, isSuccess: boolean, what: string): void => {
    const name = book.find(delivery.ruleId)?.row.name ?? "";
    const reason = `Rule ${delivery.ruleId} (${name}): ${what}`;
    log.write({ topic: delivery.topic, code, isSuccess, reason, payloadBytes: delivery.payload.length });
  };
  return {
    delivered(delivery) {
      const statistics = book.find(delivery.ruleId)?.statistics;
      if (statistics !== undefined) statistics.passed += 1;
      write(delivery, "rules.forwarded", true, `webhook ${placeOf(delivery)} took the message.`);
    },
    postponed(delivery, code, reason) {
      write(delivery, code, false, `try ${delivery.tries} at ${placeOf(delivery)} failed, another follows. ${reason}`);
    },
    died(delivery, code, reason, isOldestDropped) {
      const statistics = book.find(delivery.ruleId)?.statistics;
      if (statistics !== undefined) {
        statistics.failed += 1;
        statistics.deadLetters += 1;
        if (isOldestDropped) statistics.dropped += 1;
      }
      write(delivery, code, false, `the message for ${placeOf(delivery)} is a dead letter after ${delivery.tries} tries. ${reason}`);
      report(delivery, reason);
    },
    storeFailed(delivery, error) {
      write(delivery, error.code, false, error.message);
    },
  };
}

/** Queries carry tokens often enough. */
function placeOf({ request: { url } }: NewDelivery): string {
  if (!URL.canParse(url)) return "";
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
