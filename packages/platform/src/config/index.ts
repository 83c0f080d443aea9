export { roomLimits } from "./limits.ts";
export { environmentName, loadSettings, type SettingSources, settingPaths } from "./load.ts";
export type { Settings } from "./schema.ts";
