/** Settings and certificates of one modem in one JSON file. A private key may be among them: only the owner can read it. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Storage, StoredState } from "./ports/storage.ts";

/** @throws Error when the file is there and is not what `save` wrote */
export function createFileStorage(path: string): Storage {
  return {
    load() {
      let content: string;
      try {
        content = readFileSync(path, "utf8");
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
        throw error;
      }
      const state: unknown = JSON.parse(content);
      if (!isStoredState(state)) throw new Error(`${path} does not hold the state of a modem`);
      return state;
    },
    save(state) {
      const temporary = `${path}.new`;
      writeFileSync(temporary, JSON.stringify(state, undefined, 2), { mode: 0o600 });
      renameSync(temporary, path);
    },
  };
}

function isStoredState(value: unknown): value is StoredState {
  if (!isRecord(value) || !isRecord(value.settings) || !isRecord(value.items) || !isRecord(value.partitions)) return false;
  const items = Object.values(value.items);
  return (
    items.every((item) => isRecord(item) && typeof item.type === "number" && typeof item.base64 === "string") &&
    Object.values(value.partitions).every((content) => typeof content === "string")
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
