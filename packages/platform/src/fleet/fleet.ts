/**
 * Things with certificates and policies: what a fleet of the certificate kind needs beyond products and devices (docs/adr/0008-aws.md).
 * Every thing is a device of the registry; this room adds attributes, types, groups, credentials and permissions.
 * Lists page by an opaque cursor: `nextToken` of the answer before; absent at the end.
 */

export interface CursorPage {
  /** At most `fleet.pageSizeMax`. */
  maxResults?: number;
  /** Throws `fleet.invalid_token` when it is none of ours. */
  nextToken?: string;
}

export interface CursorPaged<T> {
  items: T[];
  nextToken?: string;
}

export type Attributes = Readonly<Record<string, string>>;

/** `merge`: given keys are set, an empty value removes one; otherwise all are replaced. */
export interface AttributeChange {
  attributes?: Attributes;
  merge?: boolean;
}

export interface Thing {
  name: string;
  /** UUID; the device's iotId. */
  id: string;
  typeName?: string;
  attributes: Attributes;
  billingGroupName?: string;
  /** From 1, grows with every change. */
  version: number;
  /** Milliseconds since the epoch, here and below. */
  createdAt: number;
}

export interface ThingType {
  name: string;
  id: string;
  description: string;
  searchableAttributes: readonly string[];
  /** `mqtt5Configuration.propagatingAttributes` as given. */
  propagatingAttributes: readonly PropagatingAttribute[];
  deprecatedAt?: number;
  createdAt: number;
}

export interface PropagatingAttribute {
  userPropertyKey: string;
  thingAttribute?: string;
  connectionAttribute?: string;
}

export interface ThingGroup {
  name: string;
  id: string;
  description: string;
  attributes: Attributes;
  parentName?: string;
  /** From the root to the parent. */
  ancestors: readonly { name: string; id: string }[];
  version: number;
  createdAt: number;
}

export type CertificateStatus = "ACTIVE" | "INACTIVE" | "REVOKED" | "PENDING_ACTIVATION";

export interface FleetCertificate {
  /** SHA-256 of the DER, lower-case hexadecimal. */
  id: string;
  status: CertificateStatus;
  /** PEM. */
  pem: string;
  /** The registered CA that signed it; absent when the platform's CA or nobody we know did. */
  caId?: string;
  mode: "DEFAULT" | "SNI_ONLY";
  notBefore: number;
  notAfter: number;
  createdAt: number;
  modifiedAt: number;
}

export interface CertificateAuthority {
  /** SHA-256 of the DER, lower-case hexadecimal. */
  id: string;
  status: "ACTIVE" | "INACTIVE";
  pem: string;
  isAutoRegistering: boolean;
  mode: "DEFAULT" | "SNI_ONLY";
  /** Just-in-time provisioning: the template's text, or the name of a template. */
  registration?: { templateBody?: string; templateName?: string; roleArn?: string };
  notBefore: number;
  notAfter: number;
  createdAt: number;
  modifiedAt: number;
}

export interface Policy {
  name: string;
  document: string;
  defaultVersionId: string;
  createdAt: number;
  modifiedAt: number;
}

export interface PolicyVersion {
  policyName: string;
  versionId: string;
  document: string;
  isDefault: boolean;
  createdAt: number;
}

/** Where a policy may be attached. */
export type PolicyTarget = { kind: "certificate"; id: string } | { kind: "group"; name: string } | { kind: "identity"; id: string };

/** The principal of a thing: a certificate (by id) or another identity (text as given). */
export type ThingPrincipal = { kind: "certificate"; id: string } | { kind: "identity"; id: string };

export type PrincipalType = "EXCLUSIVE_THING" | "NON_EXCLUSIVE_THING";

/** What a connection of a certificate is judged by, all of one moment. */
export interface PrincipalFacts {
  /** Default versions of the policies of the certificate and of every group (and its ancestors) of `groupThings`. */
  policies: readonly { name: string; versionId: string; document: string }[];
  /** The thing meant by the client id (attached or not: `isAttached`), or the one the principal is exclusive to. */
  thing?: Thing & { isAttached: boolean; isExclusive: boolean };
}

export type FleetChange =
  | { kind: "thing.created" | "thing.updated" | "thing.deleted"; thing: Thing }
  | { kind: "type.created" | "type.updated" | "type.deleted"; type: ThingType }
  | { kind: "thing.type_added" | "thing.type_removed"; thing: Thing; typeName: string }
  | { kind: "group.created" | "group.updated" | "group.deleted"; group: ThingGroup }
  | { kind: "group.thing_added" | "group.thing_removed"; group: ThingGroup; thing: Thing; membershipId: string }
  | { kind: "group.child_added" | "group.child_removed"; parent: ThingGroup; child: ThingGroup }
  | { kind: "certificate.status"; certificateId: string; status: CertificateStatus | "DELETED" }
  | { kind: "certificate.registered"; certificate: FleetCertificate }
  /** What a principal may do changed (policy, version, attachment, group); absent id: anybody's. */
  | { kind: "permissions"; certificateId?: string };

