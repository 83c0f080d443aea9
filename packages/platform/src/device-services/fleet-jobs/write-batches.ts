/** Writes of one turn become one commit: the disk is waited for once, and sockets get their turn between two commits. */
import type { Clock } from "../../clock.ts";

interface Waiting<T, R> {
  item: T;
  resolve(result: R): void;
  reject(error: unknown): void;
}

/** @param run gets at most `itemsMax` items and answers in their order */
export function createWriteBatches<T, R>(
  clock: Pick<Clock, "soon">,
  run: (items: readonly T[]) => Promise<readonly R[]>,
  itemsMax: number,
): (item: T) => Promise<R> {
  let waiting: Waiting<T, R>[] = [];
  let isUnderWay = false;

  async function work(): Promise<void> {
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
    isUnderWay = waiting.length > 0;
    if (isUnderWay) clock.soon(() => void work());
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (isUnderWay) return;
      isUnderWay = true;
      clock.soon(() => void work());
    });
}
