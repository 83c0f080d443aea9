/**
 * The same scripts of packets against this server and against Debian's mosquitto: what the clients see must be the same,
 * but for the differences written down with their reasons in conformance/mqtt/behaviour/differences.json.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runScenario } from "./support/mqtt-scenario.ts";
import { scenarios } from "./support/mqtt-scenarios.ts";
import { repository, startServerProcess } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";
import { until } from "./support/until.ts";

interface Difference {
  reason: string;
  ours: string[];
  mosquitto: string[];
}

const differences: Record<string, Difference> = JSON.parse(
  readFileSync(join(repository, "conformance/mqtt/behaviour/differences.json"), "utf8"),
);
const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup();
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function startMosquitto(): Promise<number> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "thingstead-mosquitto-"));
  const file = join(folder, "mosquitto.conf");
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n`);
  const child: ChildProcess = spawn("mosquitto", ["-c", file], {
    stdio: "ignore",
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  cleanups.push(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  await until(
    "mosquitto listens",
    () =>
      new Promise<boolean>((resolve) => {
        const socket = connect({ host: "127.0.0.1", port }, () => {
          socket.destroy();
          resolve(true);
        });
        socket.on("error", () => resolve(false));
      }),
  );
  return port;
}

test("what clients see is what they see at mosquitto, or a difference with a reason", async (context) => {
  needProgram(context, "mosquitto");
  const server = await startServerProcess({ environment: { THINGSTEAD_PLAIN: "anonymous" } });
  cleanups.push(() => server.remove());
  const mosquittoPort = await startMosquitto();
  const found: Record<string, Omit<Difference, "reason">> = {};
  const results = await Promise.all(
    scenarios.map(async (scenario) => ({
      name: scenario.name,
      ours: await runScenario(scenario, server.devicePort),
      mosquitto: await runScenario(scenario, mosquittoPort),
    })),
  );
  for (const { name, ours, mosquitto } of results) {
    // A script that nobody answers compares nothing.
    expect(ours.length + mosquitto.length, name).toBeGreaterThan(0);
    if (JSON.stringify(ours) !== JSON.stringify(mosquitto)) found[name] = { ours, mosquitto };
  }
  const known = Object.fromEntries(Object.entries(differences).map(([name, { ours, mosquitto }]) => [name, { ours, mosquitto }]));
  expect(found).toEqual(known);
  for (const [name, { reason }] of Object.entries(differences)) expect(reason, name).not.toBe("");
});