/** Throws `fleet.thing_not_found`, `fleet.type_not_found`, `fleet.invalid_name`, `fleet.invalid_attributes`, `fleet.version_conflict`, … */
export interface Things {
  /** The same again answers the same; with other content `fleet.thing_exists`. */
  create(thing: { name: string; typeName?: string; attributes?: Attributes; billingGroupName?: string }): Promise<Thing>;
  find(name: string): Promise<Thing | undefined>;
  get(name: string): Promise<Thing>;
  update(
    name: string,
    change: { attributes?: AttributeChange; typeName?: string; removesType?: boolean; expectedVersion?: number },
  ): Promise<Thing>;
  /** Refused with `fleet.thing_has_principals` while any is attached. */
  delete(name: string, expectedVersion?: number): Promise<void>;
  list(
    page: CursorPage,
    filter?: { attributeName?: string; attributeValue?: string; isValuePrefix?: boolean; typeName?: string },
  ): Promise<CursorPaged<Thing>>;
  attachPrincipal(name: string, principal: ThingPrincipal, type?: PrincipalType): Promise<void>;
  detachPrincipal(name: string, principal: ThingPrincipal): Promise<void>;
  principals(
    name: string,
    page: CursorPage,
    type?: PrincipalType,
  ): Promise<CursorPaged<{ principal: ThingPrincipal; type: PrincipalType }>>;
  ofPrincipal(
    principal: ThingPrincipal,
    page: CursorPage,
    type?: PrincipalType,
  ): Promise<CursorPaged<{ name: string; type: PrincipalType }>>;
}

export interface ThingTypes {
  create(
    type: Pick<ThingType, "name"> & Partial<Pick<ThingType, "description" | "searchableAttributes" | "propagatingAttributes">>,
  ): Promise<ThingType>;
  get(name: string): Promise<ThingType>;
  update(
    name: string,
    change: Partial<Pick<ThingType, "description" | "searchableAttributes" | "propagatingAttributes">>,
  ): Promise<ThingType>;
  setDeprecated(name: string, isDeprecated: boolean): Promise<ThingType>;
  /** `fleet.type_not_deprecated` unless it has been deprecated for `fleet.typeDeletionSeconds`. */
  delete(name: string): Promise<void>;
  list(page: CursorPage, filter?: { name?: string }): Promise<CursorPaged<ThingType>>;
}

export interface ThingGroups {
  create(group: { name: string; parentName?: string; description?: string; attributes?: Attributes }): Promise<ThingGroup>;
  get(name: string): Promise<ThingGroup>;
  update(name: string, change: { description?: string; attributes?: AttributeChange; expectedVersion?: number }): Promise<ThingGroup>;
  /** Refused while it has children. */
  delete(name: string, expectedVersion?: number): Promise<void>;
  list(
    page: CursorPage,
    filter?: { parentName?: string; namePrefix?: string; isRecursive?: boolean },
  ): Promise<CursorPaged<{ name: string; id: string }>>;
  addThing(groupName: string, thingName: string): Promise<void>;
  removeThing(groupName: string, thingName: string): Promise<void>;
  ofThing(thingName: string, page: CursorPage): Promise<CursorPaged<{ name: string; id: string }>>;
  things(groupName: string, page: CursorPage, isRecursive?: boolean): Promise<CursorPaged<string>>;
}

export interface Certificates {
  /** RSA-2048; the private key is told once and kept nowhere. True: ACTIVE, false: INACTIVE. */
  createWithKeys(
    status: boolean | CertificateStatus,
  ): Promise<{ certificate: FleetCertificate; publicKeyPem: string; privateKeyPem: string }>;
  /** `fleet.csr_invalid`. */
  createFromRequest(csrPem: string, status: CertificateStatus): Promise<FleetCertificate>;
  /** `isCaRequired`: signed by a registered CA (`fleet.certificate_untrusted`), otherwise any issuer. `fleet.certificate_exists`. */
  register(pem: string, options: { status: CertificateStatus; isCaRequired: boolean; caPem?: string }): Promise<FleetCertificate>;
  /** Fast path of every connect: answered from a bounded cache when possible. */
  find(id: string): Promise<FleetCertificate | undefined>;
  /** The certificate when it is in memory; says nothing about one that is not. */
  peek(id: string): FleetCertificate | undefined;
  get(id: string): Promise<FleetCertificate>;
  /** `PENDING_ACTIVATION` cannot be set: `fleet.certificate_status`. */
  setStatus(id: string, status: CertificateStatus): Promise<FleetCertificate>;
  /** `fleet.certificate_active`, `fleet.certificate_attached` (unless forced). */
  delete(id: string, isForced: boolean): Promise<void>;
  list(page: CursorPage & { isAscending?: boolean }, filter?: { caId?: string }): Promise<CursorPaged<FleetCertificate>>;
}

