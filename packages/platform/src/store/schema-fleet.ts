/** The fleet's tables as kysely sees them; attributes, lists and registrations are JSON. */
import type { CertificateAuthority, CertificateStatus, PolicyTarget, PrincipalType, ThingPrincipal } from "../fleet/index.ts";

export interface FleetTypeTable {
  name: string;
  id: string;
  description: string;
  searchable_attributes: string;
  propagating_attributes: string;
  deprecated_at: number | null;
  created_at: number;
}

interface FleetThingTable {
  device_id: number;
  thing_name: string;
  type_name: string | null;
  attributes: string;
  billing_group: string | null;
  version: number;
}

export interface FleetGroupTable {
  name: string;
  id: string;
  description: string;
  attributes: string;
  parent_name: string | null;
  version: number;
  created_at: number;
}

export interface FleetCertificateTable {
  id: string;
  status: CertificateStatus;
  pem: string;
  ca_id: string | null;
  mode: "DEFAULT" | "SNI_ONLY";
  not_before: number;
  not_after: number;
  created_at: number;
  modified_at: number;
}

export interface FleetAuthorityTable {
  id: string;
  subject: string;
  status: CertificateAuthority["status"];
  pem: string;
  is_auto_registering: 0 | 1;
  mode: "DEFAULT" | "SNI_ONLY";
  registration: string | null;
  template_name: string | null;
  not_before: number;
  not_after: number;
  created_at: number;
  modified_at: number;
}

export interface FleetSchema {
  fleet_types: FleetTypeTable;
  fleet_things: FleetThingTable;
  fleet_thing_attributes: { key: string; value: string; thing_name: string; device_id: number };
  fleet_principals: {
    kind: ThingPrincipal["kind"];
    principal: string;
    thing_name: string;
    type: PrincipalType;
    device_id: number;
  };
  fleet_groups: FleetGroupTable;
  fleet_group_things: { group_name: string; thing_name: string; device_id: number; membership_id: string };
  fleet_certificates: FleetCertificateTable;
  fleet_authorities: FleetAuthorityTable;
  fleet_policies: { name: string; default_version: number; next_version: number; created_at: number; modified_at: number };
  fleet_policy_versions: { policy_name: string; version: number; document: string; created_at: number };
  fleet_policy_targets: { policy_name: string; kind: PolicyTarget["kind"]; target: string };
  fleet_records: { family: string; name: string; value: string };
  fleet_resource_tags: { arn: string; key: string; value: string };
}
