/** Tells of devices that were made, changed and joined to gateways (alibaba-device.md, 9.2). */
import { alibabaForwardTopics, formatFound, formatLifecycle, formatTags, formatTopology } from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import type { DeviceEventKind, DeviceEvents } from "../../messages/index.ts";
import type { DeviceIdentity, Registry, RegistryChange, Tags, TagsChange, Topology, TopologyChange } from "../../registry/index.ts";

export interface RegistryForwardsPorts {
  events: Pick<DeviceEvents, "tell" | "hasListeners">;
  registry: Pick<Registry, "onChange" | "findDevice">;
  topology: Pick<Topology, "onChange">;
  tags: Pick<Tags, "onChange">;
  clock: Pick<Clock, "now">;
  onFailure(error: unknown): void;
}

const lifecycleActions = {
  "device.created": "create",
  "device.deleted": "delete",
  "device.enabled": "enable",
  "device.disabled": "disable",
} as const;

const topologyActions = { added: "create", removed: "delete" } as const;

/** Works from the moment it is called. */
export function forwardRegistryChanges(ports: RegistryForwardsPorts): void {
  const { events, registry, topology, tags, clock, onFailure } = ports;
  /** A creation is told with its secret, which is looked up: what happens to devices meanwhile is told after it. */
  let latest: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  function tell(kind: DeviceEventKind, device: DeviceIdentity, topic: string, body: () => object): void {
    const { productKey, deviceName } = device;
    events.tell({ kind, productKey, deviceName, topic, qos: 1, time: clock.now(), body })?.catch(onFailure);
  }

  function tellLifecycle(
    device: DeviceIdentity,
    action: (typeof lifecycleActions)[keyof typeof lifecycleActions],
    time: number,
    deviceSecret?: string,
  ): void {
    const secret = deviceSecret === undefined ? {} : { deviceSecret };
    tell("lifecycle", device, alibabaForwardTopics.lifecycle(device), () =>
      formatLifecycle({ action, device, ...secret, messageCreateTime: time }),
    );
  }

  async function tellCreation(device: DeviceIdentity, time: number): Promise<void> {
    const found = await registry.findDevice(device.productKey, device.deviceName);
    tellLifecycle(device, "create", time, found?.iotId === device.iotId ? found.deviceSecret : undefined);
  }

  function inTurn(task: () => unknown): void {
    waiting += 1;
    latest = latest
      .then(task)
      .catch(onFailure)
      .finally(() => {
        waiting -= 1;
      });
  }

  function changed(change: RegistryChange): void {
    if (!("iotId" in change) || change.kind === "device.reset") return;
    const { productKey, deviceName, iotId, kind } = change;
    const device = { productKey, deviceName, iotId };
    // A fleet that moves in is not looked up device by device for nobody.
    if (!events.hasListeners("lifecycle", productKey, alibabaForwardTopics.lifecycle(device))) return;
    const time = clock.now();
    if (kind === "device.created") inTurn(() => tellCreation(device, time));
    else if (waiting > 0) inTurn(() => tellLifecycle(device, lifecycleActions[kind], time));
    else tellLifecycle(device, lifecycleActions[kind], time);
  }

  function topologyChanged({ kind, gateway, devices, at }: TopologyChange): void {
    if (kind === "found") {
      tell("found", gateway, alibabaForwardTopics.found(gateway), () => formatFound(gateway, devices));
      return;
    }
    const action = topologyActions[kind];
    const body = () => formatTopology({ action, gateway, devices, messageCreateTime: at });
    tell("topology", gateway, alibabaForwardTopics.topology(gateway), body);
  }

  /** Only what was set: the vendor's message has no word for a deletion. */
  function tagsChanged({ device, tags: changes }: TagsChange): void {
    const set = Object.entries(changes).flatMap(([attrKey, attrValue]) => (attrValue === undefined ? [] : [{ attrKey, attrValue }]));
    if (set.length === 0) return;
    tell("tags", device, alibabaForwardTopics.tags(device), () => formatTags(device, set, clock.now()));
  }

  registry.onChange(changed);
  topology.onChange(topologyChanged);
  tags.onChange(tagsChanged);
}
