/** A mosquitto of our own on free ports. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

export interface Mosquitto {
  ports: number[];
  output(): string;
  stop(): Promise<void>;
}

/** @param listeners settings of each listener, without its `listener` line; @param general settings before them */
export async function startMosquitto(listeners: readonly string[], general = "", fixedPorts?: readonly number[]): Promise<Mosquitto> {
  const folder = mkdtempSync(join(tmpdir(), "thingstead-mosquitto-"));
  const ports = fixedPorts?.slice() ?? (await Promise.all(listeners.map(freePort)));
  const config = join(folder, "mosquitto.conf");
  const sections = listeners.map((settings, index) => `listener ${ports[index]} 127.0.0.1\n${settings}\n`);
  writeFileSync(config, `per_listener_settings true\nuser root\nlog_type all\n${general}\n${sections.join("")}`);
  const child: ChildProcess = spawn("mosquitto", ["-c", config], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  for (const port of ports) await until(`mosquitto on ${port}\n${output}`, () => canConnect(port));
  return {
    ports,
    output: () => output,
    async stop() {
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
