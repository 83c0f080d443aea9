/** The query language of the fleet index (AWS reference, 16): terms, phrases, `*` and `?`, ranges, AND, OR, NOT, groups. AND is the default. */
import { compileWildcards, matchesWildcards, type WildcardMatcher, type WildcardToken } from "./policy-wildcards.ts";

export interface IndexQueryLimits {
  queryCharactersMax: number;
  queryTermsMax: number;
  queryNestingMax: number;
}

/** The vendor's, nesting apart. */
export const defaultIndexQueryLimits: IndexQueryLimits = { queryCharactersMax: 1_000, queryTermsMax: 12, queryNestingMax: 16 };

/** `isOpen`: the border itself does not count. */
interface Border {
  value: string;
  isOpen: boolean;
}

type ValueTest =
  | { kind: "word"; matcher: WildcardMatcher }
  | { kind: "phrase"; text: string }
  | { kind: "range"; from?: Border; to?: Border }
  | { kind: "any" };

export type IndexQuery =
  | { kind: "and" | "or"; parts: readonly IndexQuery[] }
  | { kind: "not"; part: IndexQuery }
  /** Without a field: in any. */
  | { kind: "term"; field?: string; test: ValueTest };

export type IndexQueryReading = { kind: "query"; query: IndexQuery } | { kind: "refused"; received: string; expected: string };

/** A leaf of a document: `attributes.color` and its value. */
export type IndexFields = ReadonlyMap<string, readonly (string | number | boolean)[]>;

class QueryFault extends Error {
  readonly received: string;
  readonly expected: string;

  constructor(received: string, expected: string) {
    super(expected);
    this.received = received;
    this.expected = expected;
  }
}

