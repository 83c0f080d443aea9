/** Clients' connections over HTTP: who is there, what they subscribed, a word to one of them (aws-iot.md, 15.1). */
import type { Broker, CloudMessage } from "@thingstead/mqtt";
import { isThingClientSubject, thingClientSessionIdOf } from "../../../access/index.ts";
import type { Clock, Random } from "../../../clock.ts";
import { PlatformError } from "../../../errors/index.ts";
import { queryFlag, queryInteger, queryText, refuseMember } from "../members.ts";
import type { AwsOperation, AwsRequest } from "../operation.ts";
import { checkMessageBytes, checkTopic, type MessageOperationPorts, okAnswer, readMessageProperties } from "./data-messages.ts";
import { type AwsDataLimits, dataOperation, demand, formatPlace, readPlace } from "./data-operation.ts";

export interface ConnectionOperationPorts {
  broker: Pick<
    Broker,
    "connectionOf" | "isConnected" | "subjectOf" | "subscriptionsOf" | "kick" | "endSession" | "deliver" | "sessionIdsOf"
  >;
  /** Clients that went lately. */
  departures: { of(clientId: string): { at: number; reason: string; thingName?: string } | undefined };
  topicFault: MessageOperationPorts["topicFault"];
  clock: Pick<Clock, "now" | "after">;
  random: Random;
  limits: AwsDataLimits;
}

const clientIdBytesMax = 128;

function clientOf({ labels, principal }: AwsRequest, action: string): { clientId: string; sessionId: string } {
  const { clientId = "" } = labels;
  if (clientId === "" || clientId.startsWith("$") || Buffer.byteLength(clientId) > clientIdBytesMax) {
    refuseMember("clientId", clientId, `1 to ${clientIdBytesMax} bytes, not beginning with $`);
  }
  demand(principal, action, `client/${clientId}`);
  return { clientId, sessionId: thingClientSessionIdOf(clientId) };
}

const notFound = (clientId: string): PlatformError => new PlatformError("aws.connection_not_found", { clientId });

/** Whoever the refusal is told to: the log, and the events. */
const deleted = { code: "aws.connection_deleted", received: "DeleteConnection", expected: "a new connection" } as const;

export function createConnectionOperations(ports: ConnectionOperationPorts): AwsOperation[] {
  const { broker, departures, topicFault, clock, random, limits } = ports;
  const path = "/connections/{clientId}";

  function thingNameOf(sessionId: string): { thingName?: string } {
    const subject = broker.subjectOf(sessionId);
    return isThingClientSubject(subject) && subject.device !== undefined ? { thingName: subject.device.deviceName } : {};
  }

  /** An answer that waits for the client's PUBACK. */
  function confirmed(sessionId: string, message: CloudMessage, seconds: number): Promise<"confirmed" | "late" | "gone"> {
    const { promise, resolve } = Promise.withResolvers<"confirmed" | "late" | "gone">();
    const cancel = clock.after(seconds * 1000, () => resolve("late"));
    const outcome = broker.deliver(sessionId, message, () => resolve("confirmed"));
    if (outcome === "no_session") resolve("gone");
    return promise.finally(cancel);
  }

  return [
    dataOperation("GetConnection", { method: "GET", path }, async (request) => {
      const { clientId, sessionId } = clientOf(request, "GetConnection");
      const isSocketWanted = queryFlag(request.query, "includeSocketInformation") ?? false;
      const connection = broker.connectionOf(sessionId);
      if (connection === undefined) {
        const departure = departures.of(clientId);
        if (departure === undefined) throw notFound(clientId);
        const { at, reason, thingName } = departure;
        const named = thingName === undefined ? {} : { thingName };
        return { json: { connected: false, clientId, disconnectedSince: at, disconnectReason: reason, ...named } };
      }
      const { isCleanStart, keepAliveSeconds, connectedAt, sessionExpirySeconds, facts } = connection;
      return {
        json: {
          connected: true,
          clientId,
          ...thingNameOf(sessionId),
          cleanSession: isCleanStart,
          keepAliveDuration: keepAliveSeconds,
          connectedSince: connectedAt,
          ...(Number.isFinite(sessionExpirySeconds) ? { sessionExpiry: sessionExpirySeconds } : {}),
          ...(isSocketWanted ? { sourceIp: facts.remoteAddress, sourcePort: facts.remotePort, targetPort: facts.localPort } : {}),
        },
      };
    }),

    dataOperation("DeleteConnection", { method: "DELETE", path }, async (request) => {
      const { clientId, sessionId } = clientOf(request, "DeleteConnection");
      const isSessionEnded = queryFlag(request.query, "cleanSession") ?? false;
      const isWillSuppressed = queryFlag(request.query, "preventWillMessage") ?? false;
      const hasSession = broker.isConnected(sessionId) || (isSessionEnded && broker.sessionIdsOf(sessionId).includes(sessionId));
      if (!hasSession) throw notFound(clientId);
      if (isSessionEnded) broker.endSession(sessionId, "kicked", deleted, { isWillSuppressed });
      else broker.kick(sessionId, "kicked", deleted, { isWillSuppressed });
      return {};
    }),

    dataOperation("ListSubscriptions", { method: "GET", path: `${path}/subscriptions` }, async (request) => {
      const { clientId, sessionId } = clientOf(request, "ListSubscriptions");
      const { query } = request;
      const size = queryInteger(query, "maxResults", { min: 1, max: limits.dataPageSizeMax }) ?? limits.dataPageSizeMax;
      const after = readPlace(queryText(query, "nextToken"));
      if (!broker.isConnected(sessionId)) throw notFound(clientId);
      const all = broker.subscriptionsOf(sessionId).toSorted((a, b) => (a.filter < b.filter ? -1 : 1));
      const behind = after === undefined ? all : all.filter(({ filter }) => filter > after);
      const items = behind.slice(0, size);
      const last = behind.length > size ? items.at(-1) : undefined;
      return {
        json: {
          subscriptions: items.map(({ filter, qos }) => ({ topicFilter: filter, qos })),
          ...(last === undefined ? {} : { nextToken: formatPlace(last.filter) }),
        },
      };
    }),

    dataOperation("SendDirectMessage", { method: "POST", path: `${path}/messages` }, async (request) => {
      const { clientId, sessionId } = clientOf(request, "SendDirectMessage");
      const { query, body } = request;
      const topic = queryText(query, "topic") ?? refuseMember("topic", undefined, "a topic");
      checkTopic(topic, topicFault);
      const isConfirmed = queryFlag(query, "confirmation") ?? false;
      const seconds = queryInteger(query, "timeout", { min: 1, max: limits.confirmationSecondsMax }) ?? limits.confirmationSeconds;
      checkMessageBytes(body, limits);
      const properties = readMessageProperties(request, limits);
      if (!broker.isConnected(sessionId)) throw notFound(clientId);
      const message: CloudMessage = { topic, payload: body, qos: isConfirmed ? 1 : 0 };
      if (properties !== undefined) message.properties = properties;
      const outcome = isConfirmed
        ? await confirmed(sessionId, message, seconds)
        : broker.deliver(sessionId, message) === "no_session"
          ? "gone"
          : "sent";
      if (outcome === "gone") throw new PlatformError("aws.message_not_received", { clientId, received: topic });
      if (outcome === "late") throw new PlatformError("aws.confirmation_late", { clientId, expected: seconds });
      return { json: okAnswer(random) };
    }),
  ];
}
