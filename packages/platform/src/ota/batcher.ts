/** Many small writes that come together become one commit; each caller learns about its own. */
export interface Batcher<T, R> {
  add(item: T): Promise<R>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

interface Waiting<T, R> {
  item: T;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/** @param run gets at most `itemsMax` items and answers in their order */
export function createBatcher<T, R>(run: (items: T[]) => Promise<R[]>, itemsMax: number): Batcher<T, R> {
  let waiting: Waiting<T, R>[] = [];
  let running: Promise<void> | undefined;

  async function work(): Promise<void> {
    // Whatever comes within this turn still goes along.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting.slice(0, itemsMax);
      waiting = waiting.slice(itemsMax);
      try {
        const results = await run(batch.map(({ item }) => item));
        for (const [index, { resolve, reject }] of batch.entries()) {
          if (index in results) resolve(results[index] as R);
          else reject(new Error("the store gave fewer answers than there were writes"));
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = undefined;
  }

  return {
    add(item) {
      return new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        running ??= work();
      });
    },
    async idle() {
      await running;
    },
  };
}
