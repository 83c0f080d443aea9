/** Sub-devices that are logged in over their gateway's connection: their own names and rights, somebody else's socket. */
import type { ConnectTraits, Dialect } from "@thingstead/dialects";
import type { Broker, PublishGrant, QoS, Refusal, SubscribeGrant } from "@thingstead/mqtt";
import type { Clock } from "../clock.ts";
import type { DeviceLog } from "../device-log/index.ts";
import type { DeviceIdentity, Registry } from "../registry/index.ts";
import { DeviceRights, type RightsPorts } from "./device-rights.ts";
import type { GatewayLimits } from "./limits.ts";
import type { SessionListener } from "./observer.ts";
import type { SessionRoute } from "./session-routes.ts";
import { type DeviceSubject, isDeviceSubject, sessionIdOf } from "./subject.ts";
import type { TopicBook } from "./topic-book.ts";

type Names = Pick<DeviceIdentity, "productKey" | "deviceName">;

/** Why a sub-device's session ended. */
export type SubDeviceEnd = "logout" | "another_login" | "disabled" | "deleted" | "not_in_topology" | "gateway_offline";

/** A session as others hear of it. */
export interface SubDeviceConnection {
  gateway: DeviceIdentity;
  device: DeviceIdentity;
  /** The gateway's. */
  remoteAddress: string;
}

export interface SubDeviceListener {
  opened?(connection: SubDeviceConnection): void;
  /** Told before it happens, so that what is sent about it still goes through the gateway. */
  closing?(connection: SubDeviceConnection, end: SubDeviceEnd): void;
  /** The gateway spoke for a device that is not logged in. */
  missing?(gateway: DeviceIdentity, device: Names): void;
}

export interface SubDevicesPorts {
  dialects: readonly Dialect[];
  rights: RightsPorts;
  topicBook: TopicBook;
  registry: Pick<Registry, "markOnline" | "markOffline">;
  deviceLog: Pick<DeviceLog, "write">;
  /** Asked late: the broker is made with the gatekeeper that knows these sessions. */
  broker(): Pick<Broker, "isConnected" | "subjectOf" | "forgetGrants" | "forgetRefusals" | "kick">;
  clock: Pick<Clock, "now">;
  limits: GatewayLimits;
}

interface SubDeviceSession {
  device: DeviceIdentity;
  gateway: DeviceIdentity;
  subject: DeviceSubject;
  rights: DeviceRights;
}

export type LoginOutcome = "ok" | "gateway_offline" | "too_many" | "too_often";

/** What a gateway's rights ask. */
export interface SubDeviceRights {
  publish(gateway: DeviceSubject, dialect: Dialect, topic: string): PublishGrant | Refusal | undefined;
  subscribe(gateway: DeviceSubject, dialect: Dialect, filter: string, qos: QoS): SubscribeGrant | Refusal | undefined;
}

export interface SubDevices extends SubDeviceRights, SessionListener {
  /**
   * All or none. The caller has checked signature and topology. Another session of a device ends with `another_login`.
   */
  login(gateway: DeviceIdentity, devices: readonly { device: DeviceIdentity; traits: ConnectTraits }[]): Promise<LoginOutcome>;
  /** False when one of them is not logged in over this gateway: then none is logged out. */
  logout(gateway: Names, devices: readonly Names[]): boolean;
  /** Ends a session from this side. False when there is none. */
  end(device: Names, end: SubDeviceEnd): boolean;
  routeOf(productKey: string, deviceName: string): SessionRoute | undefined;
  onChange(listener: SubDeviceListener): void;
}

const loginWindowMilliseconds = 60_000;

