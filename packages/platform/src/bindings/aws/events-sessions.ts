/** Presence and subscription events: always on (AWS reference, 10.1 and 10.2). */
import {
  type AwsClientFacts,
  type AwsDisconnectReason,
  type AwsEvent,
  awsConnectedEvent,
  awsConnectFailedEvent,
  awsDisconnectedEvent,
  awsSubscriptionEvent,
  hasAwsClientEvents,
} from "@thingstead/dialects";
import type { CloseReason } from "@thingstead/mqtt";
import { isThingClientSubject, type SessionListener, type ThingClientSubject } from "../../access/index.ts";
import type { Clock } from "../../clock.ts";
import type { AwsEventLimits } from "./events-limits.ts";
import { PresenceVersions } from "./presence-versions.ts";

export interface SessionEventsPorts {
  publish(event: AwsEvent): void;
  clock: Pick<Clock, "now" | "soon">;
  limits: AwsEventLimits;
}

export interface SessionEvents {
  readonly listener: Required<Pick<SessionListener, "connected" | "disconnected" | "subscribed" | "unsubscribed">>;
  /** Its policies refused the CONNECT, or the topic of its will. */
  connectFailed(client: ThingClientSubject): void;
}

const disconnectReasons: Readonly<Record<CloseReason, AwsDisconnectReason>> = {
  client_disconnect: "CLIENT_INITIATED_DISCONNECT",
  connection_closed: "CONNECTION_LOST",
  keep_alive_timeout: "MQTT_KEEP_ALIVE_TIMEOUT",
  taken_over: "DUPLICATE_CLIENTID",
  protocol_error: "CLIENT_ERROR",
  packet_too_large: "CLIENT_ERROR",
  connect_timeout: "CLIENT_ERROR",
  refused: "AUTH_ERROR",
  kicked: "SERVER_INITIATED_DISCONNECT",
  quota_exceeded: "THROTTLED",
  server_shutdown: "SERVER_INITIATED_DISCONNECT",
  internal_error: "SERVER_ERROR",
};

const deletedCode = "aws.connection_deleted";
const lifetimeCode = "access.connection_lifetime";
/** The gate let it in and then changed its mind. */
const accessCodes = "access.";

/** Why it was closed says more than how. */
export function disconnectReasonOf({ principal }: ThingClientSubject, reason: CloseReason, code: string | undefined): AwsDisconnectReason {
  if (reason !== "kicked" || code === undefined) return disconnectReasons[reason];
  if (code === deletedCode) return "API_INITIATED_DISCONNECT";
  if (code === lifetimeCode) return principal.kind === "authorizer" ? "CUSTOMAUTH_TTL_EXPIRATION" : "WEBSOCKET_TTL_EXPIRATION";
  return code.startsWith(accessCodes) ? "FORBIDDEN_ACCESS" : disconnectReasons.kicked;
}

function factsOf({ clientId, principal, device, connectionId }: ThingClientSubject): AwsClientFacts {
  return {
    clientId,
    ...(device?.isExclusive === true ? { thingName: device.deviceName } : {}),
    sessionIdentifier: connectionId,
    principalIdentifier: principal.id,
  };
}

/** Filters of one request, until it is handled. */
interface Filters {
  readonly eventType: "subscribed" | "unsubscribed";
  readonly client: ThingClientSubject;
  readonly timestamp: number;
  readonly topics: string[];
}

export function createSessionEvents({ publish, clock, limits }: SessionEventsPorts): SessionEvents {
  const versions = new PresenceVersions(clock, limits);
  /** Told at the end of the turn, in order: the engine is in the middle of what they are about. */
  let waiting: (AwsEvent | Filters)[] = [];

  function tellAll(): void {
    const due = waiting;
    waiting = [];
    for (const event of due) publish("topic" in event ? event : awsSubscriptionEvent(factsOf(event.client), event));
  }

  function tellLater(event: AwsEvent | Filters): void {
    waiting.push(event);
    if (waiting.length === 1) clock.soon(tellAll);
  }

  function tellFilter(eventType: Filters["eventType"], subject: unknown, filter: string): void {
    if (!isThingClientSubject(subject) || !hasAwsClientEvents(subject.clientId)) return;
    const last = waiting.at(-1);
    const isSameRequest = last !== undefined && "topics" in last && last.client === subject && last.eventType === eventType;
    if (isSameRequest) last.topics.push(filter);
    else tellLater({ eventType, client: subject, timestamp: clock.now(), topics: [filter] });
  }

  return {
    listener: {
      connected({ subject, facts }) {
        if (!isThingClientSubject(subject) || !hasAwsClientEvents(subject.clientId)) return;
        const versionNumber = versions.connected(subject.clientId, subject.connectionId);
        tellLater(awsConnectedEvent(factsOf(subject), { timestamp: clock.now(), ipAddress: facts.remoteAddress, versionNumber }));
      },
      disconnected({ subject, reason, refusal }) {
        if (!isThingClientSubject(subject) || !hasAwsClientEvents(subject.clientId)) return;
        const versionNumber = versions.disconnected(subject.clientId, subject.connectionId);
        const disconnectReason = disconnectReasonOf(subject, reason, refusal?.code);
        tellLater(awsDisconnectedEvent(factsOf(subject), { timestamp: clock.now(), disconnectReason, versionNumber }));
      },
      subscribed: ({ subject, filter }) => tellFilter("subscribed", subject, filter),
      unsubscribed: ({ subject, filter }) => tellFilter("unsubscribed", subject, filter),
    },
    connectFailed(client) {
      if (!hasAwsClientEvents(client.clientId)) return;
      tellLater(awsConnectFailedEvent(factsOf(client), { timestamp: clock.now(), ipAddress: client.remoteAddress }));
    },
  };
}
