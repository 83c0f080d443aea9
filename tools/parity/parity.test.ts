import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { documentPath, renderDocument } from "./document.ts";
import { operationRows, operationsIn, tailOf, topicRows } from "./parity.ts";

const file = (path: string, text: string) => ({ path, text });
const clients = { "e2e/sdk.test.ts": "the SDK" };

test("an operation works when a client calls it, is checked when a unit test does, and is refused when it is not there", () => {
  const have = operationsIn([
    file("a-operations.ts", "  QueryA: defineOperation(\n  QueryB: defineOperation({}\n  QueryC: defineOperation(\n"),
  ]);
  const tests = [file("unit.test.ts", 'call("QueryA"); call("QueryB")'), file("e2e/sdk.test.ts", 'await succeed("queryA", {})')];
  expect(operationRows(["QueryA", "QueryB", "QueryC", "QueryD"], have, tests, clients)).toMatchObject([
    { state: "works", proof: "the SDK: e2e/sdk.test.ts" },
    { state: "checked", proof: "unit.test.ts" },
    { state: "handled" },
    { state: "refused" },
  ]);
});

test("a topic is named by its tail as a whole, placeholders stand for one level", () => {
  const template = "/sys/${productKey}/${deviceName}/thing/event/${event}/post";
  expect(tailOf(template)).toBe("thing/event/${event}/post");
  expect(tailOf("/ota/device/inform/${productKey}/${deviceName}")).toBe("ota/device/inform");
  const state = (text: string) =>
    topicRows([{ template, direction: "up" }], { tests: [file("e2e/sdk.test.ts", text)], handlers: [] }, clients)[0]?.state;
  expect(state("`${own}/thing/event/alarm/post`")).toBe("works");
  expect(state("`${own}/thing/event/${name}/post`")).toBe("works");
  expect(state("`${own}/thing/event/alarm/post_reply`")).toBe("works");
  expect(state("`${own}/thing/event/property/history/post`")).toBe("refused");
});

test("the document is up to date: node tools/parity/main.ts", () => {
  expect(readFileSync(documentPath, "utf8")).toBe(renderDocument());
});
