import { expect, test } from "vitest";
import { runThingstead } from "./index.ts";
import { createScriptedIo } from "./scripted-io.ts";

const shadow = { state: { reported: { a: 1 }, desired: { a: 2, b: "x" } }, metadata: {}, version: 7, timestamp: 1 };
const version = { id: 3, bytes: 7, sha256: "s", createdAt: "t" };

test("a shadow is shown, and set: named values beside the others, or these alone", async () => {
  const { io, seen } = createScriptedIo({ answer: () => ({ body: shadow }) });
  expect(await runThingstead(["shadow", "get", "pk", "lamp1"], io)).toBe(0);
  expect(seen.stdout).toMatch(/a\s.*1\s.*2/);
  expect(seen.stdout).toContain('"x"');
  await runThingstead(["shadow", "set", "pk", "lamp1", "a=2", "b=x", "c=null", "--shadow-version", "7"], io);
  await runThingstead(["shadow", "set", "pk", "lamp1", "a=2", "--all"], io);
  await runThingstead(["shadow", "set", "pk", "lamp1", "--all"], io);
  const put = seen.requests.slice(1);
  expect(put.map(({ method, url }) => [method, url])).toEqual(
    Array(3).fill(["PUT", "http://server.example/api/v1/products/pk/devices/lamp1/shadow"]),
  );
  expect(put.map(({ body }) => JSON.parse(body ?? ""))).toEqual([
    { desired: { a: 2, b: "x", c: null }, isDelta: true, version: 7 },
    { desired: { a: 2 }, isDelta: false },
    { desired: null, isDelta: false },
  ]);
});

test("a shadow is not cleared by leaving the values out", async () => {
  const { io, seen } = createScriptedIo();
  expect(await runThingstead(["shadow", "set", "pk", "lamp1"], io)).toBe(2);
  expect(await runThingstead(["shadow", "set", "pk", "lamp1", "a"], io)).toBe(2);
  expect(seen.requests).toEqual([]);
});

test("a configuration is published, switched on, pushed and shown with its content", async () => {
  const { io, seen } = createScriptedIo({
    files: { "c.json": '{"a":1}' },
    answer({ method, url }) {
      if (url.endsWith("/versions/3")) return { body: { id: 3, content: '{"a":1}' } };
      if (method === "PATCH") return { status: 204 };
      return { body: method === "GET" ? { isEnabled: true, current: version, versions: [version] } : version };
    },
  });
  expect(await runThingstead(["config", "publish", "pk", "c.json"], io)).toBe(0);
  expect(seen.requests.map(({ method }) => method)).toEqual(["PUT", "PATCH"]);
  expect(JSON.parse(seen.requests[0]?.body ?? "")).toEqual({ payloadBase64: Buffer.from('{"a":1}').toString("base64") });
  expect(JSON.parse(seen.requests[1]?.body ?? "")).toEqual({ isEnabled: true });
  expect(await runThingstead(["config", "push", "pk", "--lang", "zh"], io)).toBe(0);
  expect(seen.requests.at(-1)).toMatchObject({ method: "POST", url: "http://server.example/api/v1/products/pk/config/push" });
  expect(seen.stdout).toContain("版本 3");
  expect(await runThingstead(["config", "show", "pk", "--json"], io)).toBe(0);
  expect(seen.stdout).toContain('"content": "{\\"a\\":1}"');
  expect(await runThingstead(["config", "publish", "pk", "none.json"], io)).toBe(1);
  expect(seen.stderr).toContain("[cli.file_unreadable]");
});

test("files of a device are listed, saved without taking another file's place, and deleted", async () => {
  const file = { uploadId: "u1", name: "log", bytes: 6, storedBytes: 6, isComplete: true, createdAt: "t", modifiedAt: "t" };
  const { io, seen } = createScriptedIo({
    files: { "there.log": "old" },
    answer({ method, url }) {
      if (url.endsWith("/content")) return { pieces: ["abc", "def"] };
      return method === "DELETE" ? { status: 204 } : { body: { page: 1, pageSize: 20, total: 1, items: [file] } };
    },
  });
  expect(await runThingstead(["files", "list", "pk", "lamp1"], io)).toBe(0);
  expect(seen.stdout).toMatch(/u1.*log.*6.*true/);
  const download = ["files", "download", "pk", "lamp1", "u1", "--output"];
  expect(await runThingstead([...download, "new.log"], io)).toBe(0);
  expect(seen.written).toEqual({ "new.log": "abcdef" });
  expect(await runThingstead([...download, "there.log"], io)).toBe(1);
  expect(seen.stderr).toContain("[cli.file_unwritable]");
  expect(await runThingstead(["files", "delete", "pk", "lamp1", "u1"], io)).toBe(0);
  expect(seen.requests.at(-1)).toMatchObject({
    method: "DELETE",
    url: "http://server.example/api/v1/products/pk/devices/lamp1/files/u1",
  });
});
