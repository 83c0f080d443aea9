/** From policy documents to decisions: what was parsed is kept, what a connection is judged by is compiled for it. */
import {
  type AwsAccount,
  type CompiledPolicies,
  compilePolicies,
  type PolicyContext,
  type PolicyDocument,
  readPolicy,
} from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";

export interface PolicyBookPorts {
  account: AwsAccount;
  clock: Pick<Clock, "now">;
  limits: { policiesCachedMax: number };
  /** A stored document cannot be read. */
  onFailure(error: unknown): void;
}

export interface PolicyBook {
  /** With a document that cannot be read everything is denied: what it forbids is not known. */
  compile(
    policies: readonly { readonly name: string; readonly document: string }[],
    context: Omit<PolicyContext, "account" | "now">,
  ): CompiledPolicies;
}

/** For the holder of the root access key. */
export const everythingAllowed: CompiledPolicies = { decide: () => ({ kind: "allowed" }) };

const everythingDenied: CompiledPolicies = { decide: () => ({ kind: "implicit-deny" }) };

export function createPolicyBook({ account, clock, limits, onFailure }: PolicyBookPorts): PolicyBook {
  const parsed = new Map<string, PolicyDocument>();
  /** By the fleet's shared list: connections whose policies ask nothing of them share what is compiled. */
  const shared = new WeakMap<object, CompiledPolicies>();

  function read(name: string, document: string): PolicyDocument | undefined {
    const known = parsed.get(document);
    if (known !== undefined) return known;
    const reading = readPolicy(document, storedDocumentLimits);
    if (reading.kind === "malformed") {
      const { path, received, expected } = reading;
      onFailure(new PlatformError("fleet.policy_malformed", { problem: `${name}: ${path} is ${received}, expected ${expected}` }));
      return undefined;
    }
    if (parsed.size >= limits.policiesCachedMax) {
      for (const oldest of parsed.keys()) {
        parsed.delete(oldest);
        break;
      }
    }
    parsed.set(document, reading.policy);
    return reading.policy;
  }

  return {
    compile(policies, context) {
      const known = shared.get(policies);
      if (known !== undefined) return known;
      const readable: { name: string; policy: PolicyDocument }[] = [];
      for (const { name, document } of policies) {
        const policy = read(name, document);
        if (policy === undefined) return everythingDenied;
        readable.push({ name, policy });
      }
      const compiled = compilePolicies(readable, { ...context, account, now: clock.now() });
      if (readable.every(({ policy }) => isSameForAll(policy))) shared.set(policies, compiled);
      return compiled;
    },
  };
}

/** Neither a variable nor a condition: every connection is judged alike. */
function isSameForAll({ statements }: PolicyDocument): boolean {
  return statements.every(
    ({ conditions, resources }) => conditions.length === 0 && !resources.patterns.some((pattern) => pattern.includes("${")),
  );
}

/** Its length was checked when it was stored. */
const storedDocumentLimits = { documentCharactersMax: Number.POSITIVE_INFINITY };
