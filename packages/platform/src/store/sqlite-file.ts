/** Opens the one SQLite file, locks it for this process, and turns the driver's failures into codes. */
import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { type DialectAdapter, SqliteAdapter, type SqliteDatabase, SqliteDialect, type SqliteStatement } from "kysely";
import { PlatformError } from "../errors/index.ts";
import type { StoreLimits } from "./limits.ts";

export const databaseFileName = "thingstead.db";

/** The file, and what kysely needs of it; `prepare` answers from a bounded cache. */
export interface SqliteFile extends SqliteDatabase {
  /** Path, or `:memory:`. */
  readonly path: string;
}

/** Throws `store.unwritable`, `store.locked`, `store.damaged`. */
export function openSqliteFile(dataDir: string, limits: StoreLimits): SqliteFile {
  const isInMemory = dataDir === ":memory:";
  const path = isInMemory ? dataDir : join(dataDir, databaseFileName);
  const database = openDatabase(dataDir, path, isInMemory, limits);
  return cacheStatements(database, path, limits.statementsCachedMax);
}

function openDatabase(dataDir: string, path: string, isInMemory: boolean, limits: StoreLimits): Database.Database {
  let database: Database.Database | undefined;
  try {
    if (!isInMemory) {
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      // Made here so that nobody else may read it; the write-ahead log takes over the mode.
      closeSync(openSync(path, "a", 0o600));
    }
    database = new Database(path, { timeout: limits.lockWaitMilliseconds });
    // An exclusive lock of the operating system on the file: it ends with the process however that ends. Set before
    // the write-ahead log is touched, it also keeps the log's index in memory instead of in a shared file.
    database.pragma("locking_mode = EXCLUSIVE");
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = FULL");
    database.pragma("foreign_keys = ON");
    // The first write takes the lock, and finds out whether writing is possible at all.
    database.exec("begin immediate; commit");
    if (!isInMemory && statSync(path).size <= limits.checkAtOpenBytesMax) checkPages(database, path);
    return database;
  } catch (error) {
    database?.close();
    throw openFailure(error, dataDir, path);
  }
}

function checkPages(database: Database.Database, file: string): void {
  const verdict = database.pragma("quick_check(1)", { simple: true });
  if (verdict !== "ok") throw new PlatformError("store.damaged", { file, problem: String(verdict) });
}

function openFailure(error: unknown, dataDir: string, path: string): unknown {
  if (error instanceof Database.SqliteError) {
    if (/^SQLITE_(CANTOPEN|READONLY|PERM|IOERR)/.test(error.code)) return unwritable(error, dataDir);
    return translate(error, path);
  }
  if (error instanceof PlatformError || !(error instanceof Error)) return error;
  return unwritable(error, dataDir);
}

function unwritable(error: Error, dataDir: string): PlatformError {
  return new PlatformError("store.unwritable", { dataDir, problem: error.message }, { cause: error });
}

const codesByDriverCode: readonly (readonly [RegExp, string])[] = [
  [/^SQLITE_(BUSY|LOCKED)/, "store.locked"],
  [/^SQLITE_(NOTADB|CORRUPT|FORMAT)/, "store.damaged"],
  [/^SQLITE_FULL/, "store.disk_full"],
  [/^SQLITE_/, "store.failed"],
];

/** Broken constraints stay the driver's error: the stores turn them into answers. */
function translate(error: unknown, file: string): unknown {
  if (!(error instanceof Database.SqliteError) || error.code.startsWith("SQLITE_CONSTRAINT")) return error;
  const { code: driverCode, message } = error;
  const code = codesByDriverCode.find(([pattern]) => pattern.test(driverCode))?.[1] ?? "store.failed";
  return new PlatformError(code, { file, problem: message }, { cause: error });
}

export function isForeignKeyViolation(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_CONSTRAINT_(FOREIGNKEY|TRIGGER)/.test(error.code);
}

/** Preparing costs more than running: 40 µs against 6 µs for a device by its names. */
function cacheStatements(database: Database.Database, path: string, statementsMax: number): SqliteFile {
  const statements = new Map<string, SqliteStatement>();

  function guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw translate(error, path);
    }
  }

  return {
    path,
    close() {
      statements.clear();
      database.close();
    },
    prepare(sql) {
      const known = statements.get(sql);
      if (known !== undefined) {
        statements.delete(sql);
        statements.set(sql, known);
        return known;
      }
      const raw = guarded(() => database.prepare<unknown[], unknown>(sql));
      const statement: SqliteStatement = {
        reader: raw.reader,
        all: (parameters) => guarded(() => raw.all(parameters as unknown[])),
        run(parameters) {
          // Some failures (a full disk, a broken one) end the transaction; rolling back once more would hide them.
          if (sql === "rollback" && !database.inTransaction) return { changes: 0, lastInsertRowid: 0 };
          return guarded(() => raw.run(parameters as unknown[]));
        },
        iterate: (parameters) => guarded(() => raw.iterate(parameters as unknown[])),
      };
      statements.set(sql, statement);
      if (statements.size > statementsMax) {
        const oldest = statements.keys().next();
        if (!oldest.done) statements.delete(oldest.value);
      }
      return statement;
    },
  };
}

/** kysely's own adapter does not use that SQLite runs schema changes inside transactions: migrations here do. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

export class TransactionalSqliteDialect extends SqliteDialect {
  override createAdapter(): DialectAdapter {
    return new TransactionalAdapter();
  }
}
