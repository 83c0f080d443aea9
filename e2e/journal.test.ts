/** A journal that is gone, or that can no longer be written: told, and never pretended away. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import mqtt from "mqtt";
import { expect, test } from "vitest";
import { startServerProcess } from "./support/server-process.ts";
import { until } from "./support/until.ts";

test("a missing or emptied journal.db is told by store.journal_missing", async () => {
  const first = await startServerProcess();
  const { dataDir } = first;
  try {
    expect(first.output()).not.toContain("store.journal_missing");
    await first.stop();
    const again = await startServerProcess({ dataDir });
    expect(again.output()).not.toContain("store.journal_missing");
    await again.stop();
    rmSync(join(dataDir, "journal.db"));
    const without = await startServerProcess({ dataDir });
    expect(without.output()).toContain("store.journal_missing");
    await without.stop();
    truncateSync(join(dataDir, "journal.db"));
    const emptied = await startServerProcess({ dataDir });
    expect(emptied.output()).toContain("store.journal_missing");
    await emptied.stop();
  } finally {
    await first.remove();
  }
});

/** Loaded before the server: the journal's thread dies whenever it is asked for a commit. */
const mortal = `import { Worker } from "node:worker_threads";
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (message, ...rest) {
  if (message.name === "commit") void this.terminate();
  else post.call(this, message, ...rest);
};
`;

test("a journal that cannot be written any more acknowledges nothing and ends the server with store.journal_lost", async () => {
  const folder = mkdtempSync(join(tmpdir(), "thingstead-mortal-"));
  const preload = join(folder, "mortal.mjs");
  writeFileSync(preload, mortal);
  const server = await startServerProcess({
    environment: {
      THINGSTEAD_PLAIN: "anonymous",
      NODE_OPTIONS: `--import=${pathToFileURL(preload).href}`,
    },
    flags: ["--set", "limits.journal.restartsMax=2", "--set", "limits.journal.restartMilliseconds=10"],
  });
  try {
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.devicePort}`, { protocolVersion: 5, reconnectPeriod: 0 });
    client.on("error", () => {});
    let isAcknowledged = false;
    client.publish("t", "kept", { qos: 1, retain: true }, (error) => {
      isAcknowledged = error === undefined || error === null;
    });
    await until("the server ends", () => server.output().includes("error [store.journal_lost]"));
    expect(server.output()).toContain("store.journal_stopped");
    expect(isAcknowledged).toBe(false);
    expect(await server.ended()).toBe(1);
    await client.endAsync(true);
  } finally {
    await server.remove();
    rmSync(folder, { recursive: true });
  }
});
