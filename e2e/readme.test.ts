/** The README's commands, run as printed by a shell. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { readmeFirstMessage } from "./support/readme-script.ts";
import { run, type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";

let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess();
});
afterAll(() => server.remove());

test("first message: registered, forwarded, explained", async (context) => {
  needProgram(context, "bash");
  const { code, stdout, stderr } = await run("bash", ["-c", readmeFirstMessage(server)], { THINGSTEAD_DATA_DIR: server.dataDir });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).toContain(`Payload: '{"attr_name":"temperature", "attr_value":"0"}' (Length: 45)`);
  expect(stdout).toContain("Topic: '/ymXuzyfmuQb/esp8266_test001/relay'");
  expect(stdout).toContain(`Payload: '{"attr_name":"temperature","attr_value":"0"}' (Length: 44)`);
  for (const code of ["device.pre_authenticated", "device.connected", "device.subscribed", "message.received", "device.disconnected"]) {
    expect(stdout).toContain(code);
  }
});
