/**
 * Topic filters as a tree of levels. [MQTT-4.7]
 *
 * `Key` says who subscribed, `Value` how; one key has at most one value per filter. Matching visits every filter that fits
 * a topic name and costs no more than the levels it walks.
 */
interface Node<Key, Value> {
  children: Map<string, Node<Key, Value>>;
  entries: Map<Key, Value>;
}

type Visit<Key, Value> = (key: Key, value: Value, isParent: boolean) => void;

function createNode<Key, Value>(): Node<Key, Value> {
  return { children: new Map(), entries: new Map() };
}

export class TopicTree<Key, Value> {
  readonly #root: Node<Key, Value> = createNode();

  /** Adds or replaces. */
  set(filter: string, key: Key, value: Value): void {
    let node = this.#root;
    for (const level of filter.split("/")) {
      let child = node.children.get(level);
      if (child === undefined) {
        child = createNode();
        node.children.set(level, child);
      }
      node = child;
    }
    node.entries.set(key, value);
  }

  get(filter: string, key: Key): Value | undefined {
    let node: Node<Key, Value> | undefined = this.#root;
    for (const level of filter.split("/")) {
      node = node.children.get(level);
      if (node === undefined) return undefined;
    }
    return node.entries.get(key);
  }

  /** Removes an entry and the branches that it leaves empty. */
  delete(filter: string, key: Key): boolean {
    const path: { parent: Node<Key, Value>; level: string }[] = [];
    let node = this.#root;
    for (const level of filter.split("/")) {
      const child = node.children.get(level);
      if (child === undefined) return false;
      path.push({ parent: node, level });
      node = child;
    }
    if (!node.entries.delete(key)) return false;
    for (let step = path.pop(); step !== undefined && node.entries.size === 0 && node.children.size === 0; step = path.pop()) {
      step.parent.children.delete(step.level);
      node = step.parent;
    }
    return true;
  }

  /** Calls `visit` for every entry whose filter matches the topic name. `isParent`: it is the level above the filter's `#`. */
  match(topic: string, visit: Visit<Key, Value>): void {
    matchLevel(this.#root, topic.split("/"), 0, visit);
  }

  get isEmpty(): boolean {
    return this.#root.children.size === 0;
  }
}

function matchLevel<Key, Value>(node: Node<Key, Value>, levels: readonly string[], depth: number, visit: Visit<Key, Value>): void {
  const level = levels[depth];
  // [MQTT-4.7.2-1] A filter that starts with a wildcard does not match a topic that starts with $.
  const isWildcardAllowed = depth > 0 || level?.startsWith("$") !== true;
  if (isWildcardAllowed) {
    // [MQTT-4.7.1-2] "#" also stands for the parent level itself: "sport/#" matches "sport".
    const rest = node.children.get("#");
    if (rest !== undefined) visitEntries(rest, visit, level === undefined);
  }
  if (level === undefined) {
    visitEntries(node, visit, false);
    return;
  }
  // A topic name cannot contain wildcards, so a literal level never finds the wildcard branches.
  const literal = node.children.get(level);
  if (literal !== undefined) matchLevel(literal, levels, depth + 1, visit);
  if (isWildcardAllowed) {
    const single = node.children.get("+");
    if (single !== undefined) matchLevel(single, levels, depth + 1, visit);
  }
}

function visitEntries<Key, Value>(node: Node<Key, Value>, visit: Visit<Key, Value>, isParent: boolean): void {
  for (const [key, value] of node.entries) visit(key, value, isParent);
}
