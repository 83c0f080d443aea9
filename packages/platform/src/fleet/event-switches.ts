/** Which events of the registry and of jobs are published: kept with the fleet, asked synchronously before an event is built. */
import type { Clock } from "../clock.ts";
import type { FleetRecords } from "./fleet.ts";

/** As the vendor's API names them (AWS reference, 10.3). */
export const eventSwitchNames = [
  "THING",
  "THING_GROUP",
  "THING_TYPE",
  "THING_GROUP_MEMBERSHIP",
  "THING_GROUP_HIERARCHY",
  "THING_TYPE_ASSOCIATION",
  "JOB",
  "JOB_EXECUTION",
  "POLICY",
  "CERTIFICATE",
  "CA_CERTIFICATE",
] as const;

export type EventSwitchName = (typeof eventSwitchNames)[number];

export function isEventSwitchName(name: string): name is EventSwitchName {
  return (eventSwitchNames as readonly string[]).includes(name);
}

interface EventSwitchState {
  isOn: Readonly<Record<EventSwitchName, boolean>>;
  /** Milliseconds since the epoch; absent while nothing was ever switched. */
  createdAt?: number;
  modifiedAt?: number;
}

export interface EventSwitches {
  /** Everything is off until this has read what was stored. */
  start(): Promise<void>;
  isOn(name: EventSwitchName): boolean;
  state(): EventSwitchState;
  /** What is not named stays. Resolves when it is stored; holds from then on. */
  update(changes: Readonly<Partial<Record<EventSwitchName, boolean>>>): Promise<void>;
}

const family = "event-configurations";
const recordName = "account";

export interface EventSwitchPorts {
  records: Pick<FleetRecords, "find" | "put">;
  clock: Pick<Clock, "now">;
}

export function createEventSwitches({ records, clock }: EventSwitchPorts): EventSwitches {
  let state: EventSwitchState = stateOf(undefined);
  /** One change after the other: each is made of what the one before left. */
  let last: Promise<void> = Promise.resolve();

  async function change(changes: Readonly<Partial<Record<EventSwitchName, boolean>>>): Promise<void> {
    const now = clock.now();
    const next = { isOn: { ...state.isOn, ...changes }, createdAt: state.createdAt ?? now, modifiedAt: now };
    await records.put(family, recordName, next);
    state = next;
  }

  return {
    async start() {
      state = stateOf(await records.find(family, recordName));
    },
    isOn: (name) => state.isOn[name],
    state: () => state,
    update(changes) {
      const done = last.then(() => change(changes));
      last = done.catch(() => {});
      return done;
    },
  };
}

/** A record of an older version lacks switches that came later: they are off. */
function stateOf(stored: unknown): EventSwitchState {
  const { isOn, createdAt, modifiedAt } = isObject(stored) ? stored : {};
  const kept = isObject(isOn) ? isOn : {};
  const switches = Object.fromEntries(eventSwitchNames.map((name) => [name, kept[name] === true]));
  return {
    isOn: switches as Record<EventSwitchName, boolean>,
    ...(typeof createdAt === "number" ? { createdAt } : {}),
    ...(typeof modifiedAt === "number" ? { modifiedAt } : {}),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
