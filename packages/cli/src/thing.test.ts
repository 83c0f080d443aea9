import { expect, test } from "vitest";
import { runThingstead } from "./index.ts";
import { createScriptedIo, type Script } from "./scripted-io.ts";

const key = ["--key", "id:secret", "--server", "http://things.example"];
const files = { "device.pem.crt": "CRT\n", "private.pem.key": "KEY\n", "public.pem.key": "PUB\n", "Amazon-root-CA-1.pem": "CA\n" };
const started = {
  thing: { thingName: "esp32", attributes: {} },
  clientId: "esp32",
  certificate: { certificateId: "ab12" },
  policy: { policyName: "esp32-policy" },
  endpoint: { host: "things.example", port: 8883, ports: [1883, 8883] },
  files,
};

async function run(argv: readonly string[], script: Script = {}) {
  const { io, seen } = createScriptedIo({ answer: () => ({ status: 201, body: started }), ...script });
  const code = await runThingstead([...argv, ...key, "--lang", "en"], io);
  return { code, seen };
}

test("thing create writes the vendor's files, the key for its owner alone, and tells how to try it", async () => {
  const { code, seen } = await run(["thing", "create", "esp32", "--out", "keys"]);
  expect(code).toBe(0);
  expect(seen.written).toEqual(Object.fromEntries(Object.entries(files).map(([name, text]) => [`keys/${name}`, text])));
  expect(seen.modes["keys/private.pem.key"]).toBe("600");
  expect(seen.requests.map(({ method, url, body }) => [method, url, body])).toEqual([
    ["POST", "http://things.example/api/v1/fleet/quick-start", '{"thingName":"esp32"}'],
  ]);
  expect(seen.stdout).toContain("mosquitto_pub -h things.example -p 8883 --cafile keys/Amazon-root-CA-1.pem --cert keys/device.pem.crt");
  expect(seen.stdout).not.toContain("KEY");
});

test("topics, an existing policy and everything exclude each other", async () => {
  const one = await run(["thing", "create", "esp32", "--topic", "topic/esp32at", "--topic", "cmd/#", "--client-id", "c"]);
  expect(JSON.parse(one.seen.requests[0]?.body ?? "")).toEqual({
    thingName: "esp32",
    clientId: "c",
    policy: { topics: ["topic/esp32at", "cmd/#"] },
  });
  expect(one.seen.stdout).toContain("-t topic/esp32at");
  const two = await run(["thing", "create", "esp32", "--policy", "p", "--allow-everything"]);
  expect([two.code, two.seen.requests.length]).toEqual([2, 0]);
});

test("files that are there stay, and nothing is made", async () => {
  const { code, seen } = await run(["thing", "create", "esp32"], { files: { "esp32/private.pem.key": "old" } });
  expect([code, seen.requests.length]).toEqual([1, 0]);
  expect(seen.stderr).toContain("cli.file_unwritable");
});

test("a key that cannot be written is not lost", async () => {
  const { code, seen } = await run(["thing", "create", "esp32"], { isDiskFull: true });
  expect(code).toBe(1);
  expect(seen.stdout).toBe("CRT\nKEY\nPUB\nCA\n");
});

test("for programs: JSON with the files' places and no key", async () => {
  const { seen } = await run(["thing", "create", "esp32", "--json"]);
  expect(JSON.parse(seen.stdout)).toMatchObject({ clientId: "esp32", files: { "private.pem.key": "esp32/private.pem.key" } });
  expect(seen.stdout).not.toContain("KEY");
});

test("thing list, show, delete", async () => {
  const lamp = { thingName: "lamp", typeName: "Light", attributes: { room: "hall" }, status: "ONLINE" };
  const list = await run(["thing", "list"], { answer: () => ({ status: 200, body: { items: [lamp], nextToken: "n1" } }) });
  expect(list.seen.stdout).toMatch(/lamp.*Light.*room=hall[\s\S]*--next n1/);
  const show = await run(["thing", "show", "lamp"], {
    answer: ({ url }) => ({ status: 200, body: url.endsWith("/principals") ? { items: [{ kind: "certificate", id: "ab12" }] } : lamp }),
  });
  expect(show.seen.stdout).toMatch(/ONLINE[\s\S]*ab12/);
  const gone = await run(["thing", "delete", "lamp"], { answer: () => ({ status: 204, body: "" }) });
  expect([gone.code, gone.seen.requests[0]?.method]).toEqual([0, "DELETE"]);
  const all = await run(["thing", "delete", "lamp", "--with-certificates"], {
    answer: ({ url }) =>
      url.endsWith("/principals") ? { body: { items: [{ kind: "certificate", id: "ab12" }] } } : { status: 204, body: "" },
  });
  expect(all.seen.requests.map(({ method, url, body }) => [method, url.slice("http://things.example/api/v1/fleet".length), body])).toEqual([
    ["GET", "/things/lamp/principals", undefined],
    ["PATCH", "/certificates/ab12", '{"status":"INACTIVE"}'],
    ["DELETE", "/certificates/ab12?isForced=true", undefined],
    ["DELETE", "/things/lamp", undefined],
  ]);
});