const ends = /[\s()[\]{}"]/;
const comparisons = [">=", "<=", ">", "<"] as const;

class Reader {
  readonly #text: string;
  readonly #limits: IndexQueryLimits;
  #at = 0;
  #terms = 0;

  constructor(text: string, limits: IndexQueryLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  all(): IndexQuery {
    const query = this.#or(undefined, 0);
    this.#skip();
    if (this.#at < this.#text.length) this.#fail("the end of the query");
    return query;
  }

  #fail(expected: string): never {
    throw new QueryFault(
      this.#at < this.#text.length ? `${this.#text.slice(this.#at, this.#at + 20)} at ${this.#at}` : "the end",
      expected,
    );
  }

  #skip(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  #takes(sign: string): boolean {
    this.#skip();
    if (!this.#text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }

  #takesWord(word: string): boolean {
    this.#skip();
    const end = this.#at + word.length;
    const next = this.#text[end];
    if (!this.#text.startsWith(word, this.#at) || (next !== undefined && !ends.test(next))) return false;
    this.#at = end;
    return true;
  }

  #or(field: string | undefined, depth: number): IndexQuery {
    if (depth > this.#limits.queryNestingMax) this.#fail(`at most ${this.#limits.queryNestingMax} groups inside one another`);
    const parts = [this.#and(field, depth)];
    while (this.#takesWord("OR")) parts.push(this.#and(field, depth));
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "or", parts };
  }

  #and(field: string | undefined, depth: number): IndexQuery {
    const parts = [this.#not(field, depth)];
    for (;;) {
      if (this.#takesWord("AND")) parts.push(this.#not(field, depth));
      else if (this.#isAtOperand()) parts.push(this.#not(field, depth));
      else return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "and", parts };
    }
  }

  #isAtOperand(): boolean {
    this.#skip();
    const next = this.#text[this.#at];
    if (next === undefined || next === ")") return false;
    const start = this.#at;
    const isOr = this.#takesWord("OR");
    this.#at = start;
    return !isOr;
  }

  #not(field: string | undefined, depth: number): IndexQuery {
    if (depth > this.#limits.queryNestingMax) this.#fail(`at most ${this.#limits.queryNestingMax} levels`);
    if (this.#takesWord("NOT") || this.#takes("-")) return { kind: "not", part: this.#not(field, depth + 1) };
    if (this.#takes("(")) return this.#group(field, depth);
    return this.#term(field, depth);
  }

  #group(field: string | undefined, depth: number): IndexQuery {
    const query = this.#or(field, depth + 1);
    if (!this.#takes(")")) this.#fail(")");
    return query;
  }

  #term(outer: string | undefined, depth: number): IndexQuery {
    this.#terms++;
    if (this.#terms > this.#limits.queryTermsMax) this.#fail(`at most ${this.#limits.queryTermsMax} terms`);
    if (this.#takesWord("AND") || this.#takesWord("OR")) this.#fail("a term");
    this.#skip();
    if (this.#text[this.#at] === '"') return termOf(outer, { kind: "phrase", text: this.#quoted().toLowerCase() });
    const name = outer === undefined ? this.#fieldName() : undefined;
    const field = outer ?? name;
    if (name !== undefined) {
      const compared = comparisons.find((sign) => this.#takes(sign));
      if (compared !== undefined) return termOf(field, this.#comparison(compared));
      if (!this.#takes(":")) this.#fail("a colon or a comparison behind the name of a field");
      if (this.#takes("(")) {
        this.#terms--;
        return this.#group(field, depth);
      }
    }
    return termOf(field, this.#value());
  }

  /** Undefined, and nothing taken, when what comes is no field's name. */
  #fieldName(): string | undefined {
    const found = /^((?:[^\s()[\]{}":<>\\]|\\.)+)\s*(?=[:<>])/.exec(this.#text.slice(this.#at));
    if (found === null) return undefined;
    this.#at += found[0].length;
    return (found[1] ?? "").replace(/\\(.)/g, "$1");
  }

  #comparison(sign: (typeof comparisons)[number]): ValueTest {
    this.#skip();
    const border = { value: this.#text[this.#at] === '"' ? this.#quoted() : plainText(this.#word()), isOpen: sign.length === 1 };
    return sign.startsWith(">") ? { kind: "range", from: border } : { kind: "range", to: border };
  }

  #value(): ValueTest {
    this.#skip();
    const first = this.#text[this.#at];
    if (first === '"') return { kind: "phrase", text: this.#quoted().toLowerCase() };
    if (first === "[" || first === "{") return this.#range(first === "{");
    const tokens = this.#word();
    if (tokens.length === 1 && tokens[0]?.kind === "any") return { kind: "any" };
    return { kind: "word", matcher: compileWildcards(tokens) };
  }

  #range(isFromOpen: boolean): ValueTest {
    this.#at++;
    const from = this.#border();
    if (!this.#takesWord("TO")) this.#fail("TO");
    const to = this.#border();
    const isToOpen = this.#takes("}");
    if (!isToOpen && !this.#takes("]")) this.#fail("] or }");
    return {
      kind: "range",
      ...(from === undefined ? {} : { from: { value: from, isOpen: isFromOpen } }),
      ...(to === undefined ? {} : { to: { value: to, isOpen: isToOpen } }),
    };
  }

  /** Undefined: `*`, no border. */
  #border(): string | undefined {
    this.#skip();
    if (this.#text[this.#at] === '"') return this.#quoted();
    const tokens = this.#word();
    return tokens.length === 1 && tokens[0]?.kind === "any" ? undefined : plainText(tokens);
  }

  #quoted(): string {
    const found = /^"((?:[^"\\]|\\.)*)"/s.exec(this.#text.slice(this.#at));
    if (found === null) this.#fail('a closing "');
    this.#at += found[0].length;
    return (found[1] ?? "").replace(/\\(.)/gs, "$1");
  }

  /** Lower case: searching does not tell cases apart. */
  #word(): WildcardToken[] {
    const tokens: WildcardToken[] = [];
    let text = "";
    const start = this.#at;
    for (; this.#at < this.#text.length; this.#at++) {
      const sign = this.#text[this.#at] ?? "";
      if (ends.test(sign)) break;
      if (sign === "*" || sign === "?") {
        if (text !== "") tokens.push({ kind: "text", text: text.toLowerCase() });
        text = "";
        tokens.push({ kind: sign === "*" ? "any" : "one" });
      } else if (sign === "\\") {
        this.#at++;
        text += this.#text[this.#at] ?? "";
      } else text += sign;
    }
    if (this.#at === start) this.#fail("a word");
    if (text !== "") tokens.push({ kind: "text", text: text.toLowerCase() });
    return tokens;
  }
}

function plainText(tokens: readonly WildcardToken[]): string {
  return tokens.map((token) => (token.kind === "text" ? token.text : token.kind === "any" ? "*" : "?")).join("");
}

function termOf(field: string | undefined, test: ValueTest): IndexQuery {
  return { kind: "term", test, ...(field === undefined ? {} : { field }) };
}

export function readIndexQuery(text: string, limits: IndexQueryLimits): IndexQueryReading {
  if (text.length > limits.queryCharactersMax) {
    return { kind: "refused", received: `${text.length} characters`, expected: `at most ${limits.queryCharactersMax}` };
  }
  try {
    return { kind: "query", query: new Reader(text, limits).all() };
  } catch (error) {
    if (!(error instanceof QueryFault)) throw error;
    return { kind: "refused", received: error.received, expected: error.expected };
  }
}

/** Fields that the query names; `any`: a term without one looks everywhere. */
export function fieldsOf(query: IndexQuery): { names: ReadonlySet<string>; any: boolean } {
  const names = new Set<string>();
  let any = false;
  const walk = (part: IndexQuery): void => {
    if (part.kind === "not") walk(part.part);
    else if (part.kind !== "term") part.parts.forEach(walk);
    else if (part.field !== undefined) names.add(part.field);
    // `*` alone is about every thing.
    else if (part.test.kind !== "any") any = true;
  };
  walk(query);
  return { names, any };
}

export function matchesIndexQuery(query: IndexQuery, fields: IndexFields): boolean {
  switch (query.kind) {
    case "and":
      return query.parts.every((part) => matchesIndexQuery(part, fields));
    case "or":
      return query.parts.some((part) => matchesIndexQuery(part, fields));
    case "not":
      return !matchesIndexQuery(query.part, fields);
    case "term": {
      const { field, test } = query;
      if (field !== undefined) return (fields.get(field) ?? []).some((value) => passes(test, value));
      return test.kind === "any" || [...fields.values()].some((values) => values.some((value) => passes(test, value)));
    }
  }
}

function passes(test: ValueTest, value: string | number | boolean): boolean {
  const text = String(value).toLowerCase();
  switch (test.kind) {
    case "any":
      return true;
    case "phrase":
      return ` ${text} `.includes(` ${test.text} `);
    case "word":
      return (
        matchesWildcards(test.matcher, text) || (/\s/.test(text) && text.split(/\s+/).some((word) => matchesWildcards(test.matcher, word)))
      );
    case "range":
      return (test.from === undefined || isInside(text, test.from, 1)) && (test.to === undefined || isInside(text, test.to, -1));
  }
}

/** @param direction 1: above the border, -1: below it; as numbers where both are */
function isInside(text: string, { value, isOpen }: Border, direction: 1 | -1): boolean {
  const border = value.toLowerCase();
  const [left, right] = [numberOf(text), numberOf(border)];
  const order =
    left !== undefined && right !== undefined
      ? left - right
      : left === undefined && right === undefined
        ? text < border
          ? -1
          : text > border
            ? 1
            : 0
        : undefined;
  if (order === undefined) return false;
  return order === 0 ? !isOpen : Math.sign(order) === direction;
}

function numberOf(text: string): number | undefined {
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}
