export { loadSettings, type SettingSources } from "./load.ts";
export type { Settings } from "./schema.ts";
