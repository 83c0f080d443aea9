/** What changed between two versions of a model, for drafts and before publishing. */
import { type Property, type Service, type ThingEvent, type ThingModel, wireIdentifier } from "../model.ts";
import { addDifference, type Differences, diffDataTypes, diffParameters, type MemberDifference } from "./diff-data-type.ts";

export interface FunctionChange {
  readonly kind: "property" | "event" | "service";
  /** As on the wire, with the module's prefix in a custom module. */
  readonly identifier: string;
  readonly change: "added" | "removed" | "changed";
  readonly isCompatible: boolean;
  /** What changed in the function; empty when it was added or removed. */
  readonly differences: readonly MemberDifference[];
}

export interface ThingModelDiff {
  /** In the order of the models: properties, events, services; changed and removed ones before added ones. */
  readonly changes: readonly FunctionChange[];
  /** Every message that the old model accepts is accepted by the new one and means the same. */
  readonly isCompatible: boolean;
}

/**
 * Compares two versions of one module. Names, descriptions, unknown members and the order do not matter to devices and never break compatibility.
 *
 * @example
 * const { changes, isCompatible } = diffThingModels(published, draft);
 * if (!isCompatible) console.log(changes.filter((change) => !change.isCompatible));
 */
export function diffThingModels(before: ThingModel, after: ThingModel): ThingModelDiff {
  const changes = [
    ...diffFunctions("property", byIdentifier(before, before.properties), byIdentifier(after, after.properties), diffProperties),
    ...diffFunctions("event", byIdentifier(before, before.events), byIdentifier(after, after.events), diffEvents),
    ...diffFunctions("service", byIdentifier(before, before.services), byIdentifier(after, after.services), diffServices),
  ];
  return { changes, isCompatible: changes.every((change) => change.isCompatible) };
}

function byIdentifier<T extends { readonly identifier: string }>(model: ThingModel, functions: readonly T[]): ReadonlyMap<string, T> {
  return new Map(functions.map((one) => [wireIdentifier(model, one.identifier), one]));
}

function diffFunctions<T>(
  kind: FunctionChange["kind"],
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  diff: (into: Differences, before: T, after: T) => void,
): FunctionChange[] {
  const changes: FunctionChange[] = [];
  for (const [identifier, old] of before) {
    const now = after.get(identifier);
    if (now === undefined) {
      changes.push({ kind, identifier, change: "removed", isCompatible: false, differences: [] });
      continue;
    }
    const differences: Differences = [];
    diff(differences, old, now);
    if (differences.length === 0) continue;
    const isCompatible = differences.every((difference) => difference.isCompatible);
    changes.push({ kind, identifier, change: "changed", isCompatible, differences });
  }
  for (const identifier of after.keys())
    if (!before.has(identifier)) changes.push({ kind, identifier, change: "added", isCompatible: true, differences: [] });
  return changes;
}

function diffTexts(
  into: Differences,
  before: { name: string; desc?: string; required: boolean },
  after: { name: string; desc?: string; required: boolean },
): void {
  addDifference(into, "name", before.name, after.name, true);
  addDifference(into, "desc", before.desc, after.desc, true);
  addDifference(into, "required", String(before.required), String(after.required), true);
}

function diffProperties(into: Differences, before: Property, after: Property): void {
  diffTexts(into, before, after);
  // What could be done must still be possible: `rw` can do all.
  addDifference(into, "accessMode", before.accessMode, after.accessMode, after.accessMode === "rw");
  diffDataTypes(into, "dataType", before.dataType, after.dataType);
}

function diffEvents(into: Differences, before: ThingEvent, after: ThingEvent): void {
  diffTexts(into, before, after);
  addDifference(into, "type", before.type, after.type, true);
  diffParameters(into, "outputData", before.outputData, after.outputData, { isAddedCompatible: true, isRemovedCompatible: false });
}

function diffServices(into: Differences, before: Service, after: Service): void {
  diffTexts(into, before, after);
  // How a service is called decides the topic that the device listens to.
  addDifference(into, "callType", before.callType, after.callType, false);
  diffParameters(into, "inputData", before.inputData, after.inputData, { isAddedCompatible: false, isRemovedCompatible: false });
  diffParameters(into, "outputData", before.outputData, after.outputData, { isAddedCompatible: true, isRemovedCompatible: false });
}
