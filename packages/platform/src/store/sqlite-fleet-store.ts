import type { Kysely } from "kysely";
import type { FleetStore } from "../fleet/index.ts";
import type { Schema } from "./schema.ts";
import { createSqliteFleetAuthorityStore, createSqliteFleetCertificateStore } from "./sqlite-fleet-certificate-store.ts";
import { createSqliteFleetGroupStore, createSqliteFleetTypeStore } from "./sqlite-fleet-group-store.ts";
import { createSqliteFleetPolicyStore } from "./sqlite-fleet-policy-store.ts";
import { createSqliteFleetRecordStore, createSqliteResourceTagStore } from "./sqlite-fleet-record-store.ts";
import { createSqliteFleetThingStore } from "./sqlite-fleet-thing-store.ts";

/** All of the fleet's stores. */
export function createSqliteFleetStore(db: Kysely<Schema>): FleetStore {
  return {
    things: createSqliteFleetThingStore(db),
    types: createSqliteFleetTypeStore(db),
    groups: createSqliteFleetGroupStore(db),
    certificates: createSqliteFleetCertificateStore(db),
    authorities: createSqliteFleetAuthorityStore(db),
    policies: createSqliteFleetPolicyStore(db),
    records: createSqliteFleetRecordStore(db),
    resourceTags: createSqliteResourceTagStore(db),
  };
}
