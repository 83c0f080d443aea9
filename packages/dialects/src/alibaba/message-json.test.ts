import { expect, test } from "vitest";
import { readAlinkRequest } from "./alink.ts";
import { readShadowRequest } from "./shadow.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("brackets in texts are no levels, and the deepest message that is read can be written", () => {
  const list = `${"[".repeat(126)}${"]".repeat(126)}`;
  const params = { "[{\\": `${"[".repeat(300)}\\"${"{".repeat(300)}`, list: JSON.parse(list) };
  expect(readAlinkRequest(bytes(JSON.stringify({ id: "1", params })))).toMatchObject({ kind: "request", params });
  expect(readAlinkRequest(bytes(`{"id":"1","params":{"list":[${list}]}}`))).toMatchObject({ kind: "refused", code: 6207 });
  // A text of params is read by itself.
  const deep = JSON.stringify({ id: "1", params: `${"[".repeat(20_000)}${"]".repeat(20_000)}` });
  expect(readAlinkRequest(bytes(deep))).toMatchObject({ params: expect.stringMatching(/^\[+\]+$/) });
});

test("a shadow that is nested too deep is no message", () => {
  const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
  expect(readShadowRequest(bytes(`{"method":"update","state":{"reported":${deep}},"version":1}`))).toMatchObject({
    kind: "refused",
    code: 400,
  });
});
