/** Tells when devices come and go, in the order of what happened to each (alibaba-device.md, 9.2 and 9.3). */
import { alibabaForwardTopics, formatDeviceStatus } from "@thingstead/dialects";
import { isDeviceSubject, type SessionListener, type SubDeviceConnection, type SubDeviceListener } from "../../access/index.ts";
import type { Clock } from "../../clock.ts";
import type { DeviceEvents } from "../../messages/index.ts";
import type { DeviceRef } from "../../things/index.ts";

interface DeviceStatusChange {
  device: DeviceRef;
  status: "online" | "offline";
  /** Milliseconds since the epoch. */
  time: number;
  /** Last traffic before the change. */
  lastTime: number;
  remoteAddress: string;
}

export interface StatusForwardsPorts {
  events: Pick<DeviceEvents, "tell">;
  clock: Pick<Clock, "now">;
  /** What a status message owed could not be made safe: nobody waits for it. */
  onFailure(error: unknown): void;
}

export interface StatusForwards extends Required<Pick<SessionListener, "connected" | "disconnected">> {
  /** Sub-devices have no connection of their own. */
  readonly subDevices: Required<Pick<SubDeviceListener, "opened" | "closing">>;
}

export function createStatusForwards({ events, clock, onFailure }: StatusForwardsPorts): StatusForwards {
  function tell({ device, status, time, lastTime, remoteAddress }: DeviceStatusChange): void {
    const { productKey, deviceName, iotId } = device;
    const topic = alibabaForwardTopics.status(device);
    const body = () => formatDeviceStatus({ device: { productKey, deviceName, iotId }, status, time, lastTime, clientIp: remoteAddress });
    events.tell({ kind: "status", productKey, deviceName, topic, qos: 1, time, body })?.catch(onFailure);
  }

  function tellOfSubDevice(status: "online" | "offline", { device, remoteAddress }: SubDeviceConnection): void {
    const time = clock.now();
    tell({ device, status, time, lastTime: time, remoteAddress });
  }

  return {
    subDevices: {
      opened: (connection) => tellOfSubDevice("online", connection),
      closing: (connection) => tellOfSubDevice("offline", connection),
    },
    connected({ subject, facts }) {
      if (!isDeviceSubject(subject)) return;
      const time = clock.now();
      tell({ device: subject, status: "online", time, lastTime: time, remoteAddress: facts.remoteAddress });
    },
    /** After a takeover, too: the vendor tells offline and then online. */
    disconnected({ subject, facts, lastPacketAt }) {
      if (!isDeviceSubject(subject)) return;
      tell({ device: subject, status: "offline", time: clock.now(), lastTime: lastPacketAt, remoteAddress: facts.remoteAddress });
    },
  };
}
