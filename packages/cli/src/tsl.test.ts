import { expect, test } from "vitest";
import models from "../../../conformance/thing-model/models-valid.json" with { type: "json" };
import { runThingstead } from "./index.ts";
import { createProcessIo } from "./io.ts";
import { createScriptedIo } from "./scripted-io.ts";

async function run(line: string, file: string) {
  const texts = { stdout: "", stderr: "" };
  const exitCode = await runThingstead(line.split(" "), {
    ...createProcessIo(),
    environment: {},
    stdout: (text) => {
      texts.stdout += text;
    },
    stderr: (text) => {
      texts.stderr += text;
    },
    readFile: () => Buffer.from(file),
  });
  return { exitCode, ...texts };
}

test("tsl types prints an interface, or JSON for programs, without a server", async () => {
  const model = JSON.stringify(models.vectors[0]?.tsl);
  const asPeople = await run("tsl types lamp.json --name Lamp", model);
  expect(asPeople).toMatchObject({ exitCode: 0, stderr: "" });
  expect(asPeople.stdout).toContain("export interface Lamp {");
  const asProgram = await run("tsl types lamp.json --name Lamp --json", model);
  expect(JSON.parse(asProgram.stdout)).toEqual({ types: asPeople.stdout });
});

test("a file that is no thing model is refused with the place and the code, in the wished language", async () => {
  const refused = await run("--lang zh tsl types lamp.json", '{"properties": [{"identifier": 5}]}');
  expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
  expect(refused.stderr).toMatch(/\[thing_model\.\w+\].*properties\[0\]/s);
});

test("tsl import sends the file, and publishes it on wish", async () => {
  const tsl = models.vectors[0]?.tsl;
  const { io, seen } = createScriptedIo({
    files: { "lamp.json": JSON.stringify(tsl) },
    answer: ({ url }) => (url.endsWith("/publish") ? { status: 201, body: { version: "1.0" } } : { status: 204 }),
  });
  expect(await runThingstead("tsl import pk lamp.json --publish --model-version 1.0".split(" "), io)).toBe(0);
  expect(
    seen.requests.map(({ method, url, body }) => [method, url.replace("http://server.example/api/v1", ""), JSON.parse(body ?? "")]),
  ).toEqual([
    ["PUT", "/products/pk/thing-model", tsl],
    ["POST", "/products/pk/thing-model/publish", { version: "1.0" }],
  ]);
  expect(seen.stdout).toContain("1.0");
});

test("tsl import sends nothing of a file that is no thing model", async () => {
  const { io, seen } = createScriptedIo({ files: { "lamp.json": '{"properties": 5}' } });
  expect(await runThingstead("tsl import pk lamp.json".split(" "), io)).toBe(1);
  expect(seen.requests).toEqual([]);
});

test("tsl export prints one module as a file, and names the others", async () => {
  const modules = [{ schema: "s" }, { schema: "s", functionBlockId: "Battery" }];
  const open = () => createScriptedIo({ answer: () => ({ body: { modules } }) });
  const draft = open();
  expect(await runThingstead("tsl export pk".split(" "), draft.io)).toBe(0);
  expect(JSON.parse(draft.seen.stdout)).toEqual(modules[0]);
  expect(draft.seen.stderr).toContain("Battery");
  const published = open();
  expect(await runThingstead("tsl export pk --model-version 1.0 --module Battery".split(" "), published.io)).toBe(0);
  expect(published.seen.requests[0]?.url).toBe("http://server.example/api/v1/products/pk/thing-model/published?version=1.0");
  expect(JSON.parse(published.seen.stdout)).toEqual(modules[1]);
  const missing = open();
  expect(await runThingstead("tsl export pk --module Other".split(" "), missing.io)).toBe(1);
  expect(missing.seen.stderr).toContain("[cli.module_missing]");
});
