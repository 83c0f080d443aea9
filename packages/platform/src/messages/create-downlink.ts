/** What the platform itself sends to one device: answers, calls, pushes. */
import type { Broker } from "@thingstead/mqtt";
import type { Downlink } from "./downlink.ts";

/** The session through which a device is reached: its own, or its gateway's. */
export interface DeviceRoute {
  readonly sessionId: string;
  readonly isConnected: boolean;
  /** What its cloud sends of its own accord reaches it without a SUBSCRIBE. */
  readonly isAutoSubscribed: boolean;
}

export interface DownlinkPorts {
  broker: Pick<Broker, "publish" | "deliver">;
  /** Undefined for a device without any session. */
  routeOf(productKey: string, deviceName: string): DeviceRoute | undefined;
  /** Whether the cloud sends this topic to devices that are subscribed automatically. */
  isAutomatic(topic: string): boolean;
}

export function createDownlink({ broker, routeOf, isAutomatic }: DownlinkPorts): Downlink {
  return {
    send({ productKey, deviceName, topic, payload, qos }) {
      const route = routeOf(productKey, deviceName);
      if (route?.isAutoSubscribed === true && isAutomatic(topic)) {
        return broker.publish({ topic, payload, qos, addressee: route.sessionId });
      }
      return broker.publish({ topic, payload, qos });
    },
    push({ productKey, deviceName, topic, payload, qos }) {
      const route = routeOf(productKey, deviceName);
      if (route?.isConnected !== true) return false;
      return broker.deliver(route.sessionId, { topic, payload, qos }) !== "no_session";
    },
    isOnline: (productKey, deviceName) => routeOf(productKey, deviceName)?.isConnected === true,
  };
}