export interface CertificateAuthorities {
  registrationCode(): Promise<string>;
  deleteRegistrationCode(): Promise<void>;
  /** DEFAULT mode needs a verification certificate: signed by the CA, common name = registration code (`fleet.registration_code_invalid`). */
  register(
    pem: string,
    options: {
      verificationPem?: string;
      mode: "DEFAULT" | "SNI_ONLY";
      isActive: boolean;
      isAutoRegistering: boolean;
      registration?: CertificateAuthority["registration"];
    },
  ): Promise<CertificateAuthority>;
  get(id: string): Promise<CertificateAuthority>;
  /** The ACTIVE or INACTIVE registered CA that issued this leaf (DER): names match and the signature verifies. */
  issuerOf(leafDer: Uint8Array): Promise<CertificateAuthority | undefined>;
  update(
    id: string,
    change: {
      status?: CertificateAuthority["status"];
      isAutoRegistering?: boolean;
      registration?: CertificateAuthority["registration"] | null;
    },
  ): Promise<CertificateAuthority>;
  /** `fleet.ca_active` while ACTIVE. */
  delete(id: string): Promise<void>;
  list(page: CursorPage & { isAscending?: boolean }, filter?: { templateName?: string }): Promise<CursorPaged<CertificateAuthority>>;
}

export interface Policies {
  /** `fleet.policy_malformed` with what is wrong; the same again answers the same, other content `fleet.policy_exists`. */
  create(name: string, document: string): Promise<Policy>;
  get(name: string): Promise<Policy>;
  /** `fleet.policy_attached`, `fleet.policy_has_versions`. */
  delete(name: string): Promise<void>;
  list(page: CursorPage & { isAscending?: boolean }): Promise<CursorPaged<Policy>>;
  /** A sixth: `fleet.policy_versions_exceeded`. */
  createVersion(name: string, document: string, isDefault: boolean): Promise<PolicyVersion>;
  getVersion(name: string, versionId: string): Promise<PolicyVersion>;
  setDefaultVersion(name: string, versionId: string): Promise<void>;
  /** The default one: `fleet.policy_version_default`. */
  deleteVersion(name: string, versionId: string): Promise<void>;
  versions(name: string): Promise<PolicyVersion[]>;
  attach(name: string, target: PolicyTarget): Promise<void>;
  detach(name: string, target: PolicyTarget): Promise<void>;
  /** `isRecursive`: a group's ancestors too. */
  ofTarget(target: PolicyTarget, page: CursorPage, isRecursive?: boolean): Promise<CursorPaged<Policy>>;
  targets(name: string, page: CursorPage): Promise<CursorPaged<PolicyTarget>>;
}

/** Kept as given: what the vendor's API stores and answers, under a name of its family (authorizers, role aliases, templates, …). */
export interface FleetRecords {
  put(family: string, name: string, value: object): Promise<void>;
  /** False when the name is taken. */
  insert(family: string, name: string, value: object): Promise<boolean>;
  find(family: string, name: string): Promise<unknown>;
  remove(family: string, name: string): Promise<boolean>;
  list(family: string, page: CursorPage): Promise<CursorPaged<{ name: string; value: unknown }>>;
}

export interface Fleet {
  /** The product whose devices are the things. */
  readonly productKey: string;
  readonly things: Things;
  readonly types: ThingTypes;
  readonly groups: ThingGroups;
  readonly certificates: Certificates;
  readonly authorities: CertificateAuthorities;
  readonly policies: Policies;
  readonly records: FleetRecords;
  /** Tags of anything that has an ARN. */
  readonly resourceTags: {
    set(arn: string, tags: Attributes): Promise<void>;
    remove(arn: string, keys: readonly string[]): Promise<void>;
    of(arn: string): Promise<Attributes>;
  };
  /** For a connect: `clientId` names the thing unless the principal is exclusive to one. From memory when possible. */
  factsOf(certificateId: string, clientId: string | undefined): Promise<PrincipalFacts>;
  /** Called after a change is stored. */
  onChange(listener: (change: FleetChange) => void): void;
  start(): Promise<void>;
  close(): Promise<void>;
}
