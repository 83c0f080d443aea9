/** By which session a device is reached, and what it agreed to when it connected. */
import type { Broker } from "@thingstead/mqtt";
import { isDeviceSubject, sessionIdOf } from "./subject.ts";

export interface SessionRoute {
  readonly sessionId: string;
  readonly isConnected: boolean;
  readonly isAutoSubscribed: boolean;
  readonly acceptsCustomRrpc: boolean;
}

export interface SessionRoutesPorts {
  broker: Pick<Broker, "isConnected" | "subjectOf">;
  /** A sub-device that has logged in over a gateway; undefined for all others. */
  subDevices?: { routeOf(productKey: string, deviceName: string): SessionRoute | undefined };
}

/** Undefined for a device that has no session, neither connected nor kept. */
export type SessionRoutes = (productKey: string, deviceName: string) => SessionRoute | undefined;

export function createSessionRoutes({ broker, subDevices }: SessionRoutesPorts): SessionRoutes {
  return (productKey, deviceName) => {
    const sub = subDevices?.routeOf(productKey, deviceName);
    if (sub !== undefined) return sub;
    const sessionId = sessionIdOf(productKey, deviceName);
    const isConnected = broker.isConnected(sessionId);
    const subject = broker.subjectOf(sessionId);
    if (!isDeviceSubject(subject)) return isConnected ? { ...plainRoute, sessionId, isConnected } : undefined;
    return {
      sessionId,
      isConnected,
      isAutoSubscribed: subject.isAutoSubscribed === true,
      acceptsCustomRrpc: subject.acceptsCustomRrpc === true,
    };
  };
}

const plainRoute = { isAutoSubscribed: false, acceptsCustomRrpc: false } as const;
