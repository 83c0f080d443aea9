/** A fleet of 100,000 devices: registering it in batches, and looking at it page by page, over REST and a real server. */
import { rmSync } from "node:fs";
import { restClient } from "../e2e/support/rest-client.ts";
import { startServerProcess } from "../e2e/support/server-process.ts";

const devices = 100_000;
const batch = 10_000;
const pageSamples = 20;

const server = await startServerProcess();
const rest = restClient(server);
try {
  const { body: product } = await rest("POST", "/products", { name: "fleet" });
  const path = `/products/${product.productKey}/devices`;

  // Somebody else's requests meanwhile: what they wait for is what the batch takes from devices.
  let isRunning = true;
  const waits: number[] = [];
  const ping = (async () => {
    while (isRunning) {
      const start = performance.now();
      await (await fetch(`http://127.0.0.1:${server.httpPort}/healthz`)).text();
      waits.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  const start = performance.now();
  for (let made = 0; made < devices; made += batch) {
    const names = Array.from({ length: batch }, (_, index) => `device-${String(made + index).padStart(6, "0")}`);
    const answer = await rest("POST", `/products/${product.productKey}/device-batches`, { deviceNames: names });
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body).slice(0, 500));
  }
  const seconds = (performance.now() - start) / 1000;
  isRunning = false;
  await ping;
  print("register 100,000 devices by batches of 10,000", `${seconds.toFixed(1)} s`);
  print("others' requests meanwhile, p50 / p99 / worst", showSpread(waits));

  const middle = Math.floor(devices / 200);
  const questions: readonly (readonly [string, string])[] = [
    ["first page of 200", `${path}?page=1&pageSize=200`],
    ["page in the middle", `${path}?page=${middle}&pageSize=100`],
    ["last page", `${path}?page=${devices / 200}&pageSize=200`],
    ["by the start of a name", `${path}?namePrefix=device-0999&pageSize=100`],
    ["by status", `${path}?status=UNACTIVE&pageSize=100`],
    ["all products' devices, last page", `/devices?page=${devices / 200}&pageSize=200`],
    ["products with counts", "/products"],
  ];
  for (const [name, question] of questions) {
    const times: number[] = [];
    for (let sample = 0; sample < pageSamples; sample += 1) {
      const before = performance.now();
      const { status } = await rest("GET", question);
      if (status !== 200) throw new Error(`${question}: ${status}`);
      times.push(performance.now() - before);
    }
    print(`${name}, p50 / p99 / worst`, showSpread(times));
  }
} finally {
  await server.remove();
  rmSync(server.dataDir, { recursive: true, force: true });
}

function print(name: string, value: string): void {
  console.log(`${name.padEnd(52)} ${value}`);
}

function showSpread(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `${at(0.5)} / ${at(0.99)} / ${at(1)} ms`;
}
