import { expect, test } from "vitest";
import type { HttpRequest } from "./http.ts";
import { runThingstead } from "./index.ts";
import { createScriptedIo, type Script } from "./scripted-io.ts";

async function importFile(content: string | Buffer, answer?: Script["answer"], language = "en") {
  const { io, seen } = createScriptedIo({
    files: { "fleet.txt": content },
    answer: answer ?? (() => ({ status: 201, body: { items: [], total: 0 } })),
  });
  const exitCode = await runThingstead(["device", "import", "pk", "fleet.txt", "--lang", language], io);
  return { exitCode, ...seen, bodies: seen.requests.map(({ body }) => JSON.parse(body ?? "null")) };
}

test("CSV as the server exports it comes back as it was", async () => {
  const csv = '\uFEFFdeviceName,deviceSecret,productKey,iotId\r\n\'=cmd,"a""b,\nc",pk,i1\r\n\'-x,s,pk,\'@i\r\n\r\n';
  const done = await importFile(csv);
  expect(done.exitCode).toBe(0);
  expect(done.bodies).toEqual([
    {
      devices: [
        { deviceName: "=cmd", deviceSecret: 'a"b,\nc', iotId: "i1" },
        { deviceName: "-x", deviceSecret: "s", iotId: "@i" },
      ],
    },
  ]);
});

test.each([
  '[{"deviceName":"a","deviceSecret":"s","status":"ONLINE"}]',
  '{"items":[{"deviceName":"a","deviceSecret":"s","productKey":"pk"}]}',
  ' {"devices":[{"deviceName":"a","deviceSecret":"s"}]}',
])("JSON in its forms: %s", async (json) => {
  expect((await importFile(json)).bodies).toEqual([{ devices: [{ deviceName: "a", deviceSecret: "s" }] }]);
});

test.each(["en", "zh"])("a file in another encoding is refused before anything is sent (%s)", async (language) => {
  const gbk = Buffer.from([...Buffer.from("deviceName,nickname\nlamp,"), 0xb5, 0xc6, 0x0a]);
  const done = await importFile(gbk, undefined, language);
  expect(done).toMatchObject({ exitCode: 1, requests: [] });
  expect(done.stderr).toContain("UTF-8");
});

test.each([
  ["", "cli.import_empty"],
  ["deviceName\n", "cli.import_empty"],
  ["[", "cli.import_invalid"],
  ["{}", "cli.import_invalid"],
  ["[5]", "cli.import_invalid"],
  ['[{"deviceName":5}]', "cli.import_invalid"],
  ["name,secret\na,b\n", "cli.import_invalid"],
  ["deviceName,deviceSecret\na\n", "cli.import_invalid"],
  ['deviceName\n"a\n', "cli.import_invalid"],
  ['deviceName\na"b\n', "cli.import_invalid"],
  ["deviceName,productKey\na,otherpk\n", "cli.import_invalid"],
])("%j is refused before anything is sent", async (content, code) => {
  const done = await importFile(content);
  expect(done).toMatchObject({ exitCode: 1, requests: [], stdout: "" });
  expect(done.stderr).toContain(`[${code}]`);
});

test("a large file goes in batches, and a failure says how many are registered already", async () => {
  const csv = `deviceName\n${Array.from({ length: 25_000 }, (_, index) => `d${index}`).join("\n")}\n`;
  const sizeOf = ({ body }: HttpRequest) => JSON.parse(body ?? "").devices.length as number;
  const items = (count: number) => Array.from({ length: count }, () => ({ deviceName: "d" }));
  const done = await importFile(csv, (request, count) =>
    count === 3
      ? { status: 409, body: { error: { code: "registry.device_exists", message: "taken" } } }
      : { status: 201, body: { items: items(sizeOf(request)), total: sizeOf(request) } },
  );
  expect(done.requests.map(sizeOf)).toEqual([10_000, 10_000, 5_000]);
  expect(done.exitCode).toBe(1);
  expect(done.stderr).toContain("[registry.device_exists] Stopped after 20000 devices");
});
