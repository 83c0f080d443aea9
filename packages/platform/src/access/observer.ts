/** What the engine saw, told to the device log and to the registry's device status. */
import type { Dialect } from "@thingstead/dialects";
import type { CloseReason, Observer, QoS, Refusal } from "@thingstead/mqtt";
import type { Clock } from "../clock.ts";
import type { DeviceLog, LogKind, NewLogEntry } from "../device-log/index.ts";
import { errorTable, formatError } from "../errors/index.ts";
import type { Registry } from "../registry/index.ts";
import {
  type DeviceSubject,
  isClientSubject,
  isDeviceSubject,
  isRegistrationSubject,
  isThingClientSubject,
  ownerOf,
  sessionIdOf,
} from "./subject.ts";

export interface ObserverPorts {
  registry: Pick<Registry, "markOnline" | "markOffline">;
  deviceLog: Pick<DeviceLog, "write" | "wants" | "refusesMessages">;
  /** Names the device that a refused user name speaks of. */
  dialects: readonly Pick<Dialect, "claimedDevice">[];
  clock: Pick<Clock, "now">;
  listeners?: readonly SessionListener[];
}

/** Hears of connections after the log and the registry have. */
export interface SessionListener {
  connected?(event: Parameters<Observer["connected"]>[0]): void;
  disconnected?(event: Parameters<Observer["disconnected"]>[0]): void;
  subscribeRefused?(event: Parameters<Observer["subscribeRefused"]>[0]): void;
  subscribed?(event: Parameters<Observer["subscribed"]>[0]): void;
  unsubscribed?(event: Parameters<Observer["unsubscribed"]>[0]): void;
}

/** Offline reasons in the words of the vendor's log (alibaba-device.md, 3); ours where it has none. */
const closeReasons: Readonly<Record<CloseReason, { code: string; reason: string; isSuccess: boolean }>> = {
  client_disconnect: { code: "device.disconnected", reason: "Device disconnect", isSuccess: true },
  connection_closed: { code: "device.connection_closed", reason: "Connection reset by peer", isSuccess: true },
  keep_alive_timeout: { code: "device.keep_alive_timeout", reason: "Keepalive timeout", isSuccess: false },
  taken_over: { code: "device.taken_over", reason: "Kicked by the same device", isSuccess: false },
  protocol_error: { code: "device.protocol_error", reason: "Connection occurs exception", isSuccess: false },
  packet_too_large: { code: "device.packet_too_large", reason: "Connection occurs exception", isSuccess: false },
  connect_timeout: { code: "device.connect_timeout", reason: "Connection occurs exception", isSuccess: false },
  refused: { code: "device.refused", reason: "Connection occurs exception", isSuccess: false },
  kicked: { code: "device.kicked", reason: "Kicked by the platform", isSuccess: false },
  quota_exceeded: { code: "device.quota_exceeded", reason: "Connection occurs exception", isSuccess: false },
  server_shutdown: { code: "device.server_shutdown", reason: "The server shut down", isSuccess: true },
  internal_error: { code: "device.internal_error", reason: "Connection occurs exception", isSuccess: false },
};

const dropReasons = {
  queue_full: "the queue was full and this was the oldest",
  expired: "it waited longer than messages are kept",
  slow_reader: "the device reads too slowly",
  too_large: "it is larger than the device accepts",
  retained_limit: "no more retained messages can be kept",
} as const;

