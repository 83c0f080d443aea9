import { expect, test } from "vitest";
import { createValidator, formatProblem, parseThingModel, postReplyData, type ValidationLevel } from "../index.ts";
import { loadModel, loadVectors } from "../testing/vectors.ts";

interface ValueVector {
  readonly id: string;
  readonly clause: string;
  readonly level: ValidationLevel;
  readonly call: "report" | "set" | "event" | "input" | "output" | "records";
  readonly isStepEnforced?: boolean;
  readonly identifier?: string;
  readonly params: unknown;
  readonly refusal?: number;
  readonly items?: unknown;
  readonly values?: unknown;
  readonly time?: number;
  readonly failed?: unknown;
  readonly problems?: readonly { code: string; path: string }[];
  readonly properties?: unknown;
  readonly events?: unknown;
  readonly failedRecords?: unknown;
}

interface ValueVectors {
  readonly model: string;
  readonly receivedMilliseconds: number;
  readonly vectors: readonly ValueVector[];
}

const { model: modelId, receivedMilliseconds: received, vectors } = loadVectors<ValueVectors>("values.json");
const model = loadModel(modelId);

/** What the vector expects, in the shape of its call's answer. */
function expectedOf(vector: ValueVector): Record<string, unknown> {
  switch (vector.call) {
    case "report":
      return { items: vector.items, checkFailedData: vector.failed };
    case "event":
      return { value: vector.values, time: vector.time, checkFailedData: vector.failed };
    case "records":
      return { properties: vector.properties, events: vector.events, failed: vector.failedRecords };
    default:
      return { values: vector.values, checkFailedData: vector.failed };
  }
}

/** Nothing of a refused message is taken. */
const emptyAnswers = {
  report: { items: {}, checkFailedData: {} },
  set: { values: {}, checkFailedData: {} },
  input: { values: {}, checkFailedData: {} },
  output: { values: {}, checkFailedData: {} },
  event: { value: {}, time: received, checkFailedData: {} },
  records: { properties: [], events: [], failed: [] },
};

function run({ call, level, isStepEnforced = false, identifier = "", params }: ValueVector) {
  const validator = createValidator(model, { level, isStepEnforced });
  switch (call) {
    case "report":
      return validator.checkPropertyReport(params, received);
    case "set":
      return validator.checkPropertySet(params);
    case "event":
      return validator.checkEvent(identifier, params, received);
    case "input":
      return validator.checkServiceInput(identifier, params);
    case "output":
      return validator.checkServiceOutput(identifier, params);
    case "records":
      return validator.checkRecords(params, received);
  }
}

test.each(vectors)("[$clause] $id", (vector) => {
  const { refusal, problems, ...answer } = run(vector);
  expect(refusal?.code).toBe(vector.refusal);
  expect(answer).toEqual(refusal === undefined ? expectedOf(vector) : emptyAnswers[vector.call]);
  const told = refusal === undefined ? problems : [refusal.problem];
  if (vector.problems !== undefined) expect(told.map(({ code, path }) => ({ code, path }))).toEqual(vector.problems);
});

test("a failure says where, what came and what was expected, in both languages", () => {
  const { problems } = createValidator(model, { level: "strong" }).checkPropertyReport(
    { RGBColor: { Red: 300, Tags: [] }, Alias: "x".repeat(80) },
    0,
  );
  expect(problems.map((problem) => formatProblem(problem, "en"))).toEqual([
    "RGBColor.Red is 300, too large; expected int 0..255.",
    `Alias is "${"x".repeat(64)}"… (80), too long; expected <= 32 bytes.`,
  ]);
  expect(problems.map((problem) => formatProblem(problem, "zh"))[0]).toBe("RGBColor.Red 为 300，过大，应为 int 0..255。");
});

