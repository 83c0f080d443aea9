/** Why a generic client did or did not get in, asked at the command line by its client id. */
import mqtt from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startProgram } from "./support/program-process.ts";
import { repository, runThingstead, type ServerProcess, startServerProcess, testAccessKey } from "./support/server-process.ts";

let server: ServerProcess;
let environment: Record<string, string>;
beforeAll(async () => {
  server = await startServerProcess({ environment: { THINGSTEAD_PLAIN: "anonymous" } });
  environment = {
    THINGSTEAD_SERVER: `http://127.0.0.1:${server.httpPort}`,
    THINGSTEAD_KEY: `${testAccessKey.id}:${testAccessKey.secret}`,
  };
});
afterAll(() => server.remove());

const connect = (clientId: string) =>
  mqtt.connectAsync(`mqtt://127.0.0.1:${server.devicePort}`, { clientId, protocolVersion: 5, reconnectPeriod: 0 });

test("thingstead log --client-id shows that client's entries and nobody else's", async () => {
  const [meter, other] = [await connect("meter-1"), await connect("meter-2")];
  await meter.subscribeAsync("meters/#", { qos: 1 });
  await meter.publishAsync("meters/1", "17", { qos: 1 });
  await other.publishAsync("meters/2", "18", { qos: 1 });
  await Promise.all([meter.endAsync(), other.endAsync()]);
  const done = await runThingstead(["log", "--client-id", "meter-1", "--json"], environment);
  expect(done).toMatchObject({ code: 0, stderr: "" });
  const { items } = JSON.parse(done.stdout) as { items: { kind: string; clientId?: string; topic?: string }[] };
  expect(new Set(items.map(({ clientId }) => clientId))).toEqual(new Set(["meter-1"]));
  expect(items.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["connect", "subscribe", "publish", "deliver", "disconnect"]));
  const shown = await runThingstead(["log", "--client-id", "meter-2"], environment);
  expect(shown.stdout).toContain("meter-2");
  expect(shown.stdout).not.toContain("meter-1");
  expect((await runThingstead(["log", "--client-id", "nobody", "--json"], environment)).stdout).toMatch(/"items": \[\]/);
});

test("--follow hears that client only", async () => {
  const follower = startProgram(
    process.execPath,
    [`${repository}packages/cli/bin/thingstead.mjs`, "log", "--client-id", "meter-3", "--follow", "--json"],
    environment,
  );
  try {
    const first = follower.line("an entry", (line) => line.includes('"connect"'));
    // Followers hear what comes after they asked: the clients come until one is heard.
    for (let isHeard = false; !isHeard; ) {
      for (const clientId of ["meter-4", "meter-3"]) await (await connect(clientId)).endAsync();
      isHeard = await Promise.race([first.then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, 100, false))]);
    }
    expect(JSON.parse(await first)).toMatchObject({ kind: "connect", clientId: "meter-3" });
    expect(follower.lines.join("\n")).not.toContain("meter-4");
  } finally {
    follower.kill();
  }
});
