import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { awsDocumentPath, awsOperationsIn, renderAwsDocument } from "./aws.ts";
import { calledIn } from "./parity.ts";

test("an operation is a row with the vendor's name; the vendor's SDK calls it by a command", () => {
  expect([...awsOperationsIn([{ path: "a.ts", text: '{ name: "CreateThing", service: "iot" }, { name: "lower" }' }])]).toEqual([
    "CreateThing",
  ]);
  expect(calledIn({ path: "b.test.ts", text: "await iot.send(new CreateThingCommand({ thingName }))" })).toContain("CreateThing");
});

test("the document is up to date: node tools/parity/main.ts", () => {
  expect(readFileSync(awsDocumentPath, "utf8")).toBe(renderAwsDocument());
});
