import { expect, test } from "vitest";
import { createScriptedIo } from "./scripted-io.ts";
import { findConnection } from "./settings.ts";
import { createTranslate } from "./texts/index.ts";

const t = createTranslate("en");
const local = JSON.stringify({ server: "http://127.0.0.1:18080", key: "local:secret" });

function find(options: Parameters<typeof findConnection>[0], environment: Record<string, string>, files: Record<string, string>) {
  const { io } = createScriptedIo({ environment: { THINGSTEAD_SERVER: "", THINGSTEAD_KEY: "", ...environment }, files });
  return findConnection(options, io, t);
}

test("flag, then environment, then the local server's file, then the default", () => {
  const files = { "data/cli.json": local, "other/cli.json": local.replace("local:", "other:") };
  expect(find({}, {}, {})).toEqual({ server: "http://127.0.0.1:8080", key: undefined });
  expect(find({}, {}, files)).toEqual({ server: "http://127.0.0.1:18080", key: "local:secret" });
  expect(find({}, { THINGSTEAD_DATA_DIR: "other" }, files).key).toBe("other:secret");
  expect(find({ dataDir: "other" }, { THINGSTEAD_DATA_DIR: "data" }, files).key).toBe("other:secret");
  expect(find({}, { THINGSTEAD_KEY: "env:secret" }, files)).toEqual({ server: "http://127.0.0.1:18080", key: "env:secret" });
  expect(find({ server: "http://x/", key: "flag:secret" }, { THINGSTEAD_SERVER: "http://y" }, files)).toEqual({
    server: "http://x",
    key: "flag:secret",
  });
});

test("the local server's key is not sent to another server", () => {
  const files = { "data/cli.json": local };
  expect(find({ server: "http://elsewhere" }, {}, files).key).toBeUndefined();
  expect(find({ server: "http://127.0.0.1:18080/" }, {}, files).key).toBe("local:secret");
});

test.each([
  ["cli.server_invalid", { server: "ftp://x" }, {}],
  ["cli.server_invalid", { server: "x" }, {}],
  ["cli.key_invalid", { key: "nocolon" }, {}],
  ["cli.file_damaged", {}, { "data/cli.json": "{" }],
  ["cli.file_damaged", {}, { "data/cli.json": '{"server":1,"key":"a:b"}' }],
] as const)("%s %j", (code, options, files) => {
  expect(() => find(options, {}, files)).toThrow(expect.objectContaining({ code }));
});
