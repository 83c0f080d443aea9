export { createRegistry } from "./create-registry.ts";
export { defaultMqttUserLimits, defaultRegistryLimits, type RegistryLimits } from "./limits.ts";
export { createMqttUsers, type MqttUser, type MqttUserRow, type MqttUserStore, type MqttUsers } from "./mqtt-users.ts";
export type * from "./ports.ts";
export type * from "./registry.ts";
