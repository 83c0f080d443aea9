/** The README's commands, run as printed by a shell. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { readmeAws, readmeFirstMessage, readmeThings, readmeVendorProgram } from "./support/readme-script.ts";
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

test("a thing with a model and its firmware; the vendor's SDK reads what the thing reported", async (context) => {
  needProgram(context, "bash");
  const environment = { THINGSTEAD_DATA_DIR: server.dataDir };
  const { code, stdout, stderr } = await run("bash", ["-c", readmeThings(server)], environment);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).toContain("RGB LED is off");
  expect(stdout).toMatch(/RGBColor +│ \{"Red":247,"Green":60,"Blue":74\}/);
  expect(stdout).toContain("The firmware is valid!");
  expect(stdout).toContain("RGB-LED-DEV-1  SUCCEEDED  100 %");
  expect(stdout).toMatch(/v10 +│ 1 /);

  const program = await run(process.execPath, ["--input-type=module", "-e", readmeVendorProgram(server)], {
    ACCESS_KEY_ID: server.accessKeyId,
    ACCESS_KEY_SECRET: server.accessKeySecret,
  });
  expect(program).toMatchObject({ code: 0, stdout: expect.stringContaining('RGBColor {"Red":247,"Green":60,"Blue":74}') });
}, 120_000);

test("a thing of AWS IoT: made by one command, and a module that hears itself", async (context) => {
  needProgram(context, "bash");
  const { code, stdout, stderr } = await run("bash", ["-c", readmeAws(server)], { THINGSTEAD_DATA_DIR: server.dataDir });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).toContain('+MQTTSUBRECV:0,"topic/esp32at",10,hello aws!');
  expect(stdout).toMatch(/Certificates +│ [0-9a-f]{64}/);
});
