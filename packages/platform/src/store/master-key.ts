/** The master key: one file beside the database, made on the first start, readable by the server's user alone. */
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { PlatformError } from "../errors/index.ts";
import { masterKeyBytes } from "./secret-box.ts";
import { databaseFileName } from "./sqlite-file.ts";

const keyFileName = "master.key";

/**
 * Reads `<dataDir>/master.key`, making directory and key when neither key nor database exist.
 * Throws `store.unwritable`, `store.master_key_damaged`, `store.master_key_missing`.
 */
export function loadMasterKey(dataDir: string): Buffer {
  const file = join(dataDir, keyFileName);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    if (!existsSync(file)) {
      // A fresh key would make every secret of the database unreadable.
      if (existsSync(join(dataDir, databaseFileName))) throw new PlatformError("store.master_key_missing", { file });
      createKeyFile(dataDir, file);
    }
    const text = readFileSync(file, "utf8").trim();
    if (!/^[0-9a-f]{64}$/i.test(text)) {
      throw new PlatformError("store.master_key_damaged", { file, received: `${text.length} characters` });
    }
    // A restored backup may have lost the mode.
    chmodSync(file, 0o600);
    return Buffer.from(text, "hex");
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    throw new PlatformError("store.unwritable", { dataDir, problem: problemOf(error) }, { cause: error });
  }
}

/** Complete or not there at all: a crash half-way must not leave a damaged key, and of two first starts one wins. */
function createKeyFile(dataDir: string, file: string): void {
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  const descriptor = openSync(draft, "wx", 0o600);
  try {
    writeSync(descriptor, `${randomBytes(masterKeyBytes).toString("hex")}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  try {
    linkSync(draft, file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    // File systems without hard links: no protection against a second first start, the database's lock is next.
    if (code === "EPERM" || code === "ENOTSUP" || code === "ENOSYS")
      writeFileSync(file, readFileSync(draft), { mode: 0o600, flag: "wx", flush: true });
    else if (code !== "EEXIST") throw error;
  } finally {
    unlinkSync(draft);
  }
  syncDirectory(dataDir);
}

/** The name of a new file is on disk only when its directory is. Windows has no such call and needs none. */
function syncDirectory(directory: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
