/** What a principal may do: its effective policies, and decisions that are only tried (aws-iot.md, 5.6 and 16). */
import {
  type AwsAccount,
  compilePolicies,
  type PolicyContext,
  type PolicyDecision,
  readCertificateNames,
  readPolicy,
  resourceOf,
} from "@thingstead/dialects";
import type { Clock } from "../../../clock.ts";
import type { Fleet, Policy, PolicyTarget, PrincipalFacts } from "../../../fleet/index.ts";
import type { AwsApiLimits } from "../limits.ts";
import { MemberReader, queryText } from "../members.ts";
import type { AwsOperation } from "../operation.ts";
import { iotOperation } from "./iot-operation.ts";
import type { ResourceNames } from "./resources.ts";

export interface AuthorizationOperationPorts {
  account: AwsAccount;
  fleet: Pick<Fleet, "policies" | "certificates" | "factsOf">;
  names: ResourceNames;
  clock: Pick<Clock, "now">;
  limits: Pick<AwsApiLimits, "itemsPerCallMax">;
}

const actions = { PUBLISH: "iot:Publish", SUBSCRIBE: "iot:Subscribe", RECEIVE: "iot:Receive", CONNECT: "iot:Connect" } as const;
const actionTypes = ["PUBLISH", "SUBSCRIBE", "RECEIVE", "CONNECT"] as const;

type NamedPolicy = Pick<Policy, "name" | "document">;

export function createAuthorizationOperations(ports: AuthorizationOperationPorts): AwsOperation[] {
  const { account, fleet, names, clock, limits } = ports;

  /** Of the certificate and of its groups; another identity has those that are attached to it. */
  const factsOf = async (
    principal: PolicyTarget | undefined,
    clientId: string | undefined,
  ): Promise<Pick<PrincipalFacts, "thing"> & { policies: readonly NamedPolicy[] }> => {
    if (principal === undefined) return { policies: [] };
    if (principal.kind === "certificate") {
      await fleet.certificates.get(principal.id);
      return fleet.factsOf(principal.id, clientId);
    }
    const policies: NamedPolicy[] = [];
    let nextToken: string | undefined;
    do {
      const page = await fleet.policies.ofTarget(principal, nextToken === undefined ? {} : { nextToken });
      policies.push(...page.items);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return { policies };
  };

  const principalIn = (members: MemberReader): PolicyTarget | undefined => {
    const principal = members.text("principal") ?? members.text("cognitoIdentityPoolId");
    return principal === undefined ? undefined : names.parseTarget(principal, "principal");
  };
  const tell = ({ name }: NamedPolicy) => ({ policyName: name, policyArn: names.arn("policy", name) });

  return [
    iotOperation("GetEffectivePolicies", async (request) => {
      const members = new MemberReader(request.json());
      const principal = principalIn(members) ?? members.refuse("principal", "the ARN of a certificate or another identity");
      const { policies } = await factsOf(principal, queryText(request.query, "thingName"));
      const effectivePolicies = policies.map((policy) => ({ ...tell(policy), policyDocument: policy.document }));
      return { json: { effectivePolicies } };
    }),

    iotOperation("TestAuthorization", async (request) => {
      const members = new MemberReader(request.json());
      const infos = members.objectList("authInfos") ?? [];
      if (infos.length === 0 || infos.length > limits.itemsPerCallMax)
        members.refuse("authInfos", `1 to ${limits.itemsPerCallMax} of them`);
      const tried = infos.map((info) => {
        const actionType = info.choice("actionType", actionTypes) ?? info.refuse("actionType", `one of ${actionTypes.join(", ")}`);
        const resources = info.textList("resources") ?? [];
        if (resources.length === 0 || resources.length > limits.itemsPerCallMax)
          info.refuse("resources", `1 to ${limits.itemsPerCallMax} ARNs`);
        const suffixes = resources.map(
          (arn) => resourceOf(account, arn) ?? info.refuse("resources", `ARNs like ${names.arn("thing", "…")}`),
        );
        return { actionType, resources, suffixes };
      });
      const clientId = queryText(request.query, "clientId");
      const principal = principalIn(members);
      const { policies, thing } = await factsOf(principal, clientId);
      const skipped = new Set(members.textList("policyNamesToSkip") ?? []);
      const added: NamedPolicy[] = [];
      for (const name of new Set(members.textList("policyNamesToAdd") ?? [])) {
        if (!policies.some((policy) => policy.name === name)) added.push(await fleet.policies.get(name));
      }
      const judged = [...policies.filter(({ name }) => !skipped.has(name)), ...added];
      const certificate =
        principal?.kind === "certificate" ? readCertificateNames((await fleet.certificates.get(principal.id)).pem) : undefined;
      const context: PolicyContext = {
        account,
        sourceIp: request.remoteAddress,
        now: clock.now(),
        ...(clientId === undefined ? {} : { clientId }),
        ...(thing === undefined ? {} : { thing }),
        ...(certificate === undefined ? {} : { certificate }),
      };
      const compiled = judged.map((policy) => ({ policy, decide: compileOne(policy, context) }));

      const authResults = tried.map(({ actionType, resources, suffixes }) => {
        const deciding = (kind: PolicyDecision["kind"], resource: string) =>
          compiled.filter(({ decide }) => decide(actions[actionType], resource) === kind).map(({ policy }) => policy);
        const outcomes = suffixes.map((resource) => {
          const denying = deciding("explicit-deny", resource);
          const allowing = deciding("allowed", resource);
          return { denying, allowing, isAllowed: denying.length === 0 && allowing.length > 0 };
        });
        const denying = unique(outcomes.flatMap((outcome) => outcome.denying));
        const isAllowed = outcomes.every((outcome) => outcome.isAllowed);
        const implicitDecision = isAllowed ? "ALLOWED" : "IMPLICIT_DENY";
        return {
          authInfo: { actionType, resources },
          allowed: { policies: unique(outcomes.flatMap((outcome) => outcome.allowing)).map(tell) },
          denied: {
            implicitDeny: { policies: isAllowed || denying.length > 0 ? [] : judged.map(tell) },
            explicitDeny: { policies: denying.map(tell) },
          },
          authDecision: denying.length > 0 ? "EXPLICIT_DENY" : implicitDecision,
          missingContextValues: [],
        };
      });
      return { json: { authResults } };
    }),
  ];
}

function compileOne({ name, document }: NamedPolicy, context: PolicyContext): (action: string, resource: string) => PolicyDecision["kind"] {
  const reading = readPolicy(document);
  if (reading.kind !== "policy") return () => "implicit-deny";
  const compiled = compilePolicies([{ name, policy: reading.policy }], context);
  return (action, resource) => compiled.decide(action, resource).kind;
}

function unique(policies: readonly NamedPolicy[]): NamedPolicy[] {
  return [...new Map(policies.map((policy) => [policy.name, policy])).values()];
}