export function createSubDevices(ports: SubDevicesPorts): SubDevices {
  const { broker, registry, deviceLog, clock, limits } = ports;
  const sessions = new Map<string, SubDeviceSession>();
  /** Keys of sub-devices by the session of their gateway. */
  const byGateway = new Map<string, Set<string>>();
  const addresses = new Map<string, string>();
  const listeners: SubDeviceListener[] = [];
  /** Logins in the current minute; at most one entry for each sub-device that logged in. */
  let loginCounts = new Map<string, number>();
  let windowStart = 0;

  const connectionOf = ({ gateway, device }: SubDeviceSession): SubDeviceConnection => ({
    gateway,
    device,
    remoteAddress: addresses.get(keyOf(gateway)) ?? "",
  });
  const tellClosing = (session: SubDeviceSession, end: SubDeviceEnd) => {
    for (const listener of listeners) listener.closing?.(connectionOf(session), end);
  };
  const keyOf = ({ productKey, deviceName }: Names) => sessionIdOf(productKey, deviceName);

  function isTooOften(key: string): boolean {
    const now = clock.now();
    if (now - windowStart >= loginWindowMilliseconds) {
      loginCounts = new Map();
      windowStart = now;
    }
    const count = (loginCounts.get(key) ?? 0) + 1;
    loginCounts.set(key, count);
    return count > limits.subDeviceLoginsPerMinuteMax;
  }

  function log(
    kind: "connect" | "disconnect",
    { device, gateway }: SubDeviceSession,
    code: string,
    isSuccess: boolean,
    reason: string,
  ): void {
    const { productKey, deviceName } = device;
    const remoteAddress = addresses.get(keyOf(gateway));
    deviceLog.write({
      kind,
      code,
      isSuccess,
      productKey,
      deviceName,
      reason: `${reason} ${gateway.productKey}/${gateway.deviceName}`,
      ...(remoteAddress === undefined ? {} : { remoteAddress }),
    });
  }

  function remove(session: SubDeviceSession): void {
    const key = keyOf(session.device);
    sessions.delete(key);
    const gatewayKey = keyOf(session.gateway);
    const keys = byGateway.get(gatewayKey);
    keys?.delete(key);
    if (keys?.size === 0) byGateway.delete(gatewayKey);
    // It may have connected by itself, which is what ended this session.
    if (!broker().isConnected(key)) registry.markOffline(session.device.productKey, session.device.deviceName, clock.now());
  }

  function add(session: SubDeviceSession): void {
    const key = keyOf(session.device);
    const gatewayKey = keyOf(session.gateway);
    sessions.set(key, session);
    const keys = byGateway.get(gatewayKey) ?? new Set();
    byGateway.set(gatewayKey, keys.add(key));
    const address = addresses.get(gatewayKey) ?? "";
    registry.markOnline(session.device.productKey, session.device.deviceName, clock.now(), address);
    log("connect", session, "device.connected", true, "Logged in over the gateway");
    for (const listener of listeners) listener.opened?.(connectionOf(session));
  }

  async function open(gateway: DeviceIdentity, device: DeviceIdentity, traits: ConnectTraits): Promise<SubDeviceSession | undefined> {
    const ofGateway = broker().subjectOf(keyOf(gateway));
    const dialect = isDeviceSubject(ofGateway) ? ports.dialects.find(({ name }) => name === ofGateway.dialect) : undefined;
    if (dialect === undefined) return undefined;
    const page = ports.topicBook.peek(device.productKey) ?? (await ports.topicBook.open(device.productKey));
    const subject: DeviceSubject = { kind: "device", dialect: dialect.name, ...device, gateway, ...traits };
    return { device, gateway, subject, rights: new DeviceRights(ports.rights, dialect, subject, page) };
  }

  function endAll(gatewayKey: string): void {
    for (const key of [...(byGateway.get(gatewayKey) ?? [])]) {
      const session = sessions.get(key);
      if (session === undefined) continue;
      tellClosing(session, "gateway_offline");
      remove(session);
      log("disconnect", session, "device.gateway_disconnected", false, "The gateway connection was disconnected:");
    }
  }

  function end(device: Names, reason: SubDeviceEnd): boolean {
    const session = sessions.get(keyOf(device));
    if (session === undefined) return false;
    tellClosing(session, reason);
    remove(session);
    broker().forgetGrants(keyOf(session.gateway));
    log("disconnect", session, `device.sub_device_${reason}`, false, "Ended by the platform; it was logged in over the gateway");
    return true;
  }

  /** Undefined for a topic that is nobody's behind this gateway to use, or for no gateway at all. */
  function sessionFor(gateway: DeviceSubject, dialect: Dialect, topic: string): SubDeviceSession | { missing: Names } | undefined {
    if (gateway.isGateway !== true) return undefined;
    const names = dialect.deviceOf(topic);
    if (names === undefined || (names.productKey === gateway.productKey && names.deviceName === gateway.deviceName)) return undefined;
    const session = sessions.get(keyOf(names));
    return session?.gateway.iotId === gateway.iotId ? session : { missing: names };
  }

  function tellMissing({ productKey, deviceName, iotId }: DeviceSubject, device: Names): void {
    for (const listener of listeners) listener.missing?.({ productKey, deviceName, iotId }, device);
  }

  const offline = (topic: string): Refusal => ({
    code: "access.sub_device_offline",
    received: topic,
    expected: "a sub-device that is logged in over this gateway",
  });

  return {
    async login(gateway, devices) {
      const gatewayKey = keyOf(gateway);
      if (devices.some(({ device }) => isTooOften(keyOf(device)))) return "too_often";
      const opened: SubDeviceSession[] = [];
      for (const { device, traits } of devices) {
        const session = await open(gateway, device, traits);
        if (session === undefined) return "gateway_offline";
        opened.push(session);
      }
      if (!broker().isConnected(gatewayKey)) return "gateway_offline";
      const others = opened.filter(({ device }) => !byGateway.get(gatewayKey)?.has(keyOf(device)));
      if ((byGateway.get(gatewayKey)?.size ?? 0) + others.length > limits.subDevicesOnlineMax) return "too_many";
      for (const session of opened) {
        const { device } = session;
        const former = sessions.get(keyOf(device));
        if (former !== undefined && former.gateway.iotId !== gateway.iotId) end(device, "another_login");
        // A direct connection of the same device gives way as well.
        broker().kick(keyOf(device), "taken_over", { code: "device.taken_over", received: gatewayKey });
        add(session);
      }
      // Subscriptions lose nothing by a login: asking for them again would cost each login what all sub-devices subscribed.
      broker().forgetRefusals(gatewayKey);
      return "ok";
    },

    logout(gateway, devices) {
      const gatewayKey = keyOf(gateway);
      const found = devices.map((device) => sessions.get(keyOf(device)));
      if (found.some((session) => session === undefined || keyOf(session.gateway) !== gatewayKey)) return false;
      for (const session of new Set(found)) {
        if (session === undefined) continue;
        tellClosing(session, "logout");
        remove(session);
        log("disconnect", session, "device.disconnected", true, "Logged out over the gateway");
      }
      broker().forgetGrants(gatewayKey);
      return true;
    },

    end,

    routeOf(productKey, deviceName) {
      const session = sessions.get(sessionIdOf(productKey, deviceName));
      if (session === undefined) return undefined;
      const sessionId = keyOf(session.gateway);
      return {
        sessionId,
        isConnected: broker().isConnected(sessionId),
        isAutoSubscribed: session.subject.isAutoSubscribed === true,
        acceptsCustomRrpc: session.subject.acceptsCustomRrpc === true,
      };
    },

    publish(gateway, dialect, topic) {
      const session = sessionFor(gateway, dialect, topic);
      if (session === undefined) return undefined;
      if (!("missing" in session)) return session.rights.publish(topic);
      // Asked once for each topic and login, because the engine remembers the answer.
      tellMissing(gateway, session.missing);
      return offline(topic);
    },

    subscribe(gateway, dialect, filter, qos) {
      const session = sessionFor(gateway, dialect, filter);
      if (session === undefined) return undefined;
      return "missing" in session ? offline(filter) : session.rights.subscribe(filter, qos);
    },

    /** Rights are asked again at every login and logout, too: only a SUBSCRIBE is the gateway's own doing. */
    subscribeRefused({ subject, filter, refusal }) {
      if (refusal.code !== "access.sub_device_offline" || !isDeviceSubject(subject)) return;
      const names = ports.dialects.find(({ name }) => name === subject.dialect)?.deviceOf(filter);
      if (names !== undefined) tellMissing(subject, names);
    },

    onChange: (listener) => void listeners.push(listener),

    connected({ sessionId, subject, facts }) {
      if (!isDeviceSubject(subject)) return;
      // What an older connection of this gateway had logged in is gone with it.
      endAll(sessionId);
      if (subject.isGateway === true) addresses.set(sessionId, facts.remoteAddress);
      end(subject, "another_login");
    },

    disconnected({ sessionId }) {
      if (broker().isConnected(sessionId)) return;
      endAll(sessionId);
      addresses.delete(sessionId);
    },
  };
}
