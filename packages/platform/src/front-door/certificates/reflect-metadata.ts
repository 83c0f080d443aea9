/**
 * The three calls of the Reflect metadata proposal that tsyringe (below @peculiar/x509) makes when its modules load. It
 * uses them for class parameters only; a complete polyfill would be a dependency for these lines.
 */
type ReflectMetadata = Record<"defineMetadata" | "getMetadata" | "getOwnMetadata", unknown>;

const metadata = new WeakMap<object, Map<unknown, unknown>>();

function getOwnMetadata(key: unknown, target: object): unknown {
  return metadata.get(target)?.get(key);
}

function getMetadata(key: unknown, target: object): unknown {
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const own = getOwnMetadata(key, at);
    if (own !== undefined) return own;
  }
  return undefined;
}

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const entries = metadata.get(target) ?? new Map<unknown, unknown>();
  metadata.set(target, entries.set(key, value));
}

const reflect = Reflect as typeof Reflect & Partial<ReflectMetadata>;
if (reflect.getMetadata === undefined) Object.assign(reflect, { defineMetadata, getMetadata, getOwnMetadata });
