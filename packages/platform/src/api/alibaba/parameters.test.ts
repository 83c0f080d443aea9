import { expect, test } from "vitest";
import { PlatformError } from "../../errors/index.ts";
import { collectPairs, Parameters } from "./parameters.ts";

function collect(
  { rawQuery = "", body = "", contentType }: { rawQuery?: string; body?: string; contentType?: string },
  parametersMax = 10,
) {
  const headers = { "content-type": contentType };
  return collectPairs({ method: "POST", path: "/", rawQuery, headers, body: Buffer.from(body), remoteAddress: "" }, parametersMax);
}

function codeOf(task: () => unknown): string | undefined {
  try {
    task();
    return undefined;
  } catch (error) {
    return error instanceof PlatformError ? error.code : String(error);
  }
}

test("reference 1.1: query and form body are one set, decoded", () => {
  const { query, form } = collect({
    rawQuery: "A=%E4%B8%AD%20x+y&&Flag",
    body: "B=1%2B1",
    contentType: "application/x-www-form-urlencoded; charset=utf-8",
  });
  expect(query).toEqual([
    ["A", "中 x y"],
    ["Flag", ""],
  ]);
  expect(form).toEqual([["B", "1+1"]]);
});

test("what is no form, no encoding or too much is refused", () => {
  expect(codeOf(() => collect({ body: "{}", contentType: "application/json" }))).toBe("alibaba.body_not_form");
  expect(codeOf(() => collect({ rawQuery: "A=%zz" }))).toBe("alibaba.malformed_encoding");
  expect(codeOf(() => collect({ rawQuery: "A=%FF" }))).toBe("alibaba.malformed_encoding");
  expect(codeOf(() => collect({ rawQuery: "A=1&B=2", body: "C=3" }, 2))).toBe("alibaba.too_many_parameters");
  expect(codeOf(() => collect({ rawQuery: "A=1&B=2", body: "C=3" }, 3))).toBeUndefined();
});

test("a name that comes twice is refused, whatever its case", () => {
  const pairs = [
    ["Qos", "0"],
    ["qos", "1"],
  ] as const;
  expect(codeOf(() => new Parameters(pairs))).toBe("alibaba.parameter_twice");
});

test("reference 1.2: repeat lists are sorted by number, holes are ignored, structs are put together", () => {
  const parameters = new Parameters([
    ["DeviceName.10", "c"],
    ["DeviceName.2", "b"],
    ["deviceName.1", "a"],
    ["DeviceNameX.1", "no"],
    ["Tag.2.TagKey", "floor"],
    ["Tag.1.TagKey", "room"],
    ["Tag.1.TagValue", "201"],
    ["Tag.x", "no"],
  ]);
  expect(parameters.list("DeviceName")).toEqual(["a", "b", "c"]);
  expect(parameters.list("Tag")).toEqual([{ tagkey: "room", tagvalue: "201" }, { tagkey: "floor" }]);
  expect(parameters.list("None")).toEqual([]);
  expect(parameters.get("devicename.2")).toBe("b");
});
