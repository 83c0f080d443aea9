import { expect, test } from "vitest";
import { RouteTable } from "./route-table.ts";

const table = new RouteTable([
  { method: "GET", path: "/things", value: "list" },
  { method: "POST", path: "/things/{thingName}", value: "create" },
  { method: "GET", path: "/things/{thingName}", value: "describe" },
  { method: "PUT", path: "/things/{thingName}/jobs/$next", value: "next" },
  { method: "GET", path: "/things/{thingName}/jobs/{jobId}", value: "job" },
  { method: "PUT", path: "/things/{thingName}/jobs/{jobId}", value: "put job" },
  { method: "POST", path: "/topics/{topic+}", value: "publish" },
  { method: "GET", path: "/groups/all", value: "all" },
  { method: "GET", path: "/groups/{name}/things", value: "group things" },
]);

test.each([
  ["GET", "/things", "list", {}],
  ["GET", "/things/a%2Fb", "describe", { thingName: "a/b" }],
  ["POST", "/things/a%3Ab", "create", { thingName: "a:b" }],
  ["PUT", "/things/a/jobs/$next", "next", { thingName: "a" }],
  ["PUT", "/things/a/jobs/%24next", "next", { thingName: "a" }],
  ["PUT", "/things/a/jobs/j1", "put job", { thingName: "a", jobId: "j1" }],
  ["GET", "/things/a/jobs/$next", "job", { thingName: "a", jobId: "$next" }],
  ["POST", "/topics/a/b", "publish", { topic: "a/b" }],
  ["POST", "/topics/%24aws%2Fthings%2Fx", "publish", { topic: "$aws/things/x" }],
  ["POST", "/topics//a/", "publish", { topic: "/a/" }],
  ["GET", "/groups/all/things", "group things", { name: "all" }],
])("%s %s is %s", (method, path, value, labels) => {
  expect(table.match(method, path)).toEqual({ kind: "found", value, labels });
});

test("a path without its method names those it has", () => {
  expect(table.match("DELETE", "/things/a")).toEqual({ kind: "other_method", allowed: ["GET", "POST"] });
});

test.each(["/", "/thing", "/things/", "/things/a/jobs", "/topics/", "/groups/all/", "//things"])("%s leads nowhere", (path) => {
  expect(table.match("GET", path)).toEqual({ kind: "none" });
});

test("a label that cannot be decoded is told", () => {
  expect(table.match("GET", "/things/%zz")).toEqual({ kind: "malformed", received: "%zz" });
});
