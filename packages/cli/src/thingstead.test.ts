import { expect, test } from "vitest";
import type { HttpRequest } from "./http.ts";
import { runThingstead } from "./index.ts";
import { createScriptedIo, type Script, type ScriptedAnswer } from "./scripted-io.ts";

async function run(line: string | string[], script: Script = {}) {
  const { io, seen } = createScriptedIo(script);
  const exitCode = await runThingstead(typeof line === "string" ? line.split(" ") : line, io);
  return { exitCode, ...seen };
}

const answerWith = (answer: ScriptedAnswer) => ({ answer: () => answer });
const mqttUser = { userName: "ada", description: "", rights: [{ operation: "PUB", filter: "a/#" }], createdAt: "t", modifiedAt: "t" };
const product = { productKey: "pk", name: "lamp", description: "", nodeType: "device", topicStyle: "user", dataFormat: 1, createdAt: "t" };
const device = { iotId: "i", productKey: "pk", deviceName: "dn", nickname: "", status: "ONLINE", isEnabled: true, createdAt: "t" };
const page = (items: object[]) => ({ items, page: 1, pageSize: 20, total: items.length });

function sent({ requests }: { requests: HttpRequest[] }): unknown[] {
  return requests.map(({ method, url, body }) => [
    method,
    url.replace("http://server.example", ""),
    ...(body === undefined ? [] : [JSON.parse(body)]),
  ]);
}

