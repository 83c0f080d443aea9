/** What the fleet asks of the store and of whoever issues certificates. Checks of what is allowed are the fleet's, one change at a time. */
import type {
  Attributes,
  CertificateAuthority,
  CertificateStatus,
  FleetCertificate,
  Policy,
  PolicyTarget,
  PolicyVersion,
  PrincipalType,
  Thing,
  ThingGroup,
  ThingPrincipal,
  ThingType,
} from "./fleet.ts";

/** At most `size` rows after the place where the list stopped. */
export interface Slice<Place> {
  size: number;
  after?: Place;
}

/** Rows in the order of a time and a key. */
export interface TimeSlice extends Slice<{ time: number; id: string }> {
  isAscending: boolean;
}

export type ThingContent = Pick<Thing, "attributes" | "version"> & Partial<Pick<Thing, "typeName" | "billingGroupName">>;

/** `hasContent`: somebody gave it attributes, a type or a version, though it may be an empty one. */
export type ThingRow = Thing & { hasContent: boolean };

export interface ThingFilter {
  typeName?: string;
  attribute?: { name: string; value?: string; isPrefix?: boolean };
}

/** With `value` when the list is ordered by an attribute's value first. */
export interface ThingPlace {
  name: string;
  value?: string;
}

interface ThingAttachment {
  principal: ThingPrincipal;
  type: PrincipalType;
}

/** A thing is a device of the product `thingProductKey`; what it has here goes with the device. */
export interface FleetThingStore {
  find(name: string): Promise<ThingRow | undefined>;
  /** All of its content; false when the thing is gone. */
  write(name: string, content: ThingContent): Promise<boolean>;
  list(filter: ThingFilter, slice: Slice<ThingPlace>): Promise<Thing[]>;
  /** False when the thing is gone. The same again changes the kind of attachment. */
  attach(name: string, attachment: ThingAttachment): Promise<boolean>;
  /** False when it was not attached. */
  detach(name: string, principal: ThingPrincipal): Promise<boolean>;
  principals(name: string, slice: Slice<ThingPrincipal>, type?: PrincipalType): Promise<ThingAttachment[]>;
  ofPrincipal(principal: ThingPrincipal, slice: Slice<string>, type?: PrincipalType): Promise<{ name: string; type: PrincipalType }[]>;
  attachment(name: string, principal: ThingPrincipal): Promise<PrincipalType | undefined>;
}

/** `insert` is false when the name is taken. */
export interface FleetTypeStore {
  insert(type: ThingType): Promise<boolean>;
  find(name: string): Promise<ThingType | undefined>;
  update(type: ThingType): Promise<void>;
  /** `in_use` when there are things of it. */
  remove(name: string): Promise<"ok" | "in_use">;
  list(slice: Slice<string>, name?: string): Promise<ThingType[]>;
}

/** What is stored of a group: its ancestors follow from the parents. */
export type GroupRow = Omit<ThingGroup, "ancestors">;

export interface GroupName {
  name: string;
  id: string;
}

export interface FleetGroupStore {
  insert(group: GroupRow): Promise<boolean>;
  find(name: string): Promise<ThingGroup | undefined>;
  update(group: GroupRow): Promise<void>;
  /** Memberships and attached policies go with it. */
  remove(name: string): Promise<"ok" | "has_children">;
  countChildren(name: string): Promise<number>;
  list(filter: { parentName?: string; namePrefix?: string; isRecursive: boolean }, slice: Slice<string>): Promise<GroupName[]>;
  /** False when it was a member before, or either is gone. */
  addThing(groupName: string, thingName: string, membershipId: string): Promise<boolean>;
  /** The membership's id; undefined when it was no member. */
  removeThing(groupName: string, thingName: string): Promise<string | undefined>;
  ofThing(thingName: string, slice: Slice<string>): Promise<GroupName[]>;
  things(groupName: string, slice: Slice<string>, isRecursive: boolean): Promise<string[]>;
}

export interface FleetCertificateStore {
  insert(certificate: FleetCertificate): Promise<boolean>;
  find(id: string): Promise<FleetCertificate | undefined>;
  setStatus(id: string, status: CertificateStatus, modifiedAt: number): Promise<void>;
  isAttached(id: string): Promise<boolean>;
  /** Its attachments to things and policies go with it. */
  remove(id: string): Promise<void>;
  list(slice: TimeSlice, filter: { caId?: string }): Promise<FleetCertificate[]>;
}

/** `subject` is what CAs are counted and found by. */
export type AuthorityRow = CertificateAuthority & { subject: string };

export interface FleetAuthorityStore {
  insert(authority: AuthorityRow): Promise<boolean>;
  find(id: string): Promise<CertificateAuthority | undefined>;
  withSubject(subject: string): Promise<CertificateAuthority[]>;
  update(authority: CertificateAuthority): Promise<void>;
  remove(id: string): Promise<void>;
  list(slice: TimeSlice, filter: { templateName?: string }): Promise<CertificateAuthority[]>;
}

export interface FleetPolicyStore {
  /** With version 1 as the default one. */
  insert(policy: Policy): Promise<boolean>;
  find(name: string): Promise<Policy | undefined>;
  /** Its versions go with it. */
  remove(name: string): Promise<void>;
  list(slice: TimeSlice): Promise<Policy[]>;
  /** Under a number that was never used. */
  insertVersion(name: string, version: { document: string; isDefault: boolean; createdAt: number }): Promise<PolicyVersion>;
  versions(name: string): Promise<PolicyVersion[]>;
  setDefaultVersion(name: string, versionId: string, modifiedAt: number): Promise<void>;
  removeVersion(name: string, versionId: string): Promise<void>;
  /** False when it was attached before. */
  attach(name: string, target: PolicyTarget): Promise<boolean>;
  /** False when it was not attached. */
  detach(name: string, target: PolicyTarget): Promise<boolean>;
  /** `isRecursive`: those of the group's ancestors too. */
  ofTarget(target: PolicyTarget, slice: Slice<string>, isRecursive: boolean): Promise<Policy[]>;
  targets(name: string, slice: Slice<{ kind: PolicyTarget["kind"]; id: string }>): Promise<PolicyTarget[]>;
  /** Of the certificate and of all groups, and their ancestors, of its things; by name. */
  ofCertificate(certificateId: string): Promise<Policy[]>;
}

export interface FleetRecordStore {
  put(family: string, name: string, value: string): Promise<void>;
  insert(family: string, name: string, value: string): Promise<boolean>;
  find(family: string, name: string): Promise<string | undefined>;
  remove(family: string, name: string): Promise<boolean>;
  count(family: string): Promise<number>;
  list(family: string, slice: Slice<string>): Promise<{ name: string; value: string }[]>;
}

export interface ResourceTagStore {
  /** Adds and replaces; nothing is stored when there would be more than `tagsMax`. */
  set(arn: string, tags: Attributes, tagsMax: number): Promise<"ok" | "too_many">;
  remove(arn: string, keys: readonly string[]): Promise<void>;
  of(arn: string): Promise<Attributes>;
}

export interface FleetStore {
  things: FleetThingStore;
  types: FleetTypeStore;
  groups: FleetGroupStore;
  certificates: FleetCertificateStore;
  authorities: FleetAuthorityStore;
  policies: FleetPolicyStore;
  records: FleetRecordStore;
  resourceTags: ResourceTagStore;
}

export interface CertificateIssuer {
  createKeysAndCertificate(): Promise<{ certificatePem: string; publicKeyPem: string; privateKeyPem: string }>;
  /** The certificate in PEM. Throws `fleet.csr_invalid`. */
  signRequest(csrPem: string): Promise<string>;
}
