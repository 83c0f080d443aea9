/** Thing models between text and data, with the room's errors. */
import { formatProblem, formatThingModel, inspectThingModel, type ThingModel, type ThingModelProblem } from "@thingstead/thing-model";
import { PlatformError } from "../errors/index.ts";
import type { StoredModule } from "./ports.ts";

/** Problems named in an error; the rest is counted. */
const problemsShownMax = 10;

/** Problems as one text, in no language of their own beyond the model package's English. */
export function showProblems(problems: readonly ThingModelProblem[]): string {
  const shown = problems.slice(0, problemsShownMax).map((problem) => formatProblem(problem, "en"));
  const rest = problems.length - shown.length;
  return rest > 0 ? `${shown.join(" ")} (+${rest})` : shown.join(" ");
}

/**
 * Reads a TSL as text or JSON.
 *
 * @throws PlatformError `things.model_invalid` with every problem
 * @example await things.models.saveModule(productKey, readThingModel(text))
 */
export function readThingModel(tsl: unknown): ThingModel {
  const { model, problems } = inspectThingModel(tsl);
  if (model !== undefined) return model;
  const [first] = problems;
  throw new PlatformError("things.model_invalid", {
    problems: showProblems(problems),
    ...(first === undefined ? {} : { path: first.path, received: first.received, expected: first.expected, reason: first.code }),
  });
}

/** As it is stored; a model that came from another product belongs to this one now. */
export function toStoredModule(productKey: string, model: ThingModel): StoredModule {
  const owned = { ...model, profile: { ...model.profile, productKey } };
  return { functionBlockId: model.functionBlockId ?? "", tsl: JSON.stringify(formatThingModel(owned)) };
}

export function fromStoredModule({ tsl }: StoredModule): ThingModel {
  return readThingModel(tsl);
}
