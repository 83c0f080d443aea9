/** Every event that the service publishes of its own accord (AWS reference, 10 and 12.3). */
import { type AwsAccount, type AwsEvent, awsJobEvent, awsJobExecutionEvent } from "@thingstead/dialects";
import type { Clock, Random } from "../../clock.ts";
import { drawUuid, type EventSwitches, type FleetChange } from "../../fleet/index.ts";
import type { AwsEventLimits } from "./events-limits.ts";
import { createRegistryEvents } from "./events-registry.ts";
import { createSessionEvents, type SessionEvents } from "./events-sessions.ts";
import type { AwsJobEvents } from "./job-events.ts";
import type { AwsAnswers } from "./uplink.ts";

export interface AwsEventsPorts {
  account: AwsAccount;
  answers: Pick<AwsAnswers, "publish">;
  switches: Pick<EventSwitches, "isOn">;
  clock: Pick<Clock, "now" | "soon">;
  random: Random;
  limits: AwsEventLimits;
  /** An event could not be published: nobody waits for it. */
  onFailure(error: unknown): void;
}

export interface AwsEvents extends AwsJobEvents, SessionEvents {
  /** For `fleet.onChange`. */
  fleetChanged(change: FleetChange): void;
}

export function createAwsEvents({ account, answers, switches, clock, random, limits, onFailure }: AwsEventsPorts): AwsEvents {
  const newHead = () => ({ account, eventId: drawUuid(random), timestamp: clock.now() });
  function publish({ topic, payload }: AwsEvent): void {
    try {
      answers.publish(topic, Buffer.from(JSON.stringify(payload)));
    } catch (error) {
      onFailure(error);
    }
  }
  return {
    ...createSessionEvents({ publish, clock, limits }),
    fleetChanged: createRegistryEvents({ publish, isOn: (name) => switches.isOn(name), newHead }),
    publishJobEvent(event) {
      if (switches.isOn("JOB")) publish(awsJobEvent(newHead(), { ...event }));
    },
    publishJobExecutionEvent(event) {
      if (switches.isOn("JOB_EXECUTION")) publish(awsJobExecutionEvent(newHead(), event));
    },
  };
}