test.each([
  [
    "product create lamp --data-format 0 --product-key pk",
    ["POST", "/api/v1/products", { name: "lamp", dataFormat: 0, productKey: "pk" }],
    product,
  ],
  ["product list --page 2 --page-size 5", ["GET", "/api/v1/products?page=2&pageSize=5"], page([product])],
  ["product show pk --secret", ["GET", "/api/v1/products/pk?secret=true"], product],
  ["product delete pk", ["DELETE", "/api/v1/products/pk"], undefined],
  ["device create pk dn --device-secret s", ["POST", "/api/v1/products/pk/devices", { deviceName: "dn", deviceSecret: "s" }], device],
  ["device list", ["GET", "/api/v1/devices?page=1&pageSize=20"], page([device])],
  ["device list pk --status ONLINE", ["GET", "/api/v1/products/pk/devices?page=1&pageSize=20&status=ONLINE"], page([device])],
  ["device show pk a/b", ["GET", "/api/v1/products/pk/devices/a%2Fb"], device],
  ["device delete pk dn", ["DELETE", "/api/v1/products/pk/devices/dn"], undefined],
  ["device enable pk dn", ["POST", "/api/v1/products/pk/devices/dn/enable"], device],
  ["device disable pk dn", ["POST", "/api/v1/products/pk/devices/dn/disable"], device],
  ["device batch pk --count 3", ["POST", "/api/v1/products/pk/device-batches", { count: 3 }], { items: [device], total: 1 }],
  ["device batch pk --names a,b", ["POST", "/api/v1/products/pk/device-batches", { deviceNames: ["a", "b"] }], { items: [], total: 0 }],
  [
    'property set pk dn Level=5 Name=hall Text="5" Color={"Red":1}',
    ["POST", "/api/v1/products/pk/devices/dn/properties", { values: { Level: 5, Name: "hall", Text: "5", Color: { Red: 1 } } }],
    { id: "7" },
  ],
  [
    "property set pk dn Level=null --desired",
    ["PATCH", "/api/v1/products/pk/devices/dn/desired", { values: { Level: null } }],
    { versions: { Level: 1 } },
  ],
  ["property get pk dn", ["GET", "/api/v1/products/pk/devices/dn/properties"], { values: { Level: { value: 5, time: "t" } } }],
  [
    "property get pk dn Level --history --limit 5",
    ["GET", "/api/v1/products/pk/devices/dn/properties/Level/history?limit=5"],
    { items: [{ value: 5, time: "t" }] },
  ],
  [
    'service call pk dn Ask {"word":"now"} --timeout 900',
    ["POST", "/api/v1/products/pk/devices/dn/services/Ask/calls", { input: { word: "now" }, timeoutMilliseconds: 900 }],
    { id: "7", code: 200, output: {} },
  ],
  ["service call pk dn Blink", ["POST", "/api/v1/products/pk/devices/dn/services/Blink/calls", {}], { id: "7" }],
  ["topic create pk data PUB", ["POST", "/api/v1/products/pk/topics", { topic: "data", operation: "PUB" }], { id: 1, template: "x" }],
  ["topic list pk", ["GET", "/api/v1/products/pk/topics"], { items: [] }],
  ["topic delete pk 7", ["DELETE", "/api/v1/products/pk/topics/7"], undefined],
  [
    "mqtt-user create ada --allow PUB:a/# --allow SUB:b",
    [
      "POST",
      "/api/v1/mqtt-users",
      {
        userName: "ada",
        rights: [
          { operation: "PUB", filter: "a/#" },
          { operation: "SUB", filter: "b" },
        ],
      },
    ],
    mqttUser,
  ],
  ["mqtt-user list", ["GET", "/api/v1/mqtt-users?page=1&pageSize=20"], page([mqttUser])],
  ["mqtt-user show ada", ["GET", "/api/v1/mqtt-users/ada"], mqttUser],
  ["mqtt-user update ada --description x", ["PATCH", "/api/v1/mqtt-users/ada", { description: "x" }], mqttUser],
  ["mqtt-user set-password ada --password longenough", ["POST", "/api/v1/mqtt-users/ada/password", { password: "longenough" }], mqttUser],
  ["mqtt-user delete ada", ["DELETE", "/api/v1/mqtt-users/ada"], undefined],
  ["rule start 3", ["POST", "/api/v1/rules/3/start"], { id: 3, name: "r" }],
  ["rule stop 3", ["POST", "/api/v1/rules/3/stop"], { id: 3, name: "r" }],
  ["rule delete 3", ["DELETE", "/api/v1/rules/3"], undefined],
  ["rule list", ["GET", "/api/v1/rules?page=1&pageSize=20"], page([])],
  ["rule check SELECT", ["POST", "/api/v1/rules/check", { sql: "SELECT" }], { problems: [] }],
  [
    "rule check SELECT --language aws --sql-version 2016-03-23",
    ["POST", "/api/v1/rules/check", { sql: "SELECT", language: "aws", sqlVersion: "2016-03-23" }],
    { problems: [] },
  ],
  ["rule dead-letters 3", ["GET", "/api/v1/rules/3/dead-letters?page=1&pageSize=20"], page([])],
  ["rule dead-letters 3 --retry 9", ["POST", "/api/v1/dead-letters/9/retry"], undefined],
  ["rule dead-letters 3 --delete 9", ["DELETE", "/api/v1/dead-letters/9"], undefined],
  [
    "publish /pk/dn/user/get hi --qos 1",
    ["POST", "/api/v1/products/pk/devices/dn/messages", { topic: "/pk/dn/user/get", qos: 1, payload: "hi" }],
    { messageId: "1" },
  ],
  [
    "log --device pk/dn --failures --limit 5",
    ["GET", "/api/v1/device-log?productKey=pk&deviceName=dn&isSuccess=false&limit=5"],
    { items: [] },
  ],
  ["log --client-id meter-1 --limit 5", ["GET", "/api/v1/device-log?clientId=meter-1&limit=5"], { items: [] }],
] as const)("%s", async (line, request, body) => {
  const asPeople = await run(line, answerWith({ status: body === undefined ? 204 : 200, body }));
  expect(sent(asPeople)).toEqual([request]);
  expect(asPeople).toMatchObject({ exitCode: 0, stderr: "" });
  expect(asPeople.requests[0]?.headers.authorization).toBe("Bearer id:secret");
  const asProgram = await run(`${line} --json`, answerWith({ status: body === undefined ? 204 : 200, body }));
  expect(asProgram.exitCode).toBe(0);
  const parsed = JSON.parse(asProgram.stdout);
  if (body !== undefined) expect(parsed).toEqual(body);
});

test("rule create takes several actions and starts at once on wish", async () => {
  const rule = {
    id: 1,
    name: "r",
    description: "",
    sql: "s",
    dataType: "json",
    isRunning: true,
    actions: [],
    createdAt: "t",
    statistics: { matched: 0 },
  };
  const line = [
    "rule",
    "create",
    "r",
    "--sql",
    'SELECT * FROM "/a"',
    "--republish",
    "/a/b",
    "--republish",
    "/c",
    "--webhook",
    "http://h/",
    "--start",
  ];
  const done = await run(line, answerWith({ status: 201, body: rule }));
  expect(sent(done)).toEqual([
    [
      "POST",
      "/api/v1/rules",
      {
        name: "r",
        sql: 'SELECT * FROM "/a"',
        actions: [
          { type: "republish", topic: "/a/b" },
          { type: "republish", topic: "/c" },
          { type: "webhook", url: "http://h/" },
        ],
        isRunning: true,
      },
    ],
  ]);
});

