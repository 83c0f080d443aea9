/** Policies of one connection, compiled once so that a decision costs a few look-ups (AWS reference, policies 5.3 to 5.6). */
import type { AwsAccount } from "./arn.ts";
import { splitTokens } from "./policy-arn.ts";
import { isFulfilled } from "./policy-conditions.ts";
import { type ContextValues, createContextValues, type PolicyContext } from "./policy-context.ts";
import type { PolicyDocument, PolicyStatement } from "./policy-document.ts";
import { substitute } from "./policy-variables.ts";
import { compileWildcards, matchesWildcards, type WildcardMatcher, type WildcardToken } from "./policy-wildcards.ts";

export interface PolicyDecision {
  readonly kind: "allowed" | "implicit-deny" | "explicit-deny";
  /** Name of the policy that decided; absent when none spoke. */
  readonly policy?: string;
  /** Its statement: the Sid, or `#1` for the first. */
  readonly statement?: string;
}

export interface CompiledPolicies {
  /**
   * A matching Deny wins, then a matching Allow; otherwise it is denied.
   *
   * @param action as in policies: `iot:Publish`
   * @param resource the ARN without its head: `topic/a/b`, `topicfilter/a/+`, `client/x`, `thing/t`, or `*`
   */
  decide(action: string, resource: string): PolicyDecision;
}

interface CompiledStatement {
  readonly actions: { readonly isNegated: boolean; readonly matchers: readonly WildcardMatcher[] };
  readonly resources: { readonly isNegated: boolean; readonly matchers: readonly WildcardMatcher[] };
  readonly decision: PolicyDecision;
}

/** Matchers of statements about one action, the cheapest first. */
interface ResourceBook {
  everything: PolicyDecision | undefined;
  readonly exact: Map<string, PolicyDecision>;
  readonly prefixes: { text: string; decision: PolicyDecision }[];
  readonly patterns: { matcher: WildcardMatcher; decision: PolicyDecision }[];
  readonly negated: { matchers: readonly WildcardMatcher[]; decision: PolicyDecision }[];
}

const implicitDeny: PolicyDecision = { kind: "implicit-deny" };

/** Actions come from the platform's own code; more different ones than it knows are judged without being remembered. */
const rememberedActionsMax = 64;

/**
 * Substitutes variables and evaluates conditions now: both depend on the connection alone.
 *
 * @example compilePolicies([{ name: "lamps", policy }], context).decide("iot:Publish", "topic/lamps/1")
 */
export function compilePolicies(
  policies: readonly { readonly name: string; readonly policy: PolicyDocument }[],
  context: PolicyContext,
): CompiledPolicies {
  const values = createContextValues(context);
  const statements = policies.flatMap(({ name, policy }) =>
    policy.statements.flatMap((statement, index) => {
      if (!statement.conditions.every((condition) => isFulfilled(condition, values, policy.version))) return [];
      const compiled = compileStatement(statement, policy, context.account, values);
      if (compiled === undefined) return [];
      const kind: PolicyDecision["kind"] = statement.effect === "Allow" ? "allowed" : "explicit-deny";
      return [{ ...compiled, decision: { kind, policy: name, statement: statement.sid ?? `#${index + 1}` } }];
    }),
  );
  const books = new Map<string, { deny: ResourceBook; allow: ResourceBook }>();
  return {
    decide(action, resource) {
      const book = books.get(action) ?? openBook(action);
      return findDecision(book.deny, resource) ?? findDecision(book.allow, resource) ?? implicitDeny;
    },
  };

  function openBook(action: string): { deny: ResourceBook; allow: ResourceBook } {
    const book = { deny: emptyBook(), allow: emptyBook() };
    for (const statement of statements) {
      if (isAmong(statement.actions, action.toLowerCase())) {
        enter(statement.decision.kind === "allowed" ? book.allow : book.deny, statement);
      }
    }
    if (books.size < rememberedActionsMax) books.set(action, book);
    return book;
  }
}

function isAmong({ isNegated, matchers }: CompiledStatement["actions"], text: string): boolean {
  return matchers.some((matcher) => matchesWildcards(matcher, text)) !== isNegated;
}

function compileStatement(
  { effect, actions, resources }: PolicyStatement,
  { version }: PolicyDocument,
  account: AwsAccount,
  values: ContextValues,
): Pick<CompiledStatement, "actions" | "resources"> | undefined {
  const matchers: WildcardMatcher[] = [];
  for (const pattern of resources.patterns) {
    const tokens = substitute(pattern, values, { hasVariables: version === "2012-10-17", hasWildcards: true });
    const matcher = tokens && compileResource(tokens, account);
    if (matcher !== undefined) matchers.push(matcher);
    // An exception that cannot be told would turn "all but mine" into "all".
    else if (tokens === undefined && resources.isNegated && effect === "Allow") return undefined;
  }
  return {
    actions: { isNegated: actions.isNegated, matchers: actions.patterns.map(compileAction) },
    resources: { isNegated: resources.isNegated, matchers },
  };
}

function compileAction(pattern: string): WildcardMatcher {
  return compileWildcards(
    Array.from(pattern.toLowerCase(), (character): WildcardToken => {
      if (character === "*") return { kind: "any" };
      return character === "?" ? { kind: "one" } : { kind: "text", text: character };
    }),
  );
}

/** Undefined when the pattern can match no resource of this account. */
function compileResource(tokens: readonly WildcardToken[], account: AwsAccount): WildcardMatcher | undefined {
  if (tokens.length === 1 && tokens[0]?.kind === "any") return { kind: "all" };
  const parts = splitTokens(tokens);
  if (parts === undefined) return undefined;
  const [arn = [], partition = [], service = [], region = [], accountId = [], resource = []] = parts;
  const isOwn =
    account.acceptsForeignArns === true ||
    ((isText(partition, "aws") || isText(partition, partitionOf(account.region))) &&
      (region.length === 0 || isText(region, account.region)) &&
      (accountId.length === 0 || isText(accountId, account.accountId)));
  return isOwn && isText(arn, "arn") && isText(service, "iot") ? compileWildcards(resource) : undefined;
}

function isText(tokens: readonly WildcardToken[], text: string): boolean {
  return matchesWildcards(compileWildcards(tokens), text);
}

/** Policies that come from the vendor's other partitions name these. */
function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

function emptyBook(): ResourceBook {
  return { everything: undefined, exact: new Map(), prefixes: [], patterns: [], negated: [] };
}

function enter(book: ResourceBook, { resources, decision }: CompiledStatement): void {
  if (resources.isNegated) {
    book.negated.push({ matchers: resources.matchers, decision });
    return;
  }
  for (const matcher of resources.matchers) {
    if (matcher.kind === "all") book.everything ??= decision;
    else if (matcher.kind === "prefix") book.prefixes.push({ text: matcher.text, decision });
    else if (matcher.kind !== "exact") book.patterns.push({ matcher, decision });
    else if (!book.exact.has(matcher.text)) book.exact.set(matcher.text, decision);
  }
}

function findDecision(book: ResourceBook, resource: string): PolicyDecision | undefined {
  const found = book.everything ?? book.exact.get(resource);
  if (found !== undefined) return found;
  for (const { text, decision } of book.prefixes) if (resource.startsWith(text)) return decision;
  for (const { matcher, decision } of book.patterns) if (matchesWildcards(matcher, resource)) return decision;
  for (const { matchers, decision } of book.negated) {
    if (!matchers.some((matcher) => matchesWildcards(matcher, resource))) return decision;
  }
  return undefined;
}
