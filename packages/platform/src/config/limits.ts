/** Every room's named limits with their defaults, in one place: `limits.<room>.<name>` in the configuration. */
export const roomLimits = {};
