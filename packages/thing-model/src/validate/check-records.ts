/** Many values in one message [alibaba-device 5.8]. */
import type { ThingModelProblem } from "../errors.ts";
import type { ValidatorLimits } from "../limits.ts";
import type { EventCheck, EventRecord, FailedRecord, MessageRefusal, PropertyRecord, RecordsCheck } from "./check-result.ts";
import { isMembers, isWrapped, refuseCount, refuseParams, unwrap } from "./message-shape.ts";
import { problemOf, type Refusal, vendorMessage, within } from "./refusal.ts";

export interface RecordChecks {
  readonly checkProperty: (identifier: string, value: unknown) => Refusal | undefined;
  readonly checkEvent: (identifier: string, params: unknown, receivedMilliseconds: number) => EventCheck;
  readonly limits: Readonly<ValidatorLimits>;
}

interface Entry {
  readonly identifier: string;
  /** One value, wrapped or bare. */
  readonly entry: unknown;
}

/** The entries of one kind, or why there are too many or the shape is none. */
type Entries = { readonly entries: readonly Entry[] } | { readonly refusal: MessageRefusal };

export function checkRecords(part: unknown, receivedMilliseconds: number, checks: RecordChecks): RecordsCheck {
  const refused = (refusal: MessageRefusal): RecordsCheck => ({ refusal, properties: [], events: [], failed: [], problems: [] });
  if (!isMembers(part)) return refused(refuseParams(part));
  const { limits } = checks;
  const propertyEntries = entriesOf(part.properties, "properties", 6106, limits.propertiesMax, limits.listItemsMax);
  if ("refusal" in propertyEntries) return refused(propertyEntries.refusal);
  const eventEntries = entriesOf(part.events, "events", 6356, limits.eventsMax, limits.listItemsMax);
  if ("refusal" in eventEntries) return refused(eventEntries.refusal);

  const properties: PropertyRecord[] = [];
  const events: EventRecord[] = [];
  const failed: FailedRecord[] = [];
  const problems: ThingModelProblem[] = [];
  for (const { identifier, entry } of propertyEntries.entries) {
    const { value, time, timeRefusal } = unwrap(entry, receivedMilliseconds);
    const refusal = checks.checkProperty(identifier, value) ?? (timeRefusal === undefined ? undefined : within(timeRefusal, identifier));
    if (refusal === undefined) {
      properties.push({ identifier, value, time });
      continue;
    }
    failed.push({ kind: "property", identifier, value, time, code: refusal.kind.alibaba, message: vendorMessage(refusal) });
    problems.push(problemOf(refusal));
  }
  for (const { identifier, entry } of eventEntries.entries) {
    const check = checks.checkEvent(identifier, entry, receivedMilliseconds);
    if (check.refusal === undefined) {
      events.push({ identifier, time: check.time, value: check.value, checkFailedData: check.checkFailedData });
      problems.push(...check.problems);
      continue;
    }
    const { code, message, problem } = check.refusal;
    failed.push({ kind: "event", identifier, value: entry, time: check.time, code, message });
    problems.push(problem);
  }
  return { properties, events, failed, problems };
}

/** A map or a list of maps from identifiers to one value or a list of values. */
function entriesOf(maps: unknown, path: string, countCode: 6106 | 6356, namesMax: number, listItemsMax: number): Entries {
  if (maps === undefined || maps === null) return { entries: [] };
  const list = Array.isArray(maps) ? maps : [maps];
  if (list.length > listItemsMax) return { refusal: refuseCount(6104, path, list.length, listItemsMax) };
  const entries: Entry[] = [];
  let names = 0;
  for (const map of list) {
    if (!isMembers(map)) return { refusal: refuseParams(map, `${path}: object or array of objects`) };
    for (const identifier of Object.keys(map)) {
      names++;
      if (names > namesMax) return { refusal: refuseCount(countCode, path, names, namesMax) };
      const value = map[identifier];
      // A list of values is told from the value of an array by its wrapping.
      if (!Array.isArray(value) || value.length === 0 || !value.every(isWrapped)) {
        entries.push({ identifier, entry: value });
        continue;
      }
      if (value.length > listItemsMax) return { refusal: refuseCount(6104, `${path}.${identifier}`, value.length, listItemsMax) };
      for (const entry of value) entries.push({ identifier, entry });
    }
  }
  return { entries };
}