test("steps are checked only when asked for, decimals without false alarms", () => {
  const off = createValidator(model, { level: "strong" });
  const on = createValidator(model, { level: "strong", isStepEnforced: true });
  expect(off.checkPropertyReport({ Temperature: 20.05 }, 0).problems).toEqual([]);
  expect(on.checkPropertyReport({ Temperature: 20.05 }, 0).problems.map(({ code }) => code)).toEqual(["thing_model.value_off_step"]);
  for (let tenths = -400; tenths <= 1255; tenths++) expect(on.checkPropertyReport({ Temperature: tenths / 10 }, 0).problems).toEqual([]);
});

test("[alibaba-device 5.10] a custom module's properties, events and services are found by module:identifier", () => {
  const validator = createValidator([model, loadModel("M-MODULE")], { level: "strong" });
  const { items, checkFailedData } = validator.checkPropertyReport({ "BatteryModule:level": 7, level: 7, Level: 1 }, received);
  expect(Object.keys(items)).toEqual(["BatteryModule:level", "Level"]);
  expect(Object.keys(checkFailedData)).toEqual(["level"]);
  expect(validator.checkEvent("BatteryModule:lowPower", { level: 3 }, received).value).toEqual({ level: 3 });
  expect(validator.checkEvent("lowPower", { level: 3 }, received).refusal?.code).toBe(5160);
  expect(validator.checkServiceInput("BatteryModule:calibrate", {}).refusal).toBeUndefined();
});

test("[alibaba-device 5.2] the reply to a report tells the texts without the names", () => {
  const report = { LightSwitch: 1, RGBColor: "x", Level: "15" };
  const expected = {
    LightSwitch: "tsl parse: params not exist",
    RGBColor: "tsl parse: struct type must be json",
    Level: "tsl parse: data type is not int",
  };
  for (const level of ["strong", "weak"] as const)
    expect(postReplyData(createValidator(model, { level }).checkPropertyReport(report, received).checkFailedData)).toEqual(expected);
});

test("a name as long as a message is cut in texts and whole in the data", () => {
  const name = "n".repeat(1000);
  const { checkFailedData, problems } = createValidator(model, { level: "strong" }).checkPropertyReport({ [name]: 1 }, 0);
  expect(Object.keys(checkFailedData)).toEqual([name]);
  expect(checkFailedData[name]?.message).toBe(`tsl parse: params not exist -> ${"n".repeat(128)}…`);
  expect(problems[0]?.path).toBe(`${"n".repeat(128)}…`);
});

test("weak is the default level, and limits can be set one by one", () => {
  const validator = createValidator(model, { limits: { propertiesMax: 1 } });
  expect(validator.level).toBe("weak");
  expect(validator.checkPropertyReport({ Level: 1, Alias: "" }, 0).refusal).toMatchObject({
    code: 6106,
    problem: { code: "thing_model.params_too_many", path: "params", received: "2", expected: "<= 1" },
  });
});

test("the RGB LED of the iotkit example is accepted whole", () => {
  const validator = createValidator(loadModel("M-RGB-LED"), { level: "strong" });
  const post = validator.checkPropertyReport({ RGBColor: { Red: 247, Green: 60, Blue: 74 }, LightSwitch: 1 }, received);
  expect(post).toEqual({
    items: { RGBColor: { value: { Red: 247, Green: 60, Blue: 74 }, time: received }, LightSwitch: { value: 1, time: received } },
    checkFailedData: {},
    problems: [],
  });
  expect(validator.checkPropertySet({ LightSwitch: 0 })).toEqual({ values: { LightSwitch: 0 }, checkFailedData: {}, problems: [] });
  expect(validator.checkEvent("Error", { ErrorCode: 0 }, received).value).toEqual({ ErrorCode: 0 });
});

test("an input parameter that the model calls optional may be left out", () => {
  const optional = parseThingModel({
    services: [{ identifier: "S", name: "S", inputData: [{ identifier: "a", name: "a", required: false, dataType: { type: "int" } }] }],
  });
  expect(createValidator(optional, { level: "strong" }).checkServiceInput("S", {}).checkFailedData).toEqual({});
});
