import fc from "fast-check";
import { expect, test } from "vitest";
import { percentDecode, percentEncode } from "./percent-encode.ts";

test("reference 1.3: what stays and what is escaped", () => {
  expect(percentEncode("AZaz09-_.~")).toBe("AZaz09-_.~");
  expect(percentEncode(" *!'()+/=&中")).toBe("%20%2A%21%27%28%29%2B%2F%3D%26%E4%B8%AD");
  expect(percentDecode("a+b%2B%7e")).toBe("a b+~");
  expect(percentDecode("%")).toBeUndefined();
});

test("every text comes back as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(percentEncode(text)).toMatch(/^(?:[\w.~-]|%[0-9A-F]{2})*$/);
      expect(percentDecode(percentEncode(text))).toBe(text.toWellFormed());
    }),
  );
});
