/** Variables in policy texts (AWS reference, policies 5.4): `${iot:ClientId}`, `${*}`; what they give is matched literally. */
import type { ContextValues } from "./policy-context.ts";
import type { WildcardToken } from "./policy-wildcards.ts";

/** What `${*}`, `${?}` and `${$}` stand for. */
const literalNames: ReadonlySet<string> = new Set(["*", "?", "$"]);

/** A value with one of these would read as a wildcard in a policy, a filter or a variable. */
const withheldCharacters = /[*$+?#]/;
const substitutedCharactersMax = 1024;

export interface VariableReading {
  /** `2008-10-17` policies: `${` is ordinary text. */
  readonly hasVariables: boolean;
  /** `*` and `?` of the policy's own text are wildcards. */
  readonly hasWildcards: boolean;
}

/** Wildcards, variables and the separators of ARNs are tokens of their own. */
const ordinaryRun = /[^*?$:]+/y;

/** Undefined when a variable has no value that may stand here: the pattern matches nothing then. */
export function substitute(pattern: string, values: ContextValues, reading: VariableReading): WildcardToken[] | undefined {
  const tokens: WildcardToken[] = [];
  for (let position = 0; position < pattern.length; ) {
    const end = reading.hasVariables && pattern.startsWith("${", position) ? pattern.indexOf("}", position) : -1;
    if (end >= 0) {
      const text = variableText(pattern.slice(position + 2, end), values);
      if (text === undefined) return undefined;
      tokens.push({ kind: "text", text });
      position = end + 1;
      continue;
    }
    ordinaryRun.lastIndex = position;
    const text = ordinaryRun.exec(pattern)?.[0] ?? pattern.charAt(position);
    if (reading.hasWildcards && text === "*") tokens.push({ kind: "any" });
    else if (reading.hasWildcards && text === "?") tokens.push({ kind: "one" });
    else tokens.push({ kind: "text", text });
    position += text.length;
  }
  return tokens;
}

function variableText(name: string, values: ContextValues): string | undefined {
  if (literalNames.has(name)) return name;
  const found = values(name);
  const text = found?.length === 1 ? found[0] : undefined;
  return text === undefined || text.length > substitutedCharactersMax || withheldCharacters.test(text) ? undefined : text;
}
