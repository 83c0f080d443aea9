/** Finds what lies at a method and path: a tree of path segments, where a literal goes before a label and a label before the greedy rest. */

export interface Route<T> {
  method: string;
  /** `/things/{thingName}`; `{topic+}` takes the rest, slashes too. */
  path: string;
  value: T;
}

export type RouteMatch<T> =
  | { kind: "found"; value: T; labels: Record<string, string> }
  /** The path is known with other methods. */
  | { kind: "other_method"; allowed: string[] }
  | { kind: "none" }
  /** A label is not percent-encoded UTF-8. */
  | { kind: "malformed"; received: string };

interface End<T> {
  value: T;
  names: readonly string[];
}

interface Node<T> {
  literals: Map<string, Node<T>>;
  label?: Node<T>;
  /** Ends of `{name+}`, by method. */
  rests: Map<string, End<T>>;
  ends: Map<string, End<T>>;
}

const newNode = <T>(): Node<T> => ({ literals: new Map(), rests: new Map(), ends: new Map() });

export class RouteTable<T> {
  readonly #root = newNode<T>();

  constructor(routes: readonly Route<T>[]) {
    for (const route of routes) this.#add(route);
  }

  #add({ method, path, value }: Route<T>): void {
    const names: string[] = [];
    let node = this.#root;
    for (const segment of path.slice(1).split("/")) {
      const label = /^\{(\w+)(\+?)\}$/.exec(segment);
      if (label === null) {
        const next = node.literals.get(segment) ?? newNode<T>();
        node.literals.set(segment, next);
        node = next;
        continue;
      }
      names.push(label[1] ?? "");
      if (label[2] === "+") {
        node.rests.set(method, { value, names });
        return;
      }
      node.label ??= newNode<T>();
      node = node.label;
    }
    node.ends.set(method, { value, names });
  }

  /** @param path as it came, undecoded */
  match(method: string, path: string): RouteMatch<T> {
    const segments = path.replace(/^\//, "").split("/");
    const allowed = new Set<string>();
    const found = walk(this.#root, segments, 0, [], method, allowed);
    if (found === undefined) return allowed.size === 0 ? { kind: "none" } : { kind: "other_method", allowed: [...allowed].sort() };
    const labels: Record<string, string> = {};
    for (const [at, name] of found.end.names.entries()) {
      const raw = found.texts[at] ?? "";
      const text = decode(raw);
      if (text === undefined) return { kind: "malformed", received: raw };
      labels[name] = text;
    }
    return { kind: "found", value: found.end.value, labels };
  }
}

/** Labels are never empty: `/things/` is no thing. */
function walk<T>(
  node: Node<T>,
  segments: readonly string[],
  at: number,
  texts: readonly string[],
  method: string,
  allowed: Set<string>,
): { end: End<T>; texts: readonly string[] } | undefined {
  const segment = segments[at];
  if (segment === undefined) return pick(node.ends, texts, method, allowed);
  const literal = node.literals.get(segment) ?? node.literals.get(decode(segment) ?? segment);
  const byLiteral = literal && walk(literal, segments, at + 1, texts, method, allowed);
  if (byLiteral !== undefined) return byLiteral;
  const byLabel = segment !== "" && node.label ? walk(node.label, segments, at + 1, [...texts, segment], method, allowed) : undefined;
  if (byLabel !== undefined) return byLabel;
  const rest = segments.slice(at).join("/");
  return rest === "" ? undefined : pick(node.rests, [...texts, rest], method, allowed);
}

function pick<T>(ends: ReadonlyMap<string, End<T>>, texts: readonly string[], method: string, allowed: Set<string>) {
  const end = ends.get(method);
  if (end !== undefined) return { end, texts };
  for (const other of ends.keys()) allowed.add(other);
  return undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
