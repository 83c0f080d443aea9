/** Shadows by the name of a thing and their own. No thing needs to be there: the names are all that binds them. */
import { type Kysely, sql } from "kysely";

const statements = [
  // The long texts come last: what is summed and counted lies before them.
  `create table named_shadows (
    thing_name text not null,
    shadow_name text not null,
    version integer not null,
    bytes integer not null,
    modified_at integer not null,
    deleted_at integer,
    state text not null,
    metadata text not null
  ) strict`,
  "create unique index named_shadows_by_name on named_shadows (thing_name, shadow_name)",
  "create index named_shadows_deleted on named_shadows (deleted_at) where deleted_at is not null",
];

export async function up(db: Kysely<never>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
