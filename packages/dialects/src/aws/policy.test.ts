import fc from "fast-check";
import { describe, expect, test } from "vitest";
import vectors from "../../../../conformance/aws/policy-vectors.json" with { type: "json" };
import { compilePolicies } from "./policy-compile.ts";
import type { PolicyContext } from "./policy-context.ts";
import { readPolicy } from "./policy-document.ts";

interface DecisionVector {
  id: string;
  title: string;
  /** Beside the file's context; null takes a member away. */
  context?: { [Member in keyof PolicyContext]?: PolicyContext[Member] | null };
  version?: string;
  statements: readonly object[];
  checks: readonly { action: string; resource: string; expected: string }[];
}

function contextOf({ context }: DecisionVector): PolicyContext {
  const members = { ...vectors.context, account: vectors.account, ...context };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null)) as unknown as PolicyContext;
}

function mustRead(document: string) {
  const reading = readPolicy(document);
  if (reading.kind !== "policy") throw new Error(JSON.stringify(reading));
  return reading.policy;
}

describe("decision vectors", () => {
  test.each(vectors.decisions as unknown as DecisionVector[])("[AW $id] $title", (vector) => {
    const policy = mustRead(JSON.stringify({ Version: vector.version ?? "2012-10-17", Statement: vector.statements }));
    const compiled = compilePolicies([{ name: "vector", policy }], contextOf(vector));
    const decided = vector.checks.map(({ action, resource }) => ({ action, resource, expected: compiled.decide(action, resource).kind }));
    expect(decided).toEqual(vector.checks);
  });

  test.each(vectors.malformed)("[AW $id] refuses $title", ({ document, path }) => {
    expect(readPolicy(document)).toMatchObject({ kind: "malformed", path });
  });

  test.each(vectors.accepted)("[AW $id] takes $title", ({ document }) => {
    expect(readPolicy(document).kind).toBe("policy");
  });
});

const context: PolicyContext = { ...vectors.context, account: vectors.account };

test("[AW 5.6] policies are merged; the decision names policy and statement", () => {
  const of = (statement: object) => mustRead(JSON.stringify({ Version: "2012-10-17", Statement: statement }));
  const compiled = compilePolicies(
    [
      { name: "open", policy: of([{ Effect: "Allow", Action: "iot:*", Resource: "*" }]) },
      { name: "closed", policy: of([{ Sid: "secret", Effect: "Deny", Action: "iot:Publish", Resource: "arn:aws:iot:::topic/secret" }]) },
    ],
    context,
  );
  expect(compiled.decide("iot:Publish", "topic/secret")).toEqual({ kind: "explicit-deny", policy: "closed", statement: "secret" });
  expect(compiled.decide("iot:Publish", "topic/a")).toEqual({ kind: "allowed", policy: "open", statement: "#1" });
  expect(compilePolicies([], context).decide("iot:Connect", "client/esp32")).toEqual({ kind: "implicit-deny" });
});

test("the limit of a document counts what is no white space", () => {
  const document = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iot:*","Resource":"*"}}';
  expect(readPolicy(` ${document}\n`, { documentCharactersMax: document.length }).kind).toBe("policy");
  expect(readPolicy(document, { documentCharactersMax: document.length - 1 })).toMatchObject({
    kind: "malformed",
    received: `${document.length} characters`,
  });
});

test.each(["constructor", "__proto__", "valueOf", "iot:NoSuchKey"])(
  "the key %s has no value: a Deny that asks for it is judged, not stumbled over",
  (key) => {
    const policy = mustRead(
      `{"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":"*","Resource":["arn:aws:iot:*:*:topic/free","arn:aws:iot:*:*:topic/\${${key}}/x"]},
      {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"${key}":"a"}}},
      {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"${key}":"a"}}}
    ]}`,
    );
    const compiled = compilePolicies([{ name: "p", policy }], context);
    expect(compiled.decide("iot:Publish", "topic/free")).toMatchObject({ kind: "explicit-deny", statement: "#2" });
  },
);

test("any text is answered, never thrown at", () => {
  const parts = ["Version", "Statement", "Effect", "Allow", "Action", "iot:*", "Resource", "*", "Condition", "StringLike", "2012-10-17"];
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      fc.constantFrom<unknown>(...parts, null, 1, true),
      fc.array(tie("node"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...parts, "__proto__"), tie("node"), { maxKeys: 4 }),
    ),
  })).node;
  fc.assert(
    fc.property(value, (document) => {
      const reading = readPolicy(JSON.stringify(document));
      if (reading.kind === "policy") compilePolicies([{ name: "any", policy: reading.policy }], context).decide("iot:Publish", "topic/a");
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => readPolicy(text).kind === "malformed"));
});
