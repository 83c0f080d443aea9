/** Properties of the whole package over generated models and values; the seed is printed on failure. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createValidator, diffThingModels, formatThingModel, inspectThingModel, parseThingModel, typesOf } from "./index.ts";
import { loadModel } from "./testing/vectors.ts";

const reserved = new Set(["set", "get", "post", "property", "event", "time", "value", "__proto__"]);
const identifier = fc.stringMatching(/^\w{1,50}$/).filter((text) => !reserved.has(text));
const name = fc.stringMatching(/^[A-Za-z0-9\u4e00-\u9fa5][\w\u4e00-\u9fa5/.-]{0,29}$/);
const extra = fc.dictionary(fc.stringMatching(/^x_\w{1,8}$/), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 2 });

const number = fc
  .tuple(fc.constantFrom("int", "float", "double"), fc.integer(), fc.nat(1000), fc.boolean())
  .map(([type, a, b, hasUnit]) => {
    const max = Math.min(a + b, 2 ** 31 - 1);
    return {
      type,
      specs: { min: String(Math.min(a, max)), max: String(max), ...(hasUnit ? { unit: "%", unitName: "percent" } : {}), step: "1" },
    };
  });
const scalar = fc.oneof(
  number,
  fc.constant({ type: "bool", specs: { "0": "off", "1": "on" } }),
  fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 8 }).map((keys) => ({
    type: "enum",
    specs: Object.fromEntries(keys.map((key) => [String(key), `label ${key}`])),
  })),
  fc.integer({ min: 1, max: 10_240 }).map((length) => ({ type: "text", specs: { length: String(length) } })),
  fc.constant({ type: "date", specs: {} }),
);
const size = fc.integer({ min: 1, max: 512 }).map(String);
const arrayOf = (item: fc.Arbitrary<unknown>) => fc.record({ size, item }).map((specs) => ({ type: "array", specs }));
const parameters = (dataType: fc.Arbitrary<unknown>) =>
  fc.uniqueArray(fc.record({ identifier, name, dataType }), { maxLength: 4, selector: (one) => one.identifier });
const struct = (member: fc.Arbitrary<unknown>) => parameters(member).map((specs) => ({ type: "struct", specs }));
const dataType = fc.oneof(scalar, arrayOf(scalar), struct(fc.oneof(scalar, arrayOf(scalar))), arrayOf(struct(scalar)));

const unique = <T extends { identifier: string }>(one: fc.Arbitrary<T>) =>
  fc.uniqueArray(one, { maxLength: 4, selector: (entry) => entry.identifier });
const property = fc
  .tuple(fc.record({ identifier, name, accessMode: fc.constantFrom("r", "rw"), required: fc.boolean(), dataType }), extra)
  .map(([known, unknown]) => ({ ...known, ...unknown }));
const event = fc.record({
  identifier,
  name,
  type: fc.constantFrom("info", "alert", "error"),
  required: fc.boolean(),
  outputData: parameters(dataType),
});
const service = fc.record({
  identifier,
  name,
  required: fc.boolean(),
  callType: fc.constantFrom("async", "sync"),
  inputData: parameters(dataType),
  outputData: parameters(dataType),
});
const authored = fc
  .tuple(fc.record({ properties: unique(property), events: unique(event), services: unique(service) }), extra)
  .map(([known, unknown]) => ({ profile: { version: "1.5", productKey: "a1HETlEuvri" }, ...known, ...unknown }));

const options: fc.Parameters<unknown> = { numRuns: 100 };

test("what was written is read and written the same, and nothing that was authored is lost", () => {
  fc.assert(
    fc.property(authored, (tsl) => {
      const written = formatThingModel(parseThingModel(tsl));
      const again = inspectThingModel(JSON.stringify(written));
      expect(again.problems).toEqual([]);
      expect(JSON.stringify(formatThingModel(parseThingModel(written)))).toBe(JSON.stringify(written));
      const { events, services, properties, ...rest } = tsl;
      expect(written).toMatchObject(JSON.parse(JSON.stringify({ ...rest, properties })));
      const own = (list: unknown) => (Array.isArray(list) ? list.filter(({ identifier: id }) => !reserved.has(id)) : []);
      expect(own(written.events)).toMatchObject(events);
      expect(own(written.services)).toMatchObject(services);
    }),
    options,
  );
});

test("a model equals itself, and its types are the same every time", () => {
  fc.assert(
    fc.property(authored, (tsl) => {
      const model = parseThingModel(tsl);
      expect(diffThingModels(model, parseThingModel(formatThingModel(model))).changes).toEqual([]);
      expect(typesOf(model)).toBe(typesOf(parseThingModel(JSON.stringify(tsl))));
    }),
    options,
  );
});

test("reading a model never throws, whatever a file holds", () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.anything(), damaged()), (json) => {
      const { model, problems } = inspectThingModel(json);
      expect(model !== undefined || problems.length > 0).toBe(true);
    }),
    { numRuns: 300 },
  );
});

/** A good model with one member replaced by anything. */
function damaged() {
  const text = JSON.stringify(formatThingModel(loadModel("M-ALL-TYPES")));
  const places = [...text.matchAll(/"(?:\w+)":/g)].map((match) => match.index + match[0].length);
  return fc
    .tuple(fc.constantFrom(...places), fc.constantFrom("null,", "[],", "{},", "1e999,", '"",', "-1,", "true,"))
    .map(([place, value]) => {
      return text.slice(0, place) + value + text.slice(place).replace(/^("(?:[^"\\]|\\.)*"|[^,{[]+),/, "");
    });
}

