/** Events of the service, as topic and payload (AWS reference, 10 and 12.3). Times in milliseconds since the epoch, except those of jobs. */
import { type AwsAccount, arnOf } from "./arn.ts";

export interface AwsEvent {
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

const root = "$aws/events";

/** Who connected, or tried to. */
export interface AwsClientFacts {
  readonly clientId: string;
  /** Only of a thing that the principal is exclusive to. */
  readonly thingName?: string;
  /** UUID of the connection. */
  readonly sessionIdentifier: string;
  /** Id of the certificate, of the access key, or what an authorizer says. */
  readonly principalIdentifier: string;
}

export type AwsDisconnectReason =
  | "AUTH_ERROR"
  | "CLIENT_INITIATED_DISCONNECT"
  | "CLIENT_ERROR"
  | "CONNECTION_LOST"
  | "DUPLICATE_CLIENTID"
  | "FORBIDDEN_ACCESS"
  | "MQTT_KEEP_ALIVE_TIMEOUT"
  | "SERVER_ERROR"
  | "SERVER_INITIATED_DISCONNECT"
  | "API_INITIATED_DISCONNECT"
  | "THROTTLED"
  | "WEBSOCKET_TTL_EXPIRATION"
  | "CUSTOMAUTH_TTL_EXPIRATION";

/** 10.1: nothing is told of a client whose id would be a filter. */
export function hasAwsClientEvents(clientId: string): boolean {
  return clientId !== "" && !clientId.includes("+") && !clientId.includes("#");
}

function named({ thingName }: AwsClientFacts): { thingName?: string } {
  return thingName === undefined ? {} : { thingName };
}

export function awsConnectedEvent(
  client: AwsClientFacts,
  { timestamp, ipAddress, versionNumber }: { timestamp: number; ipAddress: string; versionNumber: number },
): AwsEvent {
  const { clientId, sessionIdentifier, principalIdentifier } = client;
  const eventType = "connected";
  return {
    topic: `${root}/presence/${eventType}/${clientId}`,
    payload: { clientId, ...named(client), timestamp, eventType, sessionIdentifier, principalIdentifier, ipAddress, versionNumber },
  };
}

export function awsDisconnectedEvent(
  client: AwsClientFacts,
  { timestamp, disconnectReason, versionNumber }: { timestamp: number; disconnectReason: AwsDisconnectReason; versionNumber: number },
): AwsEvent {
  const { clientId, sessionIdentifier, principalIdentifier } = client;
  const eventType = "disconnected";
  const clientInitiatedDisconnect = disconnectReason === "CLIENT_INITIATED_DISCONNECT";
  return {
    topic: `${root}/presence/${eventType}/${clientId}`,
    payload: {
      clientId,
      ...named(client),
      timestamp,
      eventType,
      sessionIdentifier,
      principalIdentifier,
      clientInitiatedDisconnect,
      disconnectReason,
      versionNumber,
    },
  };
}

export function awsConnectFailedEvent(
  client: AwsClientFacts,
  { timestamp, ipAddress }: { timestamp: number; ipAddress: string },
): AwsEvent {
  const { clientId, sessionIdentifier, principalIdentifier } = client;
  const eventType = "connect_failed";
  const connectFailureReason = "AUTHORIZATION_FAILED";
  return {
    topic: `${root}/presence/${eventType}/${clientId}`,
    payload: {
      clientId,
      ...named(client),
      timestamp,
      eventType,
      connectFailureReason,
      principalIdentifier,
      sessionIdentifier,
      ipAddress,
    },
  };
}

/** 10.2: the filters of one request. */
export function awsSubscriptionEvent(
  client: AwsClientFacts,
  { eventType, timestamp, topics }: { eventType: "subscribed" | "unsubscribed"; timestamp: number; topics: readonly string[] },
): AwsEvent {
  const { clientId, sessionIdentifier, principalIdentifier } = client;
  return {
    topic: `${root}/subscriptions/${eventType}/${clientId}`,
    payload: { clientId, ...named(client), timestamp, eventType, sessionIdentifier, principalIdentifier, topics },
  };
}

/** What every event of the registry has. */
export interface AwsRegistryEventHead {
  readonly account: AwsAccount;
  /** UUID. */
  readonly eventId: string;
  readonly timestamp: number;
}

type Operation = "CREATED" | "UPDATED" | "DELETED" | "ADDED" | "REMOVED";

function registryEvent(
  { account, eventId, timestamp }: AwsRegistryEventHead,
  path: string,
  eventType: string,
  operation: Operation,
  members: Readonly<Record<string, unknown>>,
): AwsEvent {
  return {
    topic: `${root}/${path}/${operation.toLowerCase()}`,
    payload: { eventType, eventId, timestamp, operation, accountId: account.accountId, ...members },
  };
}

interface ThingFacts {
  readonly name: string;
  readonly id: string;
  readonly version: number;
  readonly typeName?: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export function awsThingEvent(
  head: AwsRegistryEventHead,
  operation: "CREATED" | "UPDATED" | "DELETED",
  { name, id, version, typeName, attributes }: ThingFacts,
): AwsEvent {
  const members = { thingId: id, thingName: name, versionNumber: version, thingTypeName: typeName ?? null, attributes };
  return registryEvent(head, `thing/${name}`, "THING_EVENT", operation, members);
}

export function awsThingTypeEvent(
  head: AwsRegistryEventHead,
  operation: "CREATED" | "UPDATED" | "DELETED",
  type: {
    readonly name: string;
    readonly id: string;
    readonly description: string;
    readonly searchableAttributes: readonly string[];
    readonly propagatingAttributes: readonly object[];
    readonly deprecatedAt?: number;
  },
): AwsEvent {
  const { name, id, description, searchableAttributes, propagatingAttributes, deprecatedAt } = type;
  return registryEvent(head, `thingType/${name}`, "THING_TYPE_EVENT", operation, {
    thingTypeId: id,
    thingTypeName: name,
    isDeprecated: deprecatedAt !== undefined,
    deprecationDate: deprecatedAt ?? null,
    searchableAttributes,
    propagatingAttributes,
    description,
  });
}

export function awsTypeAssociationEvent(
  head: AwsRegistryEventHead,
  operation: "ADDED" | "REMOVED",
  { thing, typeName }: { readonly thing: Pick<ThingFacts, "name" | "id">; readonly typeName: string },
): AwsEvent {
  // Of the guide's two spellings the longer one.
  const path = `thingTypeAssociation/thing/${thing.name}/thingType/${typeName}`;
  const members = { thingId: thing.id, thingName: thing.name, thingTypeName: typeName };
  return registryEvent(head, path, "THING_TYPE_ASSOCIATION_EVENT", operation, members);
}

interface GroupFacts {
  readonly name: string;
  readonly id: string;
}

export function awsThingGroupEvent(
  head: AwsRegistryEventHead,
  operation: "CREATED" | "UPDATED" | "DELETED",
  group: GroupFacts & {
    readonly version: number;
    readonly description: string;
    readonly attributes: Readonly<Record<string, string>>;
    /** From the root to the parent. */
    readonly ancestors: readonly GroupFacts[];
  },
): AwsEvent {
  const { name, id, version, description, attributes, ancestors } = group;
  const parent = ancestors.at(-1);
  return registryEvent(head, `thingGroup/${name}`, "THING_GROUP_EVENT", operation, {
    thingGroupId: id,
    thingGroupName: name,
    versionNumber: version,
    parentGroupName: parent?.name ?? null,
    parentGroupId: parent?.id ?? null,
    description,
    rootToParentThingGroups: ancestors.map((ancestor) => ({ groupArn: groupArnOf(head, ancestor), groupId: ancestor.id })),
    attributes,
    dynamicGroupMappingId: null,
  });
}

function groupArnOf({ account }: AwsRegistryEventHead, { name }: GroupFacts): string {
  return arnOf(account, `thinggroup/${name}`);
}

export function awsGroupMembershipEvent(
  head: AwsRegistryEventHead,
  operation: "ADDED" | "REMOVED",
  {
    group,
    thing,
    membershipId,
  }: { readonly group: GroupFacts; readonly thing: Pick<ThingFacts, "name" | "id">; readonly membershipId: string },
): AwsEvent {
  const path = `thingGroupMembership/thingGroup/${group.name}/thing/${thing.name}`;
  return registryEvent(head, path, "THING_GROUP_MEMBERSHIP_EVENT", operation, {
    groupArn: groupArnOf(head, group),
    groupId: group.id,
    thingArn: arnOf(head.account, `thing/${thing.name}`),
    thingId: thing.id,
    membershipId,
  });
}

export function awsGroupHierarchyEvent(
  head: AwsRegistryEventHead,
  operation: "ADDED" | "REMOVED",
  { parent, child }: { readonly parent: GroupFacts; readonly child: GroupFacts },
): AwsEvent {
  const path = `thingGroupHierarchy/thingGroup/${parent.name}/childThingGroup/${child.name}`;
  const members = { thingGroupId: parent.id, thingGroupName: parent.name, childGroupId: child.id, childGroupName: child.name };
  return registryEvent(head, path, "THING_GROUP_HIERARCHY_EVENT", operation, members);
}

/** 12.3: the event's own time is in seconds, the job's are in milliseconds. */
export function awsJobEvent(
  { eventId, timestamp }: Pick<AwsRegistryEventHead, "eventId" | "timestamp">,
  { operation, jobId, ...members }: { readonly operation: string; readonly jobId: string } & Readonly<Record<string, unknown>>,
): AwsEvent {
  return {
    topic: `${root}/job/${jobId}/${operation}`,
    payload: { eventType: "JOB", eventId, timestamp: Math.floor(timestamp / 1000), operation, jobId, ...members },
  };
}

export function awsJobExecutionEvent(
  { account, eventId, timestamp }: AwsRegistryEventHead,
  execution: {
    readonly operation: string;
    readonly jobId: string;
    readonly thingName: string;
    readonly status: string;
    readonly statusDetails?: Readonly<Record<string, string>>;
  },
): AwsEvent {
  const { operation, jobId, thingName, status, statusDetails } = execution;
  return {
    topic: `${root}/jobExecution/${jobId}/${operation}`,
    payload: {
      eventType: "JOB_EXECUTION",
      eventId,
      timestamp: Math.floor(timestamp / 1000),
      operation,
      jobId,
      thingArn: arnOf(account, `thing/${thingName}`),
      status,
      ...(statusDetails === undefined ? {} : { statusDetails }),
    },
  };
}
