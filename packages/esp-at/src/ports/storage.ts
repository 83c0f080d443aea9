/** What survives a power cycle: settings (NVS) and flash items. `file-storage.ts` keeps them in a file. */
export interface StoredState {
  settings: Record<string, unknown>;
  /** `namespace/key` -> item. */
  items: Record<string, { type: number; base64: string }>;
  /** Partition -> content; what is missing is erased (0xff). */
  partitions: Record<string, string>;
}

export interface Storage {
  load(): StoredState | undefined;
  save(state: StoredState): void;
}

/** Keeps nothing beyond the life of the modem. */
export function createMemoryStorage(): Storage {
  let kept: StoredState | undefined;
  return {
    load: () => kept,
    save(state) {
      kept = structuredClone(state);
    },
  };
}
