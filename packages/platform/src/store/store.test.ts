import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { Kysely, sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock, systemRandom } from "../clock.ts";
import type { DeviceRow, Product } from "../registry/index.ts";
import { loadMasterKey, openStore } from "./index.ts";
import { defaultStoreLimits } from "./limits.ts";
import { migrate } from "./migrate.ts";
import type { Schema } from "./schema.ts";
import { createSecretBox } from "./secret-box.ts";
import { openSqliteFile, TransactionalSqliteDialect } from "./sqlite-file.ts";
import { createSqliteRegistryStore } from "./sqlite-registry-store.ts";

let dataDir: string;
let file: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "thingstead-store-"));
  file = join(dataDir, "thingstead.db");
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const open = () => openStore({ dataDir, masterKey: loadMasterKey(dataDir), limits: { lockWaitMilliseconds: 0 } });

async function fill(): Promise<void> {
  const store = await open();
  await store.registry.insertProduct(product, []);
  await store.registry.insertDevices([device("one"), device("two")]);
  await store.settings.write("access.secret", "swordfish", { isSecret: true });
  await store.close();
}

test("keeps everything over a restart", async () => {
  await fill();
  const store = await open();
  expect(await store.registry.findProduct("a1")).toEqual(product);
  expect(await store.registry.findDevice("a1", "two")).toEqual(device("two"));
  expect(await store.settings.read("access.secret")).toBe("swordfish");
  await store.close();
});

test("no secret is readable in any file, and no file by others", async () => {
  await fill();
  const store = await open();
  await store.registry.insertDevices([device("three")]);
  for (const name of readdirSync(dataDir)) {
    const bytes = readFileSync(join(dataDir, name));
    for (const secret of ["secret of", "swordfish"]) expect(bytes.includes(secret), `${secret} in ${name}`).toBe(false);
    expect(statSync(join(dataDir, name)).mode & 0o077, name).toBe(0);
  }
  // The names are there: the search above looks at the right bytes.
  expect(Buffer.concat(readdirSync(dataDir).map((name) => readFileSync(join(dataDir, name)))).includes("three")).toBe(true);
  await store.close();
});

test("a wrong master key is refused by code, and the right one still works after", async () => {
  await fill();
  await expect(openStore({ dataDir, masterKey: Buffer.alloc(32, 1) })).rejects.toMatchObject({ code: "store.wrong_master_key" });
  await expect(openStore({ dataDir, masterKey: Buffer.alloc(16) })).rejects.toMatchObject({ code: "store.master_key_damaged" });
  await (await open()).close();
});

test("a secret moved to another row or table does not open", async () => {
  await fill();
  const raw = new Database(file);
  raw.exec("update devices set sealed_secret = (select sealed_secret from devices where device_name = 'two') where device_name = 'one'");
  raw.exec("update products set sealed_secret = (select value from settings where key = 'access.secret')");
  raw.exec("update settings set value = cast(substr(value, 1, length(value) - 1) || x'00' as blob) where key = 'access.secret'");
  raw.close();
  const store = await open();
  await expect(store.registry.findDevice("a1", "one")).rejects.toMatchObject({
    code: "store.secret_unreadable",
    details: { table: "devices", row: "a1/one" },
  });
  await expect(store.registry.findProduct("a1")).rejects.toMatchObject({ code: "store.secret_unreadable" });
  await expect(store.settings.read("access.secret")).rejects.toMatchObject({ code: "store.secret_unreadable" });
  expect(await store.registry.findDevice("a1", "two")).toEqual(device("two"));
  await store.close();
});

test("a second server on the same data directory is refused, in this process and from another", async () => {
  const store = await open();
  await expect(open()).rejects.toMatchObject({ code: "store.locked" });
  await store.close();

  const child = await openInChild();
  await expect(open()).rejects.toMatchObject({ code: "store.locked" });
  child.kill("SIGKILL");
  await once(child, "exit");
  const after = await open();
  expect(await after.settings.read("from-child")).toBe("written");
  await after.close();
});

test("a file that is no database, or one with broken pages, is refused as damaged and left alone", async () => {
  loadMasterKey(dataDir);
  writeFileSync(file, "this is not a database, and it is long enough to have a header of one hundred bytes ".repeat(20));
  const before = readFileSync(file);
  await expect(open()).rejects.toMatchObject({ code: "store.damaged", details: { file } });
  expect(readFileSync(file).equals(before)).toBe(true);

  unlinkSync(file);
  await fill();
  const broken = readFileSync(file);
  const page = broken.readUInt16BE(16);
  // Every page after the schema's, so that whatever is there is broken.
  broken.fill(0xa5, page * 2);
  writeFileSync(file, broken);
  await expect(open()).rejects.toMatchObject({ code: "store.damaged" });
});

test("a truncated database is refused as damaged", async () => {
  await fill();
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(0, whole.length / 2));
  await expect(open()).rejects.toMatchObject({ code: "store.damaged" });
});

test("a database of a newer version is refused", async () => {
  await fill();
  const raw = new Database(file);
  raw.exec("insert into migrations (name, timestamp) values ('9999-from-the-future', '2099-01-01')");
  raw.close();
  await expect(open()).rejects.toMatchObject({ code: "store.newer_version", details: { migration: "9999-from-the-future" } });
});

