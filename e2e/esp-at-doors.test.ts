/** `thingstead modem` as people use it: standard streams, a TCP port, a serial port; against our own server. [ESP-AT 8.1] */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SerialPort } from "serialport";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type AtHost, createAtHost, playTranscript } from "./support/at-host.ts";
import { type ProgramProcess, startProgram } from "./support/program-process.ts";
import { restClient } from "./support/rest-client.ts";
import { run, runThingstead, type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";
import { until } from "./support/until.ts";

let server: ServerProcess;
let folder: string;
const programs: ProgramProcess[] = [];
const cleanups: (() => unknown)[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "thingstead-modem-"));
  server = await startServerProcess({ environment: { THINGSTEAD_PLAIN: "users" } });
  const user = { userName: "espressif", password: "1234567890", rights: [{ filter: "topic/#", operation: "ALL" }] };
  const { status, body } = await restClient(server)("POST", "/mqtt-users", user);
  if (status !== 201) throw new Error(JSON.stringify(body));
});
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
  for (const program of programs.splice(0)) program.kill();
});
afterAll(async () => {
  await server?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const modemArguments = (...more: string[]) => [
  "packages/cli/bin/thingstead.mjs",
  "modem",
  "--map",
  `localhost=127.0.0.1:${server.devicePort}`,
  "--certificate",
  `mqtt_ca=${server.caFile}`,
  ...more,
];

function startModem(...more: string[]): ProgramProcess {
  const program = startProgram(process.execPath, modemArguments(...more), { LANG: "C" });
  programs.push(program);
  return program;
}

async function startListening(...more: string[]): Promise<number> {
  const program = startModem("--listen", "0", ...more);
  const line = await program.line("AT port", (each) => each.startsWith("AT port: "));
  return Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
}

function connectHost(port: number): AtHost {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  const host = createAtHost((bytes) => socket.write(bytes));
  socket.on("data", (bytes) => host.receive(bytes));
  socket.on("error", () => {});
  cleanups.push(() => socket.destroy());
  return host;
}

const boot = "<<\n<< ready";
const session = `
>> ATE0
<< ATE0
<<
<< OK
>> AT+CWJAP="ssid","password"
<< WIFI CONNECTED
<< WIFI GOT IP
<<
<< OK
>> AT+CIPSNTPCFG=1,8,"pool.ntp.org"
<<
<< OK
<< +TIME_UPDATED
>> AT+MQTTUSERCFG=0,3,"{client}","espressif","1234567890",0,0,""
<<
<< OK
>> AT+MQTTCONN=0,"localhost",8883,1
<< +MQTTCONNECTED:0,3,"localhost","8883","",1
<<
<< OK
>> AT+MQTTSUB=0,"topic/{client}",1
<<
<< OK
>> AT+MQTTPUB=0,"topic/{client}","hello aws!",1,0
<< +MQTTSUBRECV:0,"topic/{client}",10,hello aws!
<<
<< OK
`;

test("--listen: several hosts at once, each with a modem of its own, over TLS to our server", async () => {
  const port = await startListening();
  await Promise.all(["first", "second", "third"].map((client) => playTranscript(connectHost(port), `${boot}${session}`, { client })));
});

test("--listen: a wrong password and a topic without a right are refused", async () => {
  const host = connectHost(await startListening());
  await host.command("ATE0");
  await host.command('AT+CWJAP="ssid","password"');
  await host.command('AT+MQTTUSERCFG=0,2,"x","espressif","wrong",0,0,""');
  expect(await host.command('AT+MQTTCONN=0,"localhost",8883,0')).toEqual(["+MQTTDISCONNECTED:0", "ERROR"]);
  await host.command('AT+MQTTUSERCFG=0,2,"x","espressif","1234567890",0,0,""');
  expect((await host.command('AT+MQTTCONN=0,"localhost",8883,0')).at(-1)).toBe("OK");
  expect((await host.command('AT+MQTTSUB=0,"other",1')).at(-1)).toBe("ERROR");
});

test("--access-point, --state: what was joined is joined again after the power was off, and the file is the owner's alone", async () => {
  const state = join(folder, "state");
  const flags = ["--access-point", "lab=secret-pass@-62", "--state", state];
  const first = connectHost(await startListening(...flags));
  await first.command("ATE0");
  expect(await first.command('AT+CWJAP="lab","wrong-pass"')).toEqual(["+CWJAP:2", "ERROR"]);
  expect(await first.command('AT+CWJAP="other","x"')).toEqual(["+CWJAP:3", "ERROR"]);
  expect((await first.command('AT+CWJAP="lab","secret-pass"')).at(-1)).toBe("OK");
  expect((await first.command("AT+CWJAP?"))[0]).toContain('"lab","02:00:00:00:01:00",6,-62');
  for (const program of programs.splice(0)) program.kill();
  expect(statSync(join(state, "modem-0.json")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(state, "modem-0.json"), "utf8")).toContain("mqtt_ca");
  await playTranscript(connectHost(await startListening(...flags)), "<<\n<< ready\n<< WIFI CONNECTED\n<< WIFI GOT IP");
});

test("--fault: a clock in 1970 refuses our server's certificate, and the log says why", async () => {
  const program = startModem("--listen", "0", "--fault", "clock=1970", "--log");
  const line = await program.line("AT port", (each) => each.startsWith("AT port: "));
  const host = connectHost(Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]));
  await host.command("ATE0");
  await host.command('AT+CWJAP="ssid","password"');
  await host.command('AT+CIPSNTPCFG=1,8,"pool.ntp.org"');
  expect((await host.command("AT+CIPSNTPTIME?"))[0]).toMatch(/ 1970$/);
  await host.command('AT+MQTTUSERCFG=0,3,"x","espressif","1234567890",0,0,""');
  expect(await host.command('AT+MQTTCONN=0,"localhost",8883,0')).toEqual(["+MQTTDISCONNECTED:0", "ERROR"]);
  await program.line("the reason", (each) => each.includes("the modem's clock says 1970-01-01"));
});

