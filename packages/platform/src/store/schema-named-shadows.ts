/** The table of named shadows as kysely sees it. */
export interface NamedShadowSchema {
  named_shadows: {
    thing_name: string;
    /** Empty: the one without a name. */
    shadow_name: string;
    version: number;
    /** What it counts for against the limit. */
    bytes: number;
    modified_at: number;
    deleted_at: number | null;
    /** JSON, here and below. */
    state: string;
    metadata: string;
  };
}
