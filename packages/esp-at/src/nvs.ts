/** Settings by name and flash content, written through to the storage. */
import type { Storage, StoredState } from "./ports/storage.ts";

export class Nvs {
  readonly #storage: Storage;
  readonly #state: StoredState;
  /** AT+SYSSTORE=0: settings change in memory only. */
  isStoring = true;
  /** What this run changed without storing. */
  readonly #volatile = new Map<string, unknown>();

  constructor(storage: Storage) {
    this.#storage = storage;
    this.#state = storage.load() ?? { settings: {}, items: {}, partitions: {} };
  }

  number(name: string, otherwise: number): number {
    const value = this.#get(name);
    return typeof value === "number" ? value : otherwise;
  }

  string(name: string, otherwise: string): string {
    const value = this.#get(name);
    return typeof value === "string" ? value : otherwise;
  }

  numbers(name: string, otherwise: readonly number[]): readonly number[] {
    const value = this.#get(name);
    return Array.isArray(value) && value.every((each) => typeof each === "number") ? value : otherwise;
  }

  /** Stored when SYSSTORE says so. */
  set(name: string, value: string | number | readonly number[]): void {
    if (this.isStoring) this.store(name, value);
    else this.#volatile.set(name, value);
  }

  /** Stored whatever SYSSTORE says. */
  store(name: string, value: string | number | readonly number[]): void {
    this.#volatile.delete(name);
    this.#state.settings[name] = value;
    this.save();
  }

  /** For this run only. */
  keep(name: string, value: string | number | readonly number[]): void {
    this.#volatile.set(name, value);
  }

  /** As in the factory. */
  clear(name: string): void {
    this.#volatile.delete(name);
    if (this.#state.settings[name] === undefined) return;
    delete this.#state.settings[name];
    this.save();
  }

  /** Power was off. */
  forgetVolatile(): void {
    this.#volatile.clear();
    this.isStoring = true;
  }

  /** AT+RESTORE: settings as in the factory; certificates stay. */
  restore(): void {
    this.#volatile.clear();
    this.#state.settings = {};
    this.save();
  }

  get items(): StoredState["items"] {
    return this.#state.items;
  }

  get partitions(): StoredState["partitions"] {
    return this.#state.partitions;
  }

  save(): void {
    this.#storage.save(this.#state);
  }

  #get(name: string): unknown {
    return this.#volatile.has(name) ? this.#volatile.get(name) : this.#state.settings[name];
  }
}
