/** The bound over the queues of all sessions: what has waited longest goes first. */
import type { Session } from "./session.ts";

/** Trimming stops here, so that a full house does not look for the oldest message at every publish. */
const trimmedShare = 0.95;

interface Queues extends Iterable<Session> {
  queuedBytes: number;
}

/** Drops the oldest queued messages, whosever they are, until `bytesMax` is kept with some room. */
export function trimOldest(queues: Queues, bytesMax: number): void {
  const heap: Session[] = [];
  for (const session of queues) if (session.queuedMessages > 0) heap.push(session);
  for (let index = heap.length >> 1; index >= 0; index -= 1) sink(heap, index);
  while (queues.queuedBytes > bytesMax * trimmedShare) {
    const [oldest] = heap;
    if (oldest === undefined) return;
    oldest.dropOldest();
    if (oldest.queuedMessages === 0) {
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return;
      if (last !== oldest) heap[0] = last;
    }
    sink(heap, 0);
  }
}

/** Moves the session at `index` down to its place in the heap; the oldest message is at the top. */
function sink(heap: Session[], index: number): void {
  const session = heap[index];
  if (session === undefined) return;
  for (let at = index; ; ) {
    const left = heap[at * 2 + 1];
    const right = heap[at * 2 + 2];
    if (left === undefined) return;
    const isRightOlder = right !== undefined && right.oldestQueuedAt < left.oldestQueuedAt;
    const child = isRightOlder ? right : left;
    if (child.oldestQueuedAt >= session.oldestQueuedAt) return;
    const childAt = at * 2 + (isRightOlder ? 2 : 1);
    heap[at] = child;
    heap[childAt] = session;
    at = childAt;
  }
}