export function createObserver({ registry, deviceLog, dialects, clock, listeners = [] }: ObserverPorts): Observer {
  /** Connections by device: a takeover has two for a moment, in either order, and must end online. */
  const connections = new Map<string, number>();

  function write(subject: unknown, entry: Omit<NewLogEntry, "productKey" | "deviceName">): void {
    const device = isRegistrationSubject(subject) ? subject : deviceOf(subject);
    const clientId = isClientSubject(subject) || isThingClientSubject(subject) ? subject.clientId : undefined;
    deviceLog.write({
      ...entry,
      ...(device === undefined ? {} : { productKey: device.productKey, deviceName: device.deviceName }),
      ...(clientId === undefined ? {} : { clientId }),
    });
  }

  /** A client that is no device counts under no product. */
  function isWanted(kind: LogKind, subject: unknown): boolean {
    const device = deviceOf(subject);
    if (device !== undefined) return deviceLog.wants(kind, device.productKey, device.deviceName);
    return (isClientSubject(subject) || isThingClientSubject(subject)) && deviceLog.wants(kind, "", subject.clientId);
  }

  /** Hot path: the log is asked before an entry is built. */
  function count(kind: LogKind, code: string, subject: unknown, topic: string, qos: QoS, payloadBytes: number): void {
    if (deviceLog.refusesMessages() || !isWanted(kind, subject)) return;
    write(subject, { kind, code, isSuccess: true, topic, qos, payloadBytes });
  }

  function leave({ productKey, deviceName }: DeviceNames, reason: CloseReason): void {
    const sessionId = sessionIdOf(productKey, deviceName);
    const left = (connections.get(sessionId) ?? 1) - 1;
    if (left > 0) {
      connections.set(sessionId, left);
      return;
    }
    connections.delete(sessionId);
    // The newer connection of a takeover is here or on another node: the device is not offline.
    if (reason !== "taken_over") registry.markOffline(productKey, deviceName, clock.now());
  }

  return {
    connected(event) {
      const { subject, facts, clientId, protocolVersion, keepAliveSeconds, isSessionPresent } = event;
      const device = deviceOf(subject);
      if (device !== undefined) {
        const key = sessionIdOf(device.productKey, device.deviceName);
        connections.set(key, (connections.get(key) ?? 0) + 1);
        registry.markOnline(device.productKey, device.deviceName, clock.now(), facts.remoteAddress);
      }
      const transport = `${facts.tls === undefined ? "plain" : facts.tls.version} ${facts.carrier}`;
      write(subject, {
        kind: "connect",
        code: "device.connected",
        isSuccess: true,
        remoteAddress: facts.remoteAddress,
        clientId,
        reason: `MQTT level ${protocolVersion} over ${transport}, keep-alive ${keepAliveSeconds} s, ${isSessionPresent ? "kept" : "new"} session`,
      });
      for (const listener of listeners) listener.connected?.(event);
    },
    refused({ facts, clientId, userName, refusal }) {
      const device = userName === undefined ? undefined : firstOf(dialects, (dialect) => dialect.claimedDevice(userName));
      deviceLog.write({
        kind: "refuse",
        ...refusedEntry(refusal),
        ...device,
        remoteAddress: facts.remoteAddress,
        ...(clientId === undefined ? {} : { clientId }),
      });
    },
    disconnected(event) {
      const { subject, facts, reason, refusal } = event;
      const device = deviceOf(subject);
      if (device !== undefined) leave(device, reason);
      const words = closeReasons[reason];
      const why = refusal === undefined ? undefined : refusedEntry(refusal);
      write(subject, {
        kind: "disconnect",
        ...words,
        remoteAddress: facts.remoteAddress,
        ...(why === undefined ? {} : { ...why, isSuccess: words.isSuccess, reason: `${words.reason}: ${why.reason ?? why.code}` }),
      });
      for (const listener of listeners) listener.disconnected?.(event);
    },
    subscribed(event) {
      const { subject, filter, qos } = event;
      write(subject, { kind: "subscribe", code: "device.subscribed", isSuccess: true, topic: filter, qos });
      for (const listener of listeners) listener.subscribed?.(event);
    },
    subscribeRefused(event) {
      const { subject, filter, refusal } = event;
      write(subject, { kind: "subscribe", ...refusedEntry(refusal), topic: filter });
      for (const listener of listeners) listener.subscribeRefused?.(event);
    },
    unsubscribed(event) {
      const { subject, filter } = event;
      write(subject, { kind: "unsubscribe", code: "device.unsubscribed", isSuccess: true, topic: filter });
      for (const listener of listeners) listener.unsubscribed?.(event);
    },
    published(_sessionId, subject, topic, qos, payloadBytes) {
      count("publish", "message.received", subject, topic, qos, payloadBytes);
    },
    publishRefused({ subject, topic, qos, refusal }) {
      if (!isWanted("publish", subject)) return;
      write(subject, { kind: "publish", ...refusedEntry(refusal), topic, qos });
    },
    delivered(_sessionId, subject, topic, qos, payloadBytes) {
      count("deliver", "message.delivered", subject, topic, qos, payloadBytes);
    },
    dropped({ sessionId, topic, qos, reason }) {
      deviceLog.write({
        kind: "drop",
        code: `message.dropped_${reason}`,
        isSuccess: false,
        topic,
        qos,
        reason: `The message was given up: ${dropReasons[reason]}.`,
        ...ownerOf(sessionId),
      });
    },
  };
}

type DeviceNames = Pick<DeviceSubject, "productKey" | "deviceName">;

/** The device of the registry that speaks, if it is one. */
function deviceOf(subject: unknown): DeviceNames | undefined {
  if (isDeviceSubject(subject)) return subject;
  return isThingClientSubject(subject) ? subject.device : undefined;
}

function refusedEntry({ code, received, expected }: Refusal): Pick<NewLogEntry, "code" | "isSuccess" | "reason" | "received" | "expected"> {
  const details = { received: received ?? "nothing", expected: expected ?? "something else" };
  return {
    code,
    isSuccess: false,
    // A code without a text is a fault of ours, but no reason to lose the entry.
    ...(Object.hasOwn(errorTable, code) ? { reason: formatError(code, details, "en") } : {}),
    ...(received === undefined ? {} : { received }),
    ...(expected === undefined ? {} : { expected }),
  };
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