test("standard input and output: commands through a pipe, and the end of input switches it off", async () => {
  const input = ["ATE0", "AT+CWMODE?", 'AT+CWJAP="a","b"', ""].join("\r\n");
  const { code, stdout, stderr } = await run(process.execPath, modemArguments(), {}, input);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toBe("\r\nready\r\nATE0\r\n\r\nOK\r\n+CWMODE:1\r\n\r\nOK\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n");
});

test("wrong options are told, in both languages", async () => {
  const cases: [string[], string][] = [
    [["--listen", "nowhere:x"], "[host:]port"],
    [["--map", "a"], "name=host[:port]"],
    [["--certificate", "x=y"], "mqtt_ca"],
    [["--fault", "heap=much"], "heap="],
    [["--access-point", "lab=short"], "[@dBm]"],
  ];
  for (const [flags, expected] of cases) {
    const { code, stderr } = await runThingstead(["modem", ...flags]);
    expect({ code, hasText: stderr.includes(expected) }, flags.join(" ")).toEqual({ code: 2, hasText: true });
  }
  const chinese = await runThingstead(["--lang", "zh", "modem", "--fault", "x=1"]);
  expect(chinese.stderr).toContain("不是故障项");
  const missing = await runThingstead(["modem", "--certificate", `mqtt_ca=${join(folder, "none.pem")}`]);
  expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("[cli.file_unreadable]") });
});

test("--state: a damaged file cuts its host off and says why; the port goes on", async () => {
  const state = join(folder, "damaged");
  mkdirSync(state);
  writeFileSync(join(state, "modem-0.json"), "[]");
  const program = startModem("--listen", "0", "--state", state);
  const line = await program.line("AT port", (each) => each.startsWith("AT port: "));
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
  const socket = connect({ host: "127.0.0.1", port });
  await new Promise((resolve) => socket.once("close", resolve));
  await program.line("the reason", (each) => each.includes("modem-0.json does not hold the state of a modem"));
  rmSync(join(state, "modem-0.json"));
  await playTranscript(connectHost(port), "<<\n<< ready\n>> AT\n<< AT\n<<\n<< OK");
});

test("--certificate: one that finds no room is told at once", async () => {
  const file = join(folder, "large.pem");
  writeFileSync(file, Buffer.alloc(20_000, "x"));
  const { code, stderr } = await runThingstead(["modem", "--listen", "0", "--certificate", `mqtt_ca=${file}`]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("mqtt_ca has 20000 bytes; 16384 fit") });
});

test("--pty without socat says what is missing", async () => {
  const { code, stderr } = await runThingstead(["modem", "--pty", join(folder, "tty0")], { PATH: folder });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("[cli.socat_missing]") });
});

test("--pty: node-serialport talks to it, hangs up, and comes back to the same modem", async (context) => {
  needProgram(context, "socat");
  const path = join(folder, "ttyAT0");
  const program = startModem("--pty", path);
  await program.line("AT port", (each) => each === `AT port: ${path}`);
  const open = async () => {
    const serial = new SerialPort({ path, baudRate: 115_200, autoOpen: false });
    const host = createAtHost((bytes) => serial.write(bytes));
    serial.on("data", (bytes: Buffer) => host.receive(bytes));
    await new Promise<void>((resolve, reject) => serial.open((error) => (error === null ? resolve() : reject(error))));
    return { host, close: () => new Promise<void>((resolve) => serial.close(() => resolve())) };
  };
  const first = await open();
  // It was ready before anybody opened the port.
  await playTranscript(first.host, session, { client: "serial" });
  await first.close();
  const second = await open();
  expect(await second.host.command("AT+MQTTCONN?")).toEqual(['+MQTTCONN:0,6,3,"localhost","8883","",1', "OK"]);
  await second.close();
  program.kill();
  // Nothing stays behind, even after a sudden death.
  await until("the port is gone", () => !existsSync(path));
});

test("--pty: a place where no port can be made is told", async (context) => {
  needProgram(context, "socat");
  const { code, stderr } = await runThingstead(["modem", "--pty", join(folder, "nowhere", "tty0")]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("[cli.pty_failed]") });
});
