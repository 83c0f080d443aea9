import { expect, test } from "vitest";
import models from "../../../conformance/thing-model/models-valid.json" with { type: "json" };
import { runThingstead } from "./index.ts";
import { createProcessIo } from "./io.ts";

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