test("a rule with problems fails with place and code", async () => {
  const done = await run("rule check SELEKT", answerWith({ body: { problems: [{ message: "expected SELECT", line: 1, column: 4 }] } }));
  expect(done.exitCode).toBe(1);
  expect(done.stderr).toContain("[rules.sql_invalid] line 1, column 4: expected SELECT");
});

test("a refusal of the server goes to stderr with its code; nothing on stdout, exit code 1", async () => {
  const body = { error: { code: "registry.device_not_found", message: "No device.", requestId: "r" } };
  for (const flags of ["", " --json"]) {
    const done = await run(`device show pk dn${flags}`, answerWith({ status: 404, body }));
    expect(done).toMatchObject({ exitCode: 1, stdout: "", stderr: "error [registry.device_not_found] No device.\n" });
  }
});

test("an unreachable server and one that is not ours are told apart", async () => {
  const unreachable = await run("product list", {
    answer: () => {
      throw Object.assign(new Error(""), { code: "ECONNREFUSED" });
    },
  });
  expect([unreachable.exitCode, unreachable.stderr]).toEqual([1, expect.stringContaining("[cli.server_unreachable]")]);
  expect(unreachable.stderr).toContain("ECONNREFUSED");
  const other = await run("product list", answerWith({ status: 502, body: "<html>" }));
  expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining("[cli.answer_unexpected]")]);
  const page = await run("product list", answerWith({ body: "<html>" }));
  expect([page.exitCode, page.stderr]).toEqual([1, expect.stringContaining("[cli.answer_unreadable]")]);
});

test.each([
  "nonsense",
  "product",
  "product create",
  "product list --page 0",
  "product list --page x",
  "product list --colour red",
  "device batch pk",
  "device batch pk --count 1 --names a",
  "device list --status SLEEPING",
  "topic create pk data READ",
  "mqtt-user create ada --allow READ:a",
  "publish /pk/dn/x",
  "publish /pk/dn/x hi --file f",
  "publish /pk hi",
  "publish pk/dn/x hi",
  "publish /pk/dn/x hi --qos 2",
  "log --device pk",
  "log --device pk/dn --client-id meter-1",
  "rule check s --topic /a",
  "device sign pk dn",
  "start --set nothing",
])("usage error: %s", async (line) => {
  const done = await run(line);
  expect(done).toMatchObject({ exitCode: 2, stdout: "", requests: [], started: [] });
  expect(done.stderr).not.toBe("");
});

