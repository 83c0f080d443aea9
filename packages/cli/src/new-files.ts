/** New files, taken before there is anything to write: who asks for a key that is told once must know where to put it. */
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface NewFile {
  name: string;
  /** `0o600` for what is secret. */
  mode: number;
}

export interface NewFiles {
  /** @throws as `fs.writeFileSync` does */
  write(name: string, text: string): void;
  /** Files that were not written are gone afterwards. */
  close(): void;
}

/** @throws as `fs.openSync` does, `EEXIST` when one is there; none is taken then */
export function takeNewFiles(folder: string, files: readonly NewFile[]): NewFiles {
  mkdirSync(folder, { recursive: true });
  const taken = new Map<string, { path: string; handle: number; isWritten: boolean }>();
  const close = () => {
    for (const { path, handle, isWritten } of taken.values()) {
      closeSync(handle);
      if (!isWritten) rmSync(path, { force: true });
    }
    taken.clear();
  };
  try {
    for (const { name, mode } of files) {
      const path = join(folder, name);
      taken.set(name, { path, handle: openSync(path, "wx", mode), isWritten: false });
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    write(name, text) {
      const file = taken.get(name);
      if (file === undefined) throw new Error(`${name} was not taken`);
      writeFileSync(file.handle, text);
      file.isWritten = true;
    },
    close,
  };
}
