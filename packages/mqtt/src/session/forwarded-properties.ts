/** Which properties of a client's message travel on. */
import type { Properties } from "../codec/index.ts";
import type { SessionBehaviour } from "../ports.ts";

/**
 * The alias is a matter between this client and the server [MQTT-3.3.2-10], the delay of a will the server's business
 * [MQTT-3.1.3.2.2]. An expiry outside the bounds of the session is moved to the nearer one.
 */
export function forwardedProperties(
  properties: Properties | undefined,
  { messageExpirySeconds: bounds }: SessionBehaviour,
): Properties | undefined {
  if (properties === undefined) return undefined;
  const { topicAlias: _alias, willDelayIntervalSeconds: _delay, ...rest } = properties;
  const seconds = rest.messageExpiryIntervalSeconds;
  if (bounds !== undefined && seconds !== undefined) {
    rest.messageExpiryIntervalSeconds = Math.min(Math.max(seconds, bounds.min), bounds.max);
  }
  return Object.keys(rest).length === 0 ? undefined : rest;
}
