/** The vendor's numbers where it has any; each can be set. */
export interface FleetLimits {
  /** Of things, types and groups. */
  nameCharactersMax: number;
  policyNameCharactersMax: number;
  descriptionCharactersMax: number;
  attributesWithTypeMax: number;
  attributesWithoutTypeMax: number;
  groupAttributesMax: number;
  attributeKeyCharactersMax: number;
  attributeValueCharactersMax: number;
  searchableAttributesMax: number;
  propagatingAttributesMax: number;
  /** How long a type must have been deprecated before it may be deleted. */
  typeDeletionSeconds: number;
  groupsPerThingMax: number;
  groupLevelsMax: number;
  groupChildrenMax: number;
  certificatePemBytesMax: number;
  /** Certificates made at the same time; keys take about 50 ms of a core each. */
  certificatesIssuedAtOnceMax: number;
  /** Callers that wait for theirs; more are told to come again. */
  certificatesWaitingMax: number;
  /** Registered CAs with one subject. */
  authoritiesPerSubjectMax: number;
  /** Text of a template for certificates that register themselves. */
  registrationTemplateCharactersMax: number;
  policyVersionsMax: number;
  /** Without white space. */
  policyDocumentCharactersMax: number;
  policiesPerPrincipalMax: number;
  recordsPerFamilyMax: number;
  recordBytesMax: number;
  tagsPerResourceMax: number;
  tagKeyCharactersMax: number;
  tagValueCharactersMax: number;
  /** Also the size when none is asked for. */
  pageSizeMax: number;
  thingsCachedMax: number;
  certificatesCachedMax: number;
  /** Principals whose policies are kept in memory for the next connect. */
  principalsCachedMax: number;
  /** Different sets of policies kept in memory; principals with the same policies share one. */
  policySetsCachedMax: number;
  /** Things of one principal kept with it; a principal of more is asked thing by thing. */
  thingsPerPrincipalCachedMax: number;
  /** Subjects of CAs kept in memory. */
  authoritiesCachedMax: number;
}

export const defaultFleetLimits: FleetLimits = {
  nameCharactersMax: 128,
  policyNameCharactersMax: 128,
  descriptionCharactersMax: 2_028,
  attributesWithTypeMax: 50,
  attributesWithoutTypeMax: 3,
  groupAttributesMax: 50,
  attributeKeyCharactersMax: 128,
  attributeValueCharactersMax: 800,
  searchableAttributesMax: 3,
  propagatingAttributesMax: 15,
  typeDeletionSeconds: 300,
  groupsPerThingMax: 10,
  groupLevelsMax: 7,
  groupChildrenMax: 100,
  certificatePemBytesMax: 65_536,
  certificatesIssuedAtOnceMax: 2,
  certificatesWaitingMax: 1_000,
  authoritiesPerSubjectMax: 10,
  registrationTemplateCharactersMax: 10_240,
  policyVersionsMax: 5,
  policyDocumentCharactersMax: 2_048,
  policiesPerPrincipalMax: 10,
  recordsPerFamilyMax: 10_000,
  recordBytesMax: 262_144,
  tagsPerResourceMax: 50,
  tagKeyCharactersMax: 128,
  tagValueCharactersMax: 256,
  pageSizeMax: 250,
  thingsCachedMax: 50_000,
  certificatesCachedMax: 50_000,
  principalsCachedMax: 50_000,
  policySetsCachedMax: 10_000,
  thingsPerPrincipalCachedMax: 100,
  authoritiesCachedMax: 1_000,
};
