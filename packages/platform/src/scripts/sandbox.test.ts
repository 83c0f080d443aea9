import { beforeAll, expect, test } from "vitest";
import { defaultScriptLimits } from "./limits.ts";
import { openSandbox, type Sandbox } from "./sandbox.ts";
import type { JobOutcome } from "./worker-messages.ts";

const limits = { ...defaultScriptLimits, loadedScriptsMax: 2, outputBytesMax: 1_000, memoryBytesMax: 4 * 1024 * 1024 };
let now = 0;
let sandbox: Sandbox;
let version = 0;

beforeAll(async () => {
  // Every look at the clock is a millisecond: a loop without end meets its deadline after as many looks.
  sandbox = await openSandbox(limits, () => {
    now += 1;
    return now;
  });
});

function run(code: string, name = "f", argumentsText = "[[1,2,255]]"): JobOutcome {
  version += 1;
  return sandbox.perform({ key: "pk", version, code, run: { function: name, argumentsText } });
}

test.each([
  ["function f(b) { return { n: b.length, last: b[2] }; }", '{"n":3,"last":255}'],
  ["const f = (b) => ({ sum: b.reduce((a, c) => a + c, 0) });", '{"sum":258}'],
  ["var f = function (b) { return [].slice.call(b, 1); };", "[2,255]"],
  ["function f(b) { return new Uint8Array([b[0], 300]); }", "[1,44]"],
])("declared in whatever way: %s", (code, text) => {
  expect(run(code)).toEqual({ kind: "done", text });
});

test("what comes back as nothing", () => {
  expect(run("function f() {}")).toEqual({ kind: "done" });
  expect(run("function g() {}")).toEqual({ kind: "function_missing" });
  expect(run("var f = 7;")).toEqual({ kind: "function_missing" });
});

test.each([
  ["function f() { missing(); }", /ReferenceError.*line 1/],
  ["function f(b) {\n  throw new Error('bad length');\n}", /^Error: bad length \(line 2\)$/],
  ["function f() { throw 'text'; }", /^text$/],
  ["function f() { return f() + 1; }", /call stack/],
  ["function f() { const a = []; for (;;) a.push(new Uint8Array(1000000)); }", /./],
])("a failure is told: %s", (code, message) => {
  const outcome = run(code);
  expect(outcome).toMatchObject({ kind: "threw" });
  if (outcome.kind === "threw") expect(outcome.message).toMatch(message);
});

test.each([
  "function f() { for (;;); }",
  "for (;;);",
  "function f() { return { toJSON() { for (;;); } }; }",
  "function f() { /(a+)+$/.test('a'.repeat(40) + 'b'); return {}; }",
])("a run without end is interrupted: %s", (code) => {
  expect(run(code)).toMatchObject({ kind: "threw", isOverrun: true });
});

test("a script that changes the language's own functions only hurts itself", () => {
  const code =
    "JSON.stringify = () => 'x'; JSON.parse = () => 1; Array.from = null; Reflect.apply = null; function f(b) { return { n: b.length }; }";
  expect(run(code)).toEqual({ kind: "done", text: '{"n":3}' });
  expect(run("function f(b) { return { n: b.length }; }")).toEqual({ kind: "done", text: '{"n":3}' });
});

test("it finds nothing of the server", () => {
  const names = ["process", "require", "fetch", "setTimeout", "Buffer", "WebAssembly", "XMLHttpRequest"];
  expect(run(`function f() { return ${JSON.stringify(names)}.filter((name) => name in globalThis); }`)).toEqual({
    kind: "done",
    text: "[]",
  });
  expect(run("async function f() { await import('node:fs'); }")).toMatchObject({ kind: "done", text: "{}" });
  expect(run("import fs from 'node:fs'; function f() {}")).toMatchObject({ kind: "threw" });
});

test("too much is not handed over", () => {
  expect(run("function f() { return 'x'.repeat(2000); }")).toEqual({ kind: "output_too_large", characters: 2002 });
});

test("one product's script knows nothing of another's, a kept one keeps its globals, the least used one goes", () => {
  const code = "var count = 0; function f() { count += 1; return count; }";
  const perform = (key: string, withCode: boolean) =>
    sandbox.perform({ key, version: 1, ...(withCode ? { code } : {}), run: { function: "f", argumentsText: "[]" } });
  expect(perform("a", false)).toEqual({ kind: "code_needed" });
  expect(perform("a", true)).toEqual({ kind: "done", text: "1" });
  expect(perform("a", false)).toEqual({ kind: "done", text: "2" });
  expect(perform("b", true)).toEqual({ kind: "done", text: "1" });
  expect(perform("a", false)).toEqual({ kind: "done", text: "3" });
  expect(perform("c", true)).toEqual({ kind: "done", text: "1" });
  expect(perform("b", false)).toEqual({ kind: "code_needed" });
  expect(sandbox.perform({ key: "a", version: 2, run: { function: "f", argumentsText: "[]" } })).toEqual({ kind: "code_needed" });
});

test("a thousand failing scripts leave no memory behind that stops the next one", () => {
  for (let index = 0; index < 1_000; index += 1) run("function f() { throw new Error('x'); }");
  expect(run("function f() { return 1; }")).toEqual({ kind: "done", text: "1" });
});
