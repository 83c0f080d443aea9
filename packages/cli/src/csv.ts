/** CSV (RFC 4180) with a header line, as rows by column name. */
export interface CsvProblem {
  line: number;
  problem: "quote_open" | "quote_misplaced" | "cells_differ";
}

export function parseCsv(text: string): { rows: Record<string, string>[] } | CsvProblem {
  const lines = splitCells(text.replace(/^\uFEFF/, ""));
  if ("problem" in lines) return lines;
  const [header, ...records] = lines.records;
  const names = (header?.cells ?? []).map((name) => name.trim());
  const rows: Record<string, string>[] = [];
  for (const { cells, line } of records) {
    if (cells.length === 1 && cells[0] === "") continue;
    if (cells.length !== names.length) return { line, problem: "cells_differ" };
    rows.push(Object.fromEntries(names.map((name, index) => [name, withoutFormulaGuard(cells[index] ?? "")])));
  }
  return { rows };
}

/** Exported files carry an apostrophe in front of what a spreadsheet would take for a formula. */
function withoutFormulaGuard(cell: string): string {
  return /^'[=+\-@\t\r']/.test(cell) ? cell.slice(1) : cell;
}

const plainCell = /[^,\r\n]*/y;

function splitCells(text: string): { records: { cells: string[]; line: number }[] } | CsvProblem {
  const records: { cells: string[]; line: number }[] = [];
  let cells: string[] = [];
  let line = 1;
  let recordLine = 1;
  let at = 0;

  function endRecord(): void {
    records.push({ cells, line: recordLine });
    cells = [];
    recordLine = line;
  }

  while (at < text.length) {
    let cell = "";
    if (text[at] === '"') {
      const quoteLine = line;
      at += 1;
      while (true) {
        const quote = text.indexOf('"', at);
        if (quote < 0) return { line: quoteLine, problem: "quote_open" };
        const part = text.slice(at, quote);
        cell += part;
        line += part.split("\n").length - 1;
        at = quote + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at += 1;
      }
      if (at < text.length && !/[,\r\n]/.test(text[at] ?? "")) return { line, problem: "quote_misplaced" };
    } else {
      plainCell.lastIndex = at;
      const rest = plainCell.exec(text)?.[0] ?? "";
      if (rest.includes('"')) return { line, problem: "quote_misplaced" };
      cell = rest;
      at += rest.length;
    }
    cells.push(cell);
    if (text[at] === ",") {
      at += 1;
      if (at === text.length) cells.push("");
      continue;
    }
    if (text[at] === "\r") at += 1;
    if (text[at] === "\n") at += 1;
    line += 1;
    endRecord();
  }
  if (cells.length > 0) endRecord();
  return { records };
}
