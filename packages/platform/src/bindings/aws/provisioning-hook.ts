/** Calls the pre-provisioning hook through the webhooks of the rules, whose address policy holds for it too. */
import { PlatformError } from "../../errors/index.ts";
import type { HookCaller } from "../../fleet/index.ts";
import type { createHttpWebhookSender } from "../../rules/index.ts";

export function createHookCaller(sender: Pick<ReturnType<typeof createHttpWebhookSender>, "send">): HookCaller {
  return async (url, body, { timeoutMilliseconds, answerBytesMax }) => {
    const outcome = await sender.send({
      url,
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: Buffer.from(JSON.stringify(body)),
      timeoutMilliseconds,
      answerBytesMax,
    });
    if (!outcome.isDelivered) throw new PlatformError("provisioning.hook_failed", { reason: outcome.reason });
    try {
      return JSON.parse(outcome.answer?.toString() ?? "") as unknown;
    } catch (cause) {
      throw new PlatformError("provisioning.hook_failed", { reason: "The answer is no JSON." }, { cause });
    }
  };
}
