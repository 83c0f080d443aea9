import fc from "fast-check";
import { expect, test } from "vitest";
import { parseParameters, quoteParameter } from "./parameters.ts";

const string = (binary: string) => ({ kind: "string", binary });
const integer = (value: number) => ({ kind: "integer", value });
const omitted = { kind: "omitted" };
const malformed = { kind: "malformed" };

test.each([
  ['0,5,"esp32"', [integer(0), integer(5), string("esp32")]],
  ['"s","p",,1', [string("s"), string("p"), omitted, integer(1)]],
  ["0x7FF,-1", [integer(0x7ff), integer(-1)]],
  [String.raw`"a\,b\"c\\d"`, [string(String.raw`a,b"c\d`)]],
  // Any escaped character is itself: there are no control escapes.
  [String.raw`"\n\x41"`, [string("nx41")]],
  ['"a,b"', [string("a,b")]],
  ["", [omitted]],
  [",", [omitted, omitted]],
  ['"open', [malformed]],
  ['"a"b,1', [malformed, integer(1)]],
  ["ssid,1", [malformed, integer(1)]],
  ["1 ,2", [malformed, integer(2)]],
])("[ESP-AT 1.2] %s", (text, expected) => {
  expect(parseParameters(text)).toEqual(expected);
});

test("[ESP-AT 1.2] what is quoted comes out as it was, whatever it is", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary-ascii" }), { minLength: 1, maxLength: 8 }), (texts) => {
      expect(parseParameters(texts.map(quoteParameter).join(","))).toEqual(texts.map(string));
    }),
  );
});

test("any text gives a parameter for each comma that is not within quotes, and never fails", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', ",", "\\", "1", "-", "x", "a", " ") }), (text) => {
      const values = parseParameters(text);
      expect(values.length).toBeGreaterThan(0);
      expect(values.length).toBeLessThanOrEqual(text.split(",").length);
    }),
  );
});
