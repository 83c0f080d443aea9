/** Policies, their versions, and where they are attached (aws-iot.md, 5 and 16). */
import type { Fleet, Policy, PolicyVersion } from "../../../fleet/index.ts";
import { MemberReader, queryFlag, refuseMember } from "../members.ts";
import type { AwsOperation, AwsRequest } from "../operation.ts";
import { principalOf } from "./fleet-things.ts";
import { emptyAnswer, iotOperation, label, toSeconds } from "./iot-operation.ts";
import { answerMarkedPage, readMarkedPage } from "./paging.ts";
import { forgetTags, readTags, setTags, type TagPorts } from "./tags.ts";

export interface PolicyOperationPorts extends TagPorts {
  fleet: Pick<Fleet, "policies" | "resourceTags">;
}

const principalHeader = "x-amzn-iot-principal";
const policyHeader = "x-amzn-iot-policy";

export function createPolicyOperations(ports: PolicyOperationPorts): AwsOperation[] {
  const { fleet, names } = ports;
  const { policies } = fleet;
  const tell = ({ name }: Pick<Policy, "name">) => ({ policyName: name, policyArn: names.arn("policy", name) });
  const policyName = (request: AwsRequest) => label(request, "policyName");

  return [
    iotOperation("CreatePolicy", async (request) => {
      const members = new MemberReader(request.json());
      const name = policyName(request);
      const document = members.requiredText("policyDocument");
      const tags = readTags(members);
      const policy = await names.tellingExisting("policy", name, () => policies.create(name, document));
      await setTags(ports, names.arn("policy", name), tags);
      return { json: { ...tell(policy), policyDocument: policy.document, policyVersionId: policy.defaultVersionId } };
    }),

    iotOperation("GetPolicy", async (request) => {
      const policy = await policies.get(policyName(request));
      return {
        json: {
          ...tell(policy),
          policyDocument: policy.document,
          defaultVersionId: policy.defaultVersionId,
          creationDate: toSeconds(policy.createdAt),
          lastModifiedDate: toSeconds(policy.modifiedAt),
          generationId: generationOf(policy.createdAt),
        },
      };
    }),

    iotOperation("DeletePolicy", async (request) => {
      const name = policyName(request);
      await policies.delete(name);
      await forgetTags(ports, names.arn("policy", name));
      return emptyAnswer;
    }),

    iotOperation("ListPolicies", async ({ query }) => answerMarkedPage("policies", await policies.list(readMarkedPage(query)), tell)),

    iotOperation("AttachPolicy", async (request) => {
      const target = new MemberReader(request.json()).requiredText("target");
      await policies.attach(policyName(request), names.parseTarget(target, "target"));
      return emptyAnswer;
    }),

    iotOperation("DetachPolicy", async (request) => {
      const target = new MemberReader(request.json()).requiredText("target");
      await policies.detach(policyName(request), names.parseTarget(target, "target"));
      return emptyAnswer;
    }),

    iotOperation("ListAttachedPolicies", async (request) => {
      const target = names.parseTarget(label(request, "target"), "target");
      const page = await policies.ofTarget(target, readMarkedPage(request.query), queryFlag(request.query, "recursive") ?? false);
      return answerMarkedPage("policies", page, tell);
    }),

    iotOperation("ListTargetsForPolicy", async (request) => {
      const page = await policies.targets(policyName(request), readMarkedPage(request.query));
      return answerMarkedPage("targets", page, (target) => names.formatTarget(target));
    }),

    // Deprecated by the vendor and still used: the principal in a header.
    iotOperation("AttachPrincipalPolicy", async (request) => {
      await policies.attach(policyName(request), principalOf(request, names, principalHeader));
      return emptyAnswer;
    }),

    iotOperation("DetachPrincipalPolicy", async (request) => {
      await policies.detach(policyName(request), principalOf(request, names, principalHeader));
      return emptyAnswer;
    }),

    iotOperation("ListPrincipalPolicies", async (request) => {
      const page = await policies.ofTarget(principalOf(request, names, principalHeader), readMarkedPage(request.query));
      return answerMarkedPage("policies", page, tell);
    }),

    iotOperation("ListPolicyPrincipals", async ({ headers, query }) => {
      const name = headers[policyHeader] ?? refuseMember(`the header ${policyHeader}`, undefined, "the name of a policy");
      const page = await policies.targets(name, readMarkedPage(query));
      const principals = page.items.filter((target) => target.kind !== "group");
      return answerMarkedPage("principals", { ...page, items: principals }, (target) => names.formatTarget(target));
    }),

    ...createVersionOperations(ports),
  ];
}

function createVersionOperations({ fleet, names }: PolicyOperationPorts): AwsOperation[] {
  const { policies } = fleet;
  const place = (request: AwsRequest) => [label(request, "policyName"), label(request, "policyVersionId")] as const;
  const tell = ({ policyName, document, versionId, isDefault }: PolicyVersion) => ({
    policyArn: names.arn("policy", policyName),
    policyDocument: document,
    policyVersionId: versionId,
    isDefaultVersion: isDefault,
  });

  return [
    iotOperation("CreatePolicyVersion", async (request) => {
      const document = new MemberReader(request.json()).requiredText("policyDocument");
      const isDefault = queryFlag(request.query, "setAsDefault") ?? false;
      return { json: tell(await policies.createVersion(label(request, "policyName"), document, isDefault)) };
    }),

    iotOperation("GetPolicyVersion", async (request) => {
      const version = await policies.getVersion(...place(request));
      const createdAt = toSeconds(version.createdAt);
      return {
        json: {
          ...tell(version),
          policyName: version.policyName,
          creationDate: createdAt,
          // A version's text never changes.
          lastModifiedDate: createdAt,
          generationId: generationOf(version.createdAt),
        },
      };
    }),

    iotOperation("SetDefaultPolicyVersion", async (request) => {
      await policies.setDefaultVersion(...place(request));
      return emptyAnswer;
    }),

    iotOperation("DeletePolicyVersion", async (request) => {
      await policies.deleteVersion(...place(request));
      return emptyAnswer;
    }),

    iotOperation("ListPolicyVersions", async (request) => {
      const versions = await policies.versions(label(request, "policyName"));
      const policyVersions = versions.map(({ versionId, isDefault, createdAt }) => ({
        versionId,
        isDefaultVersion: isDefault,
        createDate: toSeconds(createdAt),
      }));
      return { json: { policyVersions } };
    }),
  ];
}

/** Tells a policy from one that was deleted and made again under its name. */
function generationOf(createdAt: number): string {
  return createdAt.toString(16).padStart(32, "0");
}
