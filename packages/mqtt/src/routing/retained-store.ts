/** Retained messages by topic name, found by filter. [MQTT-3.3.1-5] */
import type { Journal, JournalContents, JournalSlot, StoredRetained } from "../ports.ts";

export interface RetainedMessage extends StoredRetained {
  /** Where the journal keeps it. */
  slot: JournalSlot;
}

interface Node {
  /** Made with the first child: most nodes are the ends of topics. */
  children: Map<string, Node> | undefined;
  message: RetainedMessage | undefined;
}

/**
 * What a retained message weighs beside topic and payload: nodes of the tree, objects, strings of the levels, the
 * journal's slot. Measured with a million topics of five levels (`npm run bench:scale`); the limit counts memory, not
 * only what clients sent.
 */
const overheadBytes = 600;

export interface RetainedLimits {
  retainedMessagesMax: number;
  retainedBytesMax: number;
}

export class RetainedStore {
  readonly #root: Node = { children: undefined, message: undefined };
  readonly #limits: RetainedLimits;
  readonly #journal: Journal;
  /** Topics whose message expires; those looked at last are at the end. */
  readonly #expiring = new Set<string>();
  #count = 0;
  #bytes = 0;

  constructor(limits: RetainedLimits, journal: Journal) {
    this.#limits = limits;
    this.#journal = journal;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether `store` would take a message of that size. */
  hasRoomFor(topic: string, payloadBytes: number): boolean {
    return this.#isWithinLimits(this.#find(topic)?.message, sizeOf(topic, payloadBytes));
  }

  /** Replaces the message of its topic. False when a limit forbids it; what was there before then stays. */
  store(message: StoredRetained): boolean {
    const previous = this.#find(message.topic)?.message;
    if (!this.#isWithinLimits(previous, sizeOfMessage(message))) return false;
    this.#put({ ...message, slot: this.#journal.saveRetained(message, previous?.slot) });
    this.#count += previous === undefined ? 1 : 0;
    this.#bytes += sizeOfMessage(message) - sizeOfPrevious(previous);
    return true;
  }

  /** False when it was replaced or removed since it was found. */
  isCurrent(message: RetainedMessage): boolean {
    return this.#find(message.topic)?.message === message;
  }

  /** Takes back what the journal kept. */
  restore({ message, slot }: JournalContents["retained"][number]): void {
    this.#put({ ...message, slot });
    this.#count += 1;
    this.#bytes += sizeOfMessage(message);
  }

  /** Writes what lies in old slots to the journal again; pauses after every `piece` messages looked at. */
  *rewrite(slotNumberMax: number, piece: number): Generator<undefined> {
    let seen = 0;
    const nodes = [this.#root];
    for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
      const { message } = node;
      if (message !== undefined && message.slot.number <= slotNumberMax) message.slot = this.#journal.saveRetained(message, message.slot);
      if (node.children !== undefined) for (const child of node.children.values()) nodes.push(child);
      seen += 1;
      if (seen % piece === 0) yield undefined;
    }
  }

  /** [MQTT-3.3.1-6] An empty retained payload removes what was retained. */
  remove(topic: string): boolean {
    const path: { parent: Node; level: string }[] = [];
    let node = this.#root;
    for (const level of topic.split("/")) {
      const child: Node | undefined = node.children?.get(level);
      if (child === undefined) return false;
      path.push({ parent: node, level });
      node = child;
    }
    if (node.message === undefined) return false;
    this.#journal.removeRetained(topic, node.message.slot);
    this.#expiring.delete(topic);
    this.#count -= 1;
    this.#bytes -= sizeOfMessage(node.message);
    node.message = undefined;
    for (let step = path.pop(); step !== undefined && isEmpty(node); step = path.pop()) {
      step.parent.children?.delete(step.level);
      node = step.parent;
    }
    return true;
  }

  /** Every retained message whose topic the filter matches and that has not expired at `now`; expired ones are removed. */
  match(filter: string, now: number): RetainedMessage[] {
    const found: RetainedMessage[] = [];
    collect(this.#root, filter.split("/"), 0, found);
    const current: RetainedMessage[] = [];
    for (const message of found) {
      if (isExpired(message, now)) this.remove(message.topic);
      else current.push(message);
    }
    return current;
  }

  /** The message of the very topic, unless it has expired. */
  get(topic: string, now: number): RetainedMessage | undefined {
    const message = this.#find(topic)?.message;
    return message === undefined || isExpired(message, now) ? undefined : message;
  }

  /** In the order of the topics, level by level, from behind `afterTopic` on; fewer than `countMax` at the end. */
  list(afterTopic: string | undefined, countMax: number, now: number): RetainedMessage[] {
    const current: RetainedMessage[] = [];
    let found: RetainedMessage[];
    let after = afterTopic?.split("/");
    do {
      found = [];
      collectAfter(this.#root, after, 0, countMax - current.length, found);
      for (const message of found) if (!isExpired(message, now)) current.push(message);
      after = found.at(-1)?.topic.split("/");
    } while (found.length > 0 && current.length < countMax);
    return current;
  }

  /** [MQTT-3.3.2-5] Removes what has expired and nobody asked for; looks at no more than `count` messages. */
  removeExpired(now: number, count: number): void {
    let left = Math.min(count, this.#expiring.size);
    for (const topic of this.#expiring) {
      if (left === 0) return;
      left -= 1;
      const message = this.#find(topic)?.message;
      if (message !== undefined && isExpired(message, now)) this.remove(topic);
      else {
        this.#expiring.delete(topic);
        this.#expiring.add(topic);
      }
    }
  }

  #isWithinLimits(previous: RetainedMessage | undefined, messageBytes: number): boolean {
    const { retainedMessagesMax, retainedBytesMax } = this.#limits;
    const count = this.#count + (previous === undefined ? 1 : 0);
    return count <= retainedMessagesMax && this.#bytes + messageBytes - sizeOfPrevious(previous) <= retainedBytesMax;
  }

  #put(message: RetainedMessage): void {
    if (message.properties?.messageExpiryIntervalSeconds === undefined) this.#expiring.delete(message.topic);
    else this.#expiring.add(message.topic);
    let node = this.#root;
    for (const level of message.topic.split("/")) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) {
        child = { children: undefined, message: undefined };
        node.children.set(level, child);
      }
      node = child;
    }
    node.message = message;
  }

  #find(topic: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const level of topic.split("/")) {
      node = node.children?.get(level);
      if (node === undefined) return undefined;
    }
    return node;
  }
}

