/** 100,000 things in a file: pages of every list, and the facts of a connect. `node bench/fleet.ts` */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "../packages/platform/src/clock.ts";
import { type CursorPage, type CursorPaged, createFleet, thingNaming, thingProductKey } from "../packages/platform/src/fleet/index.ts";
import { createRegistry } from "../packages/platform/src/registry/index.ts";
import { openStore } from "../packages/platform/src/store/index.ts";

const thingsMade = 100_000;
const batchDevices = 10_000;
const rooms = 1_000;
const membersOfGroup = 10_000;
const millisecondsMax = 50;

const dataDir = mkdtempSync(join(tmpdir(), "fleet-speed-"));
const store = await openStore({ dataDir, masterKey: randomBytes(32) });
const registry = createRegistry({
  store: store.registry,
  clock: systemClock,
  random: systemRandom,
  namings: { [thingProductKey]: thingNaming },
});
const fleet = createFleet({
  registry,
  store: store.fleet,
  issuer: {
    createKeysAndCertificate: () => Promise.reject(new Error("no certificates are made here")),
    signRequest: () => Promise.reject(new Error("no certificates are made here")),
  },
  checkPolicy: () => undefined,
  clock: systemClock,
  random: systemRandom,
});
try {
  await fleet.start();
  await make();
  await measure();
} finally {
  await registry.close();
  await store.close();
  rmSync(dataDir, { recursive: true });
}

async function make(): Promise<void> {
  const nameOf = (index: number) => `thing-${String(index).padStart(6, "0")}`;
  for (let made = 0; made < thingsMade; made += batchDevices) {
    const devices = Array.from({ length: batchDevices }, (_, index) => ({ deviceName: nameOf(made + index) }));
    await registry.createDevices(thingProductKey, { devices });
  }
  await fleet.types.create({ name: "common" });
  await fleet.types.create({ name: "rare" });
  await fleet.groups.create({ name: "group" });
  const principal = { kind: "certificate", id: "0".repeat(64) } as const;
  for (let index = 0; index < thingsMade; index++) {
    const attributes = { site: "one", room: `room-${index % rooms}`, serial: nameOf(index) };
    await store.fleet.things.write(nameOf(index), { attributes, version: 1, typeName: index % rooms === 0 ? "rare" : "common" });
    if (index % (thingsMade / membersOfGroup) === 0) await store.fleet.groups.addThing("group", nameOf(index), `member-${index}`);
    await store.fleet.things.attach(nameOf(index), { principal, type: "NON_EXCLUSIVE_THING" });
  }
}

async function measure(): Promise<void> {
  const { things, groups } = fleet;
  const principal = { kind: "certificate", id: "0".repeat(64) } as const;
  await walk("all things", (page) => things.list(page));
  await walk("of the common type", (page) => things.list(page, { typeName: "common" }));
  await walk("of the rare type", (page) => things.list(page, { typeName: "rare" }));
  await walk("all, by an attribute", (page) => things.list(page, { attributeName: "site", attributeValue: "one" }));
  await walk("a hundred, by an attribute", (page) => things.list(page, { attributeName: "room", attributeValue: "room-7" }));
  await walk("one, by an attribute", (page) => things.list(page, { attributeName: "serial", attributeValue: "thing-050000" }));
  await walk("by the start of a value", (page) =>
    things.list(page, { attributeName: "serial", attributeValue: "thing-05", isValuePrefix: true }),
  );
  await walk("by an attribute and the rare type", (page) =>
    things.list(page, { attributeName: "site", attributeValue: "one", typeName: "rare" }),
  );
  await walk("things of a group", (page) => groups.things("group", page, true));
  await walk("things of one certificate", (page) => things.ofPrincipal(principal, page));
  let certificates = 0;
  await time("facts of a connect, read", () => fleet.factsOf(`certificate-${certificates++}`, "thing-000001"));
  await time("facts of a connect, known", () => fleet.factsOf("certificate-1", "thing-000001"));
  await time("facts of a certificate of all things, read", () => store.fleet.policies.ofCertificate(principal.id));
}

/** Every page of the list; the slowest counts. */
async function walk(name: string, read: (page: CursorPage) => Promise<CursorPaged<unknown>>): Promise<void> {
  let slowest = 0;
  let items = 0;
  let pages = 0;
  let nextToken: string | undefined;
  do {
    const start = performance.now();
    const page = await read(nextToken === undefined ? {} : { nextToken });
    slowest = Math.max(slowest, performance.now() - start);
    items += page.items.length;
    pages++;
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  const verdict = slowest > millisecondsMax ? `  TOO SLOW (expected ${millisecondsMax})` : "";
  console.log(`${name.padEnd(44)} ${items} in ${pages} pages, slowest ${slowest.toFixed(1)} ms${verdict}`);
  if (slowest > millisecondsMax) process.exitCode = 1;
}

async function time(name: string, ask: () => Promise<unknown>): Promise<void> {
  const samples = 200;
  const times: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const start = performance.now();
    await ask();
    times.push(performance.now() - start);
  }
  times.sort((one, other) => one - other);
  console.log(`${name.padEnd(44)} median ${times[samples / 2]?.toFixed(3)} ms, slowest ${times.at(-1)?.toFixed(1)} ms`);
}
