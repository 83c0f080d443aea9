import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultIndexQueryLimits, fieldsOf, type IndexFields, matchesIndexQuery, readIndexQuery } from "./index-query.ts";

const lamp: IndexFields = new Map<string, (string | number | boolean)[]>([
  ["thingName", ["Lamp-01:a"]],
  ["thingTypeName", ["Light Bulb"]],
  ["thingGroupNames", ["floor1", "all"]],
  ["attributes.color", ["deep red"]],
  ["attributes.model", ["1.10"]],
  ["shadow.reported.stats.battery", [78]],
  ["shadow.reported.on", [true]],
  ["connectivity.connected", [false]],
]);

function matches(text: string): boolean {
  const reading = readIndexQuery(text, defaultIndexQueryLimits);
  if (reading.kind === "refused") throw new Error(`${reading.received}, expected ${reading.expected}`);
  return matchesIndexQuery(reading.query, lamp);
}

test.each([
  ["*", true],
  ["thingName:lamp*", true],
  ["thingName:lamp", false],
  ['thingName:"lamp-01:a"', true],
  ["thingName:Lamp-01:a", true],
  ["thingName:lamp-0?:*", true],
  ["thingName:*01*", true],
  ["thingGroupNames:floor1", true],
  ["thingGroupNames:floor2", false],
  ["attributes.color:red", true],
  ['attributes.color:"deep red"', true],
  ['attributes.color:"red deep"', false],
  ["attributes.color:*", true],
  ["attributes.size:*", false],
  ["red", true],
  ["green", false],
  ["shadow.reported.on:true", true],
  ["connectivity.connected:false AND thingTypeName:bulb", true],
  ["connectivity.connected:true OR thingTypeName:bulb", true],
  ["connectivity.connected : false thingTypeName:tv", false],
  ["NOT connectivity.connected:true", true],
  ["-thingName:lamp*", false],
  ["thingName:(lamp* AND -tv*)", true],
  ["thingName:(tv* OR lamp*) AND NOT (attributes.color:blue OR attributes.color:green)", true],
  ["thingName:x AND thingName:y OR thingName:lamp*", true],
  ["shadow.reported.stats.battery>70", true],
  ["shadow.reported.stats.battery >= 78", true],
  ["shadow.reported.stats.battery<78", false],
  ["shadow.reported.stats.battery:[9 TO 100]", true],
  ["shadow.reported.stats.battery:{78 TO *]", false],
  ["shadow.reported.stats.battery:[* TO 78]", true],
  ["shadow.reported.stats.battery:[* TO 78}", false],
  ["attributes.model:1.10", true],
  ["attributes.model:[1.05 TO 1.2]", true],
  ["attributes.color:[a TO e]", true],
  ["attributes.color:[1 TO 9]", false],
  ["thingName:lamp\\-01\\:a", true],
  ["attributes.color:rED", true],
])("16 %s", (text, expected) => {
  expect(matches(text)).toBe(expected);
});

test.each([
  "",
  "(",
  "a:(b",
  "a:[1 TO",
  "a:[1 2]",
  'a:"b',
  "a)",
  "AND",
  "a OR",
  "NOT",
  "a:",
  "a:(",
  "[",
  Array(13).fill("a").join(" "),
  `${"(".repeat(20)}a${")".repeat(20)}`,
  "-".repeat(900),
  "x".repeat(1_001),
])("what is no query is refused with what came: %s", (text) => {
  expect(readIndexQuery(text, defaultIndexQueryLimits)).toMatchObject({
    kind: "refused",
    received: expect.any(String),
    expected: expect.any(String),
  });
});

test("the fields of a query say what has to be looked at", () => {
  const reading = readIndexQuery("thingName:a* AND (shadow.reported.x:1 OR b)", defaultIndexQueryLimits);
  if (reading.kind === "refused") throw new Error(reading.received);
  expect(fieldsOf(reading.query)).toEqual({ names: new Set(["thingName", "shadow.reported.x"]), any: true });
});

test("no text makes it throw", () => {
  const sign = fc.constantFrom(
    "a",
    ":",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    '"',
    "\\",
    " ",
    "*",
    "?",
    "-",
    "<",
    ">",
    "AND",
    "OR",
    "NOT",
    "TO",
    "1",
  );
  fc.assert(
    fc.property(fc.array(sign, { maxLength: 30 }), (signs) => {
      const reading = readIndexQuery(signs.join(""), defaultIndexQueryLimits);
      if (reading.kind === "query") expect(typeof matchesIndexQuery(reading.query, lamp)).toBe("boolean");
    }),
  );
});
