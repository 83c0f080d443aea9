export { type Authorizer, authorizerFamily, findAuthorizer, findDefaultAuthorizer, setDefaultAuthorizer } from "./authorizers.ts";
export { createFleet } from "./create-fleet.ts";
export {
  createEventSwitches,
  type EventSwitches,
  type EventSwitchName,
  eventSwitchNames,
  isEventSwitchName,
} from "./event-switches.ts";
export type * from "./fleet.ts";
export { defaultFleetLimits, type FleetLimits } from "./limits.ts";
export { drawUuid, thingNaming, thingProductKey } from "./naming.ts";
export type * from "./ports.ts";
export * from "./provisioning/index.ts";
export { createQuickStart, type QuickStart, type QuickStarted } from "./quick-start.ts";
