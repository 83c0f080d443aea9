import { expect, test } from "vitest";
import { compileTemplate, topicLevel, unknownCallIn, urlPart } from "./template.ts";

const message = { topic: "/pk/lamp/data", device: { productKey: "pk", deviceName: "lamp" } };

test.each([
  ["/pk/${deviceName()}/relay", "/pk/lamp/relay"],
  ["/${ productKey() }/x/${topic(2)}", "/pk/x/lamp"],
  ["/pk/${to}/get", "/pk/other/get"],
  ["/pk/${a.b}/get", "/pk/7/get"],
  ["/pk/plain/get", "/pk/plain/get"],
])("%s becomes %s", (template, expected) => {
  expect(compileTemplate(template, topicLevel).fill({ to: "other", a: { b: 7 } }, message)).toBe(expected);
});

test("a result that lacks the name, a message without a device, a value with a level in it", () => {
  expect(() => compileTemplate("${x}", topicLevel).fill({}, message)).toThrow(
    expect.objectContaining({ code: "rules.placeholder_missing" }),
  );
  const homeless = { topic: "x", device: undefined };
  expect(() => compileTemplate("${deviceName()}", topicLevel).fill({}, homeless)).toThrow(
    expect.objectContaining({ code: "rules.placeholder_missing" }),
  );
  expect(() => compileTemplate("${x}", topicLevel).fill({ x: "a/b" }, message)).toThrow(
    expect.objectContaining({ code: "rules.placeholder_invalid" }),
  );
  expect(compileTemplate("http://h/${x}", urlPart).fill({ x: "a/b" }, message)).toBe("http://h/a%2Fb");
});

test.each([".", ".."])("a device cannot climb in the path of a webhook with %s", (x) => {
  expect(() => compileTemplate("http://h/devices/${x}/report", urlPart).fill({ x }, message)).toThrow(
    expect.objectContaining({ code: "rules.placeholder_invalid" }),
  );
  expect(compileTemplate("http://h/${x}", urlPart).fill({ x: "%2e%2e" }, message)).toBe("http://h/%252e%252e");
});

test("only the offered functions, with their number of arguments", () => {
  expect(unknownCallIn("/${deviceName()}/${topic(1)}/${alias}")).toBeUndefined();
  expect(unknownCallIn("/${deviceName(1)}")).toBe("deviceName(1)");
  expect(unknownCallIn("/${topic()}")).toBe("topic()");
  expect(unknownCallIn("/${rand()}")).toBe("rand()");
});
