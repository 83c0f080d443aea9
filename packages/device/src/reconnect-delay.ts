import type { Clock } from "./clock.ts";

export interface ReconnectPolicy {
  /** Ceiling of the first delay. */
  baseMilliseconds: number;
  /** Ceiling of every later delay. */
  maximumMilliseconds: number;
}

export const defaultReconnectPolicy: ReconnectPolicy = { baseMilliseconds: 1_000, maximumMilliseconds: 60_000 };

/**
 * Delay before reconnect number `attempt` (from 0): half of an exponentially growing ceiling is fixed, half is drawn, so
 * that a fleet that lost its server together does not come back together and nobody hammers with a zero delay.
 */
export function reconnectDelay(policy: ReconnectPolicy, attempt: number, clock: Pick<Clock, "random">): number {
  const ceiling = Math.min(policy.maximumMilliseconds, policy.baseMilliseconds * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling / 2 + (ceiling / 2) * clock.random());
}
