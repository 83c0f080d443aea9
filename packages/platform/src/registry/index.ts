export { createRegistry } from "./create-registry.ts";
export { createGroups, type Group, type GroupCounts, type GroupJoin, type Groups } from "./groups.ts";
export { defaultMqttUserLimits, defaultRegistryLimits, type RegistryLimits } from "./limits.ts";
export { LoadingCache } from "./loading-cache.ts";
export { createMqttUsers, type MqttUser, type MqttUserRow, type MqttUserStore, type MqttUsers } from "./mqtt-users.ts";
export type * from "./ports.ts";
export {
  createRegistrationBatches,
  type RegistrationBatch,
  type RegistrationBatches,
  type RegistrationBatchStore,
  type RegistrationStatus,
} from "./registration-batches.ts";
export type * from "./registry.ts";
export { createTags, type TagMap, type Tags, type TagsChange } from "./tags.ts";
export { createTopology, type Topology, type TopologyChange } from "./topology.ts";
