/**
 * What a device that connects itself is told before it is cut: that it was disabled or deleted. Whether the vendor's cloud says so is not
 * confirmed (alibaba-device.md, 8.12), so this is a setting. Gateways hear of their sub-devices in any case (`gateway-notices.ts`).
 */
import { formatAlinkRequest } from "@thingstead/dialects";
import type { Broker } from "@thingstead/mqtt";
import { sessionIdOf } from "../../access/index.ts";
import type { Registry } from "../../registry/index.ts";

export interface LifecycleNoticesPorts {
  registry: Pick<Registry, "onChange">;
  broker: Pick<Broker, "deliver" | "isConnected">;
}

const verbs: Readonly<Record<string, "disable" | "delete">> = { "device.disabled": "disable", "device.deleted": "delete" };

/** To be called before whoever cuts these devices listens to the registry: the first to listen is the first to be told. */
export function sendLifecycleNotices({ registry, broker }: LifecycleNoticesPorts): void {
  let messageId = 0;
  registry.onChange((change) => {
    const verb = verbs[change.kind];
    if (verb === undefined || !("deviceName" in change)) return;
    const { productKey, deviceName } = change;
    const sessionId = sessionIdOf(productKey, deviceName);
    if (!broker.isConnected(sessionId)) return;
    const payload = formatAlinkRequest({ id: String(++messageId), method: `thing.${verb}`, params: {} });
    // QoS 0: one that is enabled again must not hear of it then.
    broker.deliver(sessionId, { topic: `/sys/${productKey}/${deviceName}/thing/${verb}`, payload, qos: 0 });
  });
}
