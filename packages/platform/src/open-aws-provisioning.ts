/** Opens provisioning: templates, claims and certificates that wait for their device, with the hook as a webhook. */
import type { AwsAccount } from "@thingstead/dialects";
import { createHookCaller } from "./bindings/index.ts";
import type { Clock, Random } from "./clock.ts";
import type { Settings } from "./config/index.ts";
import { createProvisioning, type Fleet, type Provisioning } from "./fleet/index.ts";
import { createAddressPolicy, createHttpWebhookSender } from "./rules/index.ts";

export interface OpenProvisioningPorts {
  settings: Settings;
  account: AwsAccount;
  /** Started. */
  fleet: Fleet;
  clock: Clock;
  random: Random;
  onFailure(error: unknown): void;
}

export async function openProvisioning({
  settings,
  account,
  fleet,
  clock,
  random,
  onFailure,
}: OpenProvisioningPorts): Promise<Provisioning> {
  const sender = createHttpWebhookSender({ clock, addressPolicy: createAddressPolicy(settings.rules), limits: settings.limits.rules });
  const provisioning = createProvisioning({
    fleet,
    account,
    hook: createHookCaller(sender),
    clock,
    random,
    limits: settings.limits.provisioning,
    onFailure,
  });
  await provisioning.start();
  return {
    ...provisioning,
    async close() {
      await provisioning.close();
      await sender.close();
    },
  };
}