test("a check never throws, and every value is either accepted or failed, never both or neither", () => {
  const model = loadModel("M-ALL-TYPES");
  const names = model.properties.map((one) => one.identifier);
  const validators = (["strong", "weak", "none"] as const).map((level) => createValidator(model, { level }));
  const value = fc.oneof(
    fc.jsonValue(),
    fc.integer(),
    fc.constantFrom("1", true, null, [], {}),
    fc.record({ value: fc.jsonValue(), time: fc.jsonValue() }),
  );
  const params = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), value, { maxKeys: 6 });
  fc.assert(
    fc.property(params, fc.jsonValue(), (report, anything) => {
      for (const validator of validators) {
        const { items, checkFailedData, problems } = validator.checkPropertyReport(report, 1);
        const seen = [...Object.keys(items), ...Object.keys(checkFailedData)].sort();
        expect(seen).toEqual(Object.keys(report).sort());
        expect(problems).toHaveLength(Object.keys(checkFailedData).length);
        for (const shape of [
          report,
          anything,
          { value: report, time: 5 },
          { properties: report, events: anything },
          { properties: anything, events: report },
        ]) {
          validator.checkPropertyReport(shape, 1);
          validator.checkPropertySet(shape);
          validator.checkEvent("Alarm", shape, 1);
          validator.checkServiceInput("SetWeight", shape);
          validator.checkServiceOutput("SetWeight", shape);
          validator.checkRecords(shape, 1);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test("what the strong check accepts, the weak one accepts too", () => {
  const model = loadModel("M-ALL-TYPES");
  const strong = createValidator(model, { level: "strong" });
  const weak = createValidator(model, { level: "weak" });
  const report = fc.record(
    {
      LightStatus: fc.integer({ min: -1, max: 3 }),
      Level: fc.integer({ min: -10, max: 110 }),
      Mode: fc.integer({ min: -2, max: 3 }),
      Alias: fc.string({ maxLength: 40, unit: "grapheme" }),
      Samples: fc.array(fc.integer(), { maxLength: 12 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(report, (params) => {
      const accepted = Object.keys(strong.checkPropertyReport(params, 1).items);
      expect(Object.keys(weak.checkPropertyReport(params, 1).items)).toEqual(expect.arrayContaining(accepted));
    }),
    options,
  );
});