test("help and version are no failure", async () => {
  expect(await run("--help")).toMatchObject({ exitCode: 0, stderr: "", stdout: expect.stringContaining("Usage: thingstead") });
  expect(await run("--version")).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test("status needs no key and sends none", async () => {
  const body = { status: "ok", version: "1", listen: { device: ["a:1"], http: [] } };
  const done = await run("status", { ...answerWith({ body }), environment: { THINGSTEAD_KEY: "" } });
  expect(done.exitCode).toBe(0);
  expect(done.stdout).toContain("a:1");
  expect(done.requests[0]?.headers.authorization).toBeUndefined();
});

test("device sign needs no server and gives the known vector of a device that sends a timestamp", async () => {
  const done = await run("device sign pk device secret --client-id 12345 --sign-method hmacsha1 --timestamp 789 --json");
  expect(done.requests).toEqual([]);
  const answer = JSON.parse(done.stdout);
  expect(answer).toMatchObject({
    clientId: "12345|securemode=3,signmethod=hmacsha1,timestamp=789|",
    userName: "device&pk",
    password: "fafd82a3d602b37fb0fa8b7892f24a477f851a14",
    host: "127.0.0.1",
    port: 1883,
  });
  expect(answer.mosquittoPub).toContain("-i '12345|securemode=3,signmethod=hmacsha1,timestamp=789|' -u 'device&pk'");
});

test("device sign takes the secret from the environment and quotes for the shell", async () => {
  const environment = { THINGSTEAD_DEVICE_SECRET: "secret" };
  const done = await run(["device", "sign", "pk", "dn", "--mode", "tls", "--cafile", "it's.crt"], { environment });
  expect(done.stdout).toContain(`--cafile 'it'\\''s.crt'`);
  expect(done.stdout).toContain("8883");
});

test("colour is for terminals only, and NO_COLOR and --json switch it off", async () => {
  const controlSequence = "\u001b[";
  const script = answerWith({ body: page([product]) });
  expect((await run("product list", { ...script, isTerminal: true })).stdout).toContain(controlSequence);
  for (const done of [
    await run("product list", script),
    await run("product list --json", { ...script, isTerminal: true }),
    await run("product list", { ...script, isTerminal: true, environment: { NO_COLOR: "1" } }),
  ]) {
    expect(done.stdout).not.toContain(controlSequence);
  }
});

test("errors are coloured when stderr is a terminal, whatever stdout is", async () => {
  expect((await run("publish oops x", { isErrorTerminal: true })).stderr).toContain("\u001b[31merror\u001b[39m");
  expect((await run("publish oops x", { isTerminal: true })).stderr).not.toContain("\u001b");
});

test("control characters that a device chose do not reach the terminal", async () => {
  const items = [{ ...device, nickname: "\u001b]0;evil\u0007\u202e" }];
  const done = await run("device list", answerWith({ body: page(items) }));
  expect(done.stdout).toContain("\\u001b]0;evil\\u0007\\u202e");
});

test("start hands its flags over by the settings' paths", async () => {
  const line =
    "start --data-dir d --listen-device 0 --listen-http 127.0.0.1:0 --plain users --access-key-id a --config c.yaml --set tls.minVersion=TLSv1.3";
  const { exitCode, started } = await run(line);
  expect(exitCode).toBe(0);
  expect(started).toMatchObject([
    {
      flags: {
        dataDir: "d",
        "listen.device": "0",
        "listen.http": "127.0.0.1:0",
        plain: "users",
        "accessKey.id": "a",
        "tls.minVersion": "TLSv1.3",
      },
      configFile: "c.yaml",
    },
  ]);
});

test("a start that is refused shows code and text in the language asked for", async () => {
  const error = Object.assign(new Error("english"), { code: "start.port_in_use", text: (language: string) => `text in ${language}` });
  const done = await run("start --lang zh", { startServer: () => Promise.reject(error) });
  expect(done).toMatchObject({ exitCode: 1, stderr: "错误 [start.port_in_use] text in zh\n" });
});

test("a refusal in the log shows what was received and expected, once", async () => {
  const refusal = { id: 1, time: "t", kind: "refuse", code: "access.x", isSuccess: false, productKey: "pk", deviceName: "dn" };
  const items = [{ ...refusal, reason: "Wrong. Received: aa.", received: "aa", expected: "bb\u001b[2J" }];
  const done = await run("log", answerWith({ body: { items } }));
  expect(done.stdout).toBe("t  refuse       access.x  pk/dn  Wrong. Received: aa.\n    expected: bb\\u001b[2J\n");
});

test("log --follow shows what was, then what comes, and takes a broken stream up where it broke off", async () => {
  const entry = (id: number) => ({ id, time: "t", kind: "connect", code: `c${id}`, isSuccess: true });
  const event = (id: number) => `id: ${id}\ndata: ${JSON.stringify(entry(id))}\n\n`;
  const answers: ScriptedAnswer[] = [
    { body: { items: [entry(2), entry(1)] } },
    { pieces: [": hello\n\n", event(3).slice(0, 9), event(3).slice(9), new Error("reset")] },
    { pieces: [`event: gap\ndata: {}\n\n${event(9)}`] },
    { status: 401, body: { error: { code: "api.access_key_invalid", message: "no" } } },
  ];
  const done = await run("log --follow --json --kind connect", { answer: (_request, count) => answers[count - 1] ?? {} });
  expect(
    done.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).id),
  ).toEqual([1, 2, 3, 9]);
  expect(done.requests.slice(1).map(({ url }) => new URL(url).searchParams.get("afterId"))).toEqual(["2", "3", "9"]);
  expect(done.sleeps).toHaveLength(2);
  expect(done.exitCode).toBe(1);
  expect(done.stderr).toContain("more happened");
});
