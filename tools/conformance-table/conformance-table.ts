/** Which normative statements of MQTT have a test or a vector that names them. Pure: takes texts, gives the table. */

export interface Clause {
  id: string;
  /** What it asks of a server, in a few words of our own. */
  text: string;
  /**
   * The statement of 5.0 that asks the same under another number; tests are named by 5.0 where the two differ. `none`: 5.0 does
   * not ask it and uses the number for something else, so tests say `3.1.1 MQTT-…`.
   */
  sameIn5?: string;
}

export interface Evidence {
  /** Path in the repository. */
  path: string;
  text: string;
}

const idPattern = /(?:3\.1\.1 )?MQTT-\d+(?:\.\d+)+-\d+/g;

/** Clause id -> the files that name it. */
export function collectEvidence(files: readonly Evidence[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { path, text } of files) {
    for (const id of new Set(text.match(idPattern))) found.set(id, [...(found.get(id) ?? []), path]);
  }
  return found;
}

function pathsOf({ id, sameIn5 }: Clause, evidence: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return evidence.get(sameIn5 === "none" ? `3.1.1 ${id}` : (sameIn5 ?? id)) ?? [];
}

/** A Markdown table of one version, with its count above. */
export function formatTable(version: string, clauses: readonly Clause[], evidence: ReadonlyMap<string, readonly string[]>): string {
  const rows = clauses.map((clause) => {
    const paths = pathsOf(clause, evidence);
    const shown = paths.slice(0, 3).map((path) => `\`${path.replace("packages/mqtt/src/", "")}\``);
    const more = paths.length > 3 ? ` and ${paths.length - 3} more` : "";
    return `| ${clause.id} | ${clause.text} | ${paths.length === 0 ? "–" : shown.join(", ") + more} |`;
  });
  const covered = clauses.filter((clause) => pathsOf(clause, evidence).length > 0).length;
  return [
    `## MQTT ${version}`,
    "",
    `${covered} of ${clauses.length} statements have a test or a vector that names them.`,
    "",
    "| statement | asks | named by |",
    "|---|---|---|",
    ...rows,
  ].join("\n");
}