function sizeOf(topic: string, payloadBytes: number): number {
  return topic.length + payloadBytes + overheadBytes;
}

function sizeOfMessage({ topic, payload }: StoredRetained): number {
  return sizeOf(topic, payload.length);
}

function sizeOfPrevious(previous: StoredRetained | undefined): number {
  return previous === undefined ? 0 : sizeOfMessage(previous);
}

function isEmpty({ message, children }: Node): boolean {
  return message === undefined && (children === undefined || children.size === 0);
}

function isExpired(message: RetainedMessage, now: number): boolean {
  const seconds = message.properties?.messageExpiryIntervalSeconds;
  return seconds !== undefined && now >= message.receivedAt + seconds * 1000;
}

function collect(node: Node, levels: readonly string[], depth: number, found: RetainedMessage[]): void {
  const level = levels[depth];
  if (level === undefined) {
    if (node.message !== undefined) found.push(node.message);
    return;
  }
  if (level === "#") {
    collectAll(node, depth === 0, found);
    return;
  }
  if (level === "+") {
    for (const [name, child] of node.children ?? []) {
      // [MQTT-4.7.2-1] A leading wildcard does not match $-topics.
      if (depth > 0 || !name.startsWith("$")) collect(child, levels, depth + 1, found);
    }
    return;
  }
  const child = node.children?.get(level);
  if (child !== undefined) collect(child, levels, depth + 1, found);
}

/** `after` undefined: everything below this node is behind. Every branch has a message, so no more than `countMax` are looked into. */
function collectAfter(node: Node, after: readonly string[] | undefined, depth: number, countMax: number, found: RetainedMessage[]): void {
  if (node.message !== undefined && after === undefined) found.push(node.message);
  const first = after?.[depth];
  // One more: the first may have nothing that is behind.
  for (const name of smallestNames(node.children, first, countMax - found.length + 1)) {
    if (found.length >= countMax) return;
    const child = node.children?.get(name);
    if (child !== undefined) collectAfter(child, name === first ? after : undefined, depth + 1, countMax, found);
  }
}

/** The `countMax` smallest names from `first` on, sorted. A level may have a million: they are not sorted for a page. */
function smallestNames(children: ReadonlyMap<string, Node> | undefined, first: string | undefined, countMax: number): string[] {
  const names: string[] = [];
  for (const name of children?.keys() ?? []) {
    if (first !== undefined && name < first) continue;
    const largest = names.at(-1);
    if (names.length >= countMax && largest !== undefined && name > largest) continue;
    let low = 0;
    let high = names.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((names[middle] ?? "") < name) low = middle + 1;
      else high = middle;
    }
    names.splice(low, 0, name);
    if (names.length > countMax) names.pop();
  }
  return names;
}

function collectAll(node: Node, isRoot: boolean, found: RetainedMessage[]): void {
  if (node.message !== undefined) found.push(node.message);
  for (const [name, child] of node.children ?? []) {
    if (!isRoot || !name.startsWith("$")) collectAll(child, false, found);
  }
}
