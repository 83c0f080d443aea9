/** A scripted host on a modem's TCP port: AT+MQTTPUB with QoS 1, one after the other, to our own server. `npm run bench:modem` */
import { connect } from "node:net";
import { createAtHost } from "../e2e/support/at-host.ts";
import { startProgram } from "../e2e/support/program-process.ts";
import { restClient } from "../e2e/support/rest-client.ts";
import { startServerProcess } from "../e2e/support/server-process.ts";

const seconds = 5;
const warmUpSeconds = 2;
const targetPerSecond = 1_000;

const server = await startServerProcess({ environment: { THINGSTEAD_PLAIN: "users" } });
const program = startProgram(process.execPath, [
  "packages/cli/bin/thingstead.mjs",
  "modem",
  "--listen",
  "0",
  "--map",
  `localhost=127.0.0.1:${server.devicePort}`,
  "--certificate",
  `mqtt_ca=${server.caFile}`,
]);
try {
  const user = { userName: "modem", password: "modem-password", rights: [{ filter: "bench/#", operation: "ALL" }] };
  const { status, body } = await restClient(server)("POST", "/mqtt-users", user);
  if (status !== 201) throw new Error(JSON.stringify(body));
  const line = await program.line("AT port", (each) => each.startsWith("AT port: "));
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
  for (const { name, scheme } of [
    { name: "TCP", scheme: 1 },
    { name: "TLS, server verified", scheme: 3 },
  ])
    console.log(await measure(name, scheme, port));
} finally {
  program.kill();
  await server.remove();
}

async function measure(name: string, scheme: number, port: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  const host = createAtHost((bytes) => socket.write(bytes));
  socket.on("data", (bytes) => host.receive(bytes));
  const succeed = async (command: string) => {
    const lines = await host.command(command);
    if (lines.at(-1) !== "OK") throw new Error(`${command}: ${lines.join(" ")}`);
  };
  for (const command of [
    "ATE0",
    'AT+CWJAP="ssid","password"',
    "AT+CIPSNTPCFG=1,0",
    `AT+MQTTUSERCFG=0,${scheme},"bench-${scheme}","modem","modem-password",0,0,""`,
    'AT+MQTTCONN=0,"localhost",1883,0',
  ])
    await succeed(command);
  const publish = () => succeed('AT+MQTTPUB=0,"bench/value","{\\"temperature\\":21.5}",1,0');
  const warm = performance.now() + warmUpSeconds * 1000;
  while (performance.now() < warm) await publish();
  const times: number[] = [];
  const start = performance.now();
  while (performance.now() - start < seconds * 1000) {
    const before = performance.now();
    await publish();
    times.push(performance.now() - before);
  }
  const perSecond = times.length / ((performance.now() - start) / 1000);
  socket.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(2);
  const verdict = perSecond >= targetPerSecond ? "reached" : "missed";
  return `AT+MQTTPUB QoS 1 over ${name}: ${Math.round(perSecond)} round trips a second, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (target ${targetPerSecond}: ${verdict})`;
}
