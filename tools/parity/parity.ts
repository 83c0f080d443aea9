/** What of a cloud this server has, told from its own tables and from the tests that name it. Pure; `document.ts` reads the files. */

export interface SourceFile {
  /** Below the repository's root. */
  path: string;
  text: string;
}

/** Which client a test file drives; files that are not named here prove nothing about clients. */
export type Clients = Readonly<Record<string, string>>;

export interface Row {
  name: string;
  state: "works" | "checked" | "handled" | "refused";
  /** Client and file, or the file of the unit test. */
  proof: string;
}

/** Everything that `defineOperation` is given a name for. */
export function operationsIn(files: readonly SourceFile[]): Set<string> {
  const names = new Set<string>();
  for (const { text } of files) for (const [, name = ""] of text.matchAll(/^ {2}([A-Z]\w+): defineOperation\(/gm)) names.add(name);
  return names;
}

/** Operations called by name in a test: `"QueryProduct"`, `succeed("queryProduct"`, `client.queryProduct(`, `[op QueryProduct]`. */
export function calledIn({ text }: SourceFile): Set<string> {
  const names = new Set<string>();
  for (const [, name = ""] of text.matchAll(/"([A-Z]\w+)"/g)) names.add(name);
  for (const [, name = ""] of text.matchAll(/\[op (\w+)\]/g)) names.add(name);
  for (const [, name = ""] of text.matchAll(/\b(?:call|succeed|send)\(\s*"(\w+)"/g)) names.add(capital(name));
  for (const [, name = ""] of text.matchAll(/\bclient\.(\w+)\(/g)) names.add(capital(name));
  for (const [, name = ""] of text.matchAll(/\b(\w+)Command\b/g)) names.add(capital(name));
  return names;
}

export function operationRows(names: readonly string[], have: ReadonlySet<string>, tests: readonly SourceFile[], clients: Clients): Row[] {
  const calls = tests.map((file) => ({ path: file.path, names: calledIn(file) }));
  return names.map((name): Row => {
    if (!have.has(name)) return { name, state: "refused", proof: "UnsupportedOperation" };
    const proofs = calls.filter((each) => each.names.has(name));
    const byClient = proofs.find(({ path }) => clients[path] !== undefined);
    if (byClient !== undefined) return { name, state: "works", proof: `${clients[byClient.path]}: ${byClient.path}` };
    const [unit] = proofs;
    return unit === undefined ? { name, state: "handled", proof: "" } : { name, state: "checked", proof: unit.path };
  });
}

export interface TopicRow {
  template: string;
  direction: "up" | "down" | "both";
}

/** What stands in tests and handlers for a topic: the template without its device part. */
export function tailOf(template: string): string {
  return template
    .replace(/^\/sys\/\$\{productKey\}\/\$\{deviceName\}\//, "")
    .replace(/\/\$\{productKey\}\/\$\{(deviceName|name)\}/, "")
    .replace(/^\//, "");
}

export function topicRows(
  topics: readonly TopicRow[],
  sources: { tests: readonly SourceFile[]; handlers: readonly SourceFile[] },
  clients: Clients,
): (Row & { direction: TopicRow["direction"] })[] {
  return topics.map(({ template, direction }) => {
    // An answer is sent where the question is handled.
    const tail = tailOf(template.replace(/_reply$/, ""));
    const isNamed = ({ text }: SourceFile) => mentions(text, tail);
    const found = sources.tests.filter(isNamed);
    const byClient = found.find(({ path }) => clients[path] !== undefined);
    const base = { name: template, direction };
    if (byClient !== undefined) return { ...base, state: "works" as const, proof: `${clients[byClient.path]}: ${byClient.path}` };
    const [unit] = found;
    if (unit !== undefined) return { ...base, state: "checked" as const, proof: unit.path };
    if (sources.handlers.some(isNamed)) return { ...base, state: "handled" as const, proof: "" };
    const proof = direction === "down" ? "never sent" : "taken, acknowledged, logged as not processed";
    return { ...base, state: "refused" as const, proof };
  });
}

/** The tail as a whole: `thing/event/property/post` is not in `…/post_reply`. Placeholders stand for one level. */
function mentions(text: string, tail: string): boolean {
  if (text.includes(`[topic ${tail}]`)) return true;
  const pattern = tail
    .split(/\$\{\w+\}/)
    .map((part) => part.replace(/[.*+?^$()|[\]\\{}]/g, "\\$&"))
    .join("(?:\\$\\{[^}]+\\}|[\\w:+-]+)");
  return new RegExp(`(?<!\\w)${pattern}(?:_reply)?(?![\\w/])`).test(text);
}

const words: Readonly<Record<Row["state"], string>> = {
  works: "works",
  checked: "works; unit test",
  handled: "built, no test names it",
  refused: "refused",
};

export function formatRows(heading: string, rows: readonly Row[]): string {
  const lines = rows.map(({ name, state, proof }) => `| \`${name}\` | ${words[state]} | ${proof === "" ? "–" : proof} |`);
  return [`| ${heading} | state | proof |`, "| --- | --- | --- |", ...lines].join("\n");
}

export function countRows(rows: readonly Row[]): string {
  const count = (state: Row["state"]) => rows.filter((row) => row.state === state).length;
  return `${count("works")} proved by a client that is not ours, ${count("checked")} by unit tests, ${count("handled")} built without a test that names them, ${count("refused")} refused.`;
}

function capital(name: string): string {
  return `${name[0]?.toUpperCase() ?? ""}${name.slice(1)}`;
}