test("a migration that fails leaves nothing behind", async () => {
  loadMasterKey(dataDir);
  const raw = new Database(file);
  raw.exec("create table tokens (something)");
  raw.close();
  await expect(open()).rejects.toMatchObject({ code: "store.migration_failed" });
  const after = new Database(file);
  const tables = after.prepare("select name from sqlite_master where type = 'table' and name not like 'migrations%'").pluck().all();
  after.close();
  expect(tables).toEqual(["tokens"]);
});

test("a full disk has its code, undoes the whole batch, and the store goes on", async () => {
  const full = openSqliteFile(dataDir, defaultStoreLimits);
  const db = new Kysely<Schema>({ dialect: new TransactionalSqliteDialect({ database: full }) });
  await migrate(db, file);
  const store = createSqliteRegistryStore(db, createSecretBox(Buffer.alloc(32, 1), systemRandom), systemClock);
  await store.insertProduct(product, []);
  const pages = full.prepare("pragma page_count").all([]) as { page_count: number }[];
  full.prepare(`pragma max_page_count = ${(pages[0]?.page_count ?? 0) + 10}`).all([]);
  const batch = Array.from({ length: 1_500 }, (_, index) => device(`device-${index}`));
  await expect(store.insertDevices(batch)).rejects.toMatchObject({ code: "store.disk_full" });
  expect(await store.countDevices("a1")).toBe(0);
  expect(await store.insertDevices(batch.slice(0, 10))).toEqual({ kind: "ok" });
  await db.destroy();
});

test("a failure that ends the transaction is not hidden by the rollback after it", async () => {
  const db = new Kysely<Schema>({ dialect: new TransactionalSqliteDialect({ database: openSqliteFile(":memory:", defaultStoreLimits) }) });
  await migrate(db, file);
  const twice = db.transaction().execute(async (trx) => {
    for (let round = 0; round < 2; round++) {
      await sql`insert or rollback into settings values ('key', x'00', 0)`.execute(trx);
    }
  });
  await expect(twice).rejects.toMatchObject({ code: "SQLITE_CONSTRAINT_PRIMARYKEY" });
  await db.destroy();
});

test("a data directory that cannot be one is refused as unwritable", async () => {
  const blocked = join(dataDir, "file");
  writeFileSync(blocked, "");
  await expect(openStore({ dataDir: blocked, masterKey: Buffer.alloc(32) })).rejects.toMatchObject({ code: "store.unwritable" });
  expect(() => loadMasterKey(join(blocked, "below"))).toThrow(expect.objectContaining({ code: "store.unwritable" }));
});

test("the master key is made once, for the server's user alone, and never replaced", async () => {
  const below = join(dataDir, "new", "data");
  const key = loadMasterKey(below);
  const keyFile = join(below, "master.key");
  expect(key).toHaveLength(32);
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  expect(readdirSync(below)).toEqual(["master.key"]);
  chmodSync(keyFile, 0o644);
  expect(loadMasterKey(below).equals(key)).toBe(true);
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
});

test.each(["", "abc", `${"0".repeat(63)}g`, "0".repeat(65)])("a damaged master key (%j) is refused and left alone", (text) => {
  const keyFile = join(dataDir, "master.key");
  writeFileSync(keyFile, text);
  expect(() => loadMasterKey(dataDir)).toThrow(expect.objectContaining({ code: "store.master_key_damaged" }));
  expect(readFileSync(keyFile, "utf8")).toBe(text);
});

test("a lost master key is not silently replaced while a database exists", async () => {
  await fill();
  copyFileSync(join(dataDir, "master.key"), join(dataDir, "kept"));
  unlinkSync(join(dataDir, "master.key"));
  expect(() => loadMasterKey(dataDir)).toThrow(expect.objectContaining({ code: "store.master_key_missing" }));
  copyFileSync(join(dataDir, "kept"), join(dataDir, "master.key"));
  await (await open()).close();
});

/** A process that opens the store, writes, says so, and stays. */
async function openInChild() {
  const program = `
    const { openStore, loadMasterKey } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url).href)});
    const dataDir = ${JSON.stringify(dataDir)};
    const store = await openStore({ dataDir, masterKey: loadMasterKey(dataDir) });
    await store.settings.write("from-child", "written");
    process.stdout.write("open");
    setInterval(() => store, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const outcome = await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  expect(String(outcome[0])).toBe("open");
  return child;
}

const product: Product = {
  productKey: "a1",
  productSecret: "secret of a1",
  name: "p",
  description: "",
  nodeType: "device",
  topicStyle: "user",
  dataFormat: 1,
  authType: "secret",
  isRegistrationOpen: false,
  isSelfRegistrationOpen: false,
  createdAt: 1,
};

function device(deviceName: string): DeviceRow {
  return {
    iotId: `iot-${deviceName}`,
    productKey: "a1",
    deviceName,
    deviceSecret: `secret of ${deviceName}`,
    nickname: "",
    isEnabled: true,
    isOnline: false,
    createdAt: 1,
    modifiedAt: 2,
  };
}
