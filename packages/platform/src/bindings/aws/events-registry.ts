/** Events of the registry: each kind only while the account has switched it on (AWS reference, 10.3). */
import {
  type AwsEvent,
  type AwsRegistryEventHead,
  awsGroupHierarchyEvent,
  awsGroupMembershipEvent,
  awsThingEvent,
  awsThingGroupEvent,
  awsThingTypeEvent,
  awsTypeAssociationEvent,
} from "@thingstead/dialects";
import type { EventSwitchName, FleetChange } from "../../fleet/index.ts";

interface Row<Change> {
  readonly switch: EventSwitchName;
  readonly event: (head: AwsRegistryEventHead, change: Change) => AwsEvent;
}

type Rows = { readonly [Kind in FleetChange["kind"]]: Row<Extract<FleetChange, { kind: Kind }>> | undefined };

const rows: Rows = {
  "thing.created": { switch: "THING", event: (head, { thing }) => awsThingEvent(head, "CREATED", thing) },
  "thing.updated": { switch: "THING", event: (head, { thing }) => awsThingEvent(head, "UPDATED", thing) },
  "thing.deleted": { switch: "THING", event: (head, { thing }) => awsThingEvent(head, "DELETED", thing) },
  "type.created": { switch: "THING_TYPE", event: (head, { type }) => awsThingTypeEvent(head, "CREATED", type) },
  "type.updated": { switch: "THING_TYPE", event: (head, { type }) => awsThingTypeEvent(head, "UPDATED", type) },
  "type.deleted": { switch: "THING_TYPE", event: (head, { type }) => awsThingTypeEvent(head, "DELETED", type) },
  "thing.type_added": { switch: "THING_TYPE_ASSOCIATION", event: (head, change) => awsTypeAssociationEvent(head, "ADDED", change) },
  "thing.type_removed": { switch: "THING_TYPE_ASSOCIATION", event: (head, change) => awsTypeAssociationEvent(head, "REMOVED", change) },
  "group.created": { switch: "THING_GROUP", event: (head, { group }) => awsThingGroupEvent(head, "CREATED", group) },
  "group.updated": { switch: "THING_GROUP", event: (head, { group }) => awsThingGroupEvent(head, "UPDATED", group) },
  "group.deleted": { switch: "THING_GROUP", event: (head, { group }) => awsThingGroupEvent(head, "DELETED", group) },
  "group.thing_added": { switch: "THING_GROUP_MEMBERSHIP", event: (head, change) => awsGroupMembershipEvent(head, "ADDED", change) },
  "group.thing_removed": { switch: "THING_GROUP_MEMBERSHIP", event: (head, change) => awsGroupMembershipEvent(head, "REMOVED", change) },
  "group.child_added": { switch: "THING_GROUP_HIERARCHY", event: (head, change) => awsGroupHierarchyEvent(head, "ADDED", change) },
  "group.child_removed": { switch: "THING_GROUP_HIERARCHY", event: (head, change) => awsGroupHierarchyEvent(head, "REMOVED", change) },
  // The vendor describes switches for certificates and policies, but no such events.
  "certificate.status": undefined,
  "certificate.registered": undefined,
  permissions: undefined,
};

export interface RegistryEventPorts {
  publish(event: AwsEvent): void;
  isOn(name: EventSwitchName): boolean;
  /** Account, a new id and the time. */
  newHead(): AwsRegistryEventHead;
}

/** For `fleet.onChange`. */
export function createRegistryEvents({ publish, isOn, newHead }: RegistryEventPorts): (change: FleetChange) => void {
  return (change) => {
    // A row takes the changes of its own kind: the table's type says so, and is lost where it is indexed by all kinds.
    const row = rows[change.kind] as Row<FleetChange> | undefined;
    if (row !== undefined && isOn(row.switch)) publish(row.event(newHead(), change));
  };
}
