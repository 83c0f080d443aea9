/** Who went lately, and why: answered while a client is away (AWS reference, 15.1). */
import type { AwsDisconnectReason } from "@thingstead/dialects";
import { isThingClientSubject, type SessionListener } from "../../access/index.ts";
import type { Clock } from "../../clock.ts";
import { disconnectReasonOf } from "./events-sessions.ts";

export interface AwsDepartureLimits {
  /** How long it is known. */
  departureMinutes: number;
  /** Of so many clients; who went first is forgotten first. */
  departuresMax: number;
}

export const defaultAwsDepartureLimits: AwsDepartureLimits = { departureMinutes: 30, departuresMax: 10_000 };

interface AwsDeparture {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason: AwsDisconnectReason;
  readonly thingName?: string;
}

export interface AwsDepartures extends SessionListener {
  of(clientId: string): AwsDeparture | undefined;
}

const minuteMilliseconds = 60_000;

export function createAwsDepartures({ clock, limits }: { clock: Pick<Clock, "now">; limits: AwsDepartureLimits }): AwsDepartures {
  /** In the order in which they went. */
  const departures = new Map<string, AwsDeparture>();
  return {
    connected({ subject }) {
      if (isThingClientSubject(subject)) departures.delete(subject.clientId);
    },
    disconnected({ subject, reason, refusal }) {
      if (!isThingClientSubject(subject)) return;
      const { clientId, device } = subject;
      departures.delete(clientId);
      departures.set(clientId, {
        at: clock.now(),
        reason: disconnectReasonOf(subject, reason, refusal?.code),
        ...(device === undefined ? {} : { thingName: device.deviceName }),
      });
      if (departures.size <= limits.departuresMax) return;
      const first = departures.keys().next();
      if (!first.done) departures.delete(first.value);
    },
    of(clientId) {
      const departure = departures.get(clientId);
      const isKnown = departure !== undefined && clock.now() - departure.at <= limits.departureMinutes * minuteMilliseconds;
      return isKnown ? departure : undefined;
    },
  };
}
