/** Names of resources in the API: ARNs of this account, and what principals and targets are written as. */
import { type AwsAccount, arnOf, resourceOf } from "@thingstead/dialects";
import { PlatformError } from "../../../errors/index.ts";
import type { Attributes, PolicyTarget, ThingPrincipal } from "../../../fleet/index.ts";
import { withDetails } from "../answer.ts";
import { type MemberReader, refuseMember } from "../members.ts";

export type ResourceKind =
  | "thing"
  | "thingtype"
  | "thinggroup"
  | "billinggroup"
  | "cert"
  | "cacert"
  | "policy"
  | "rolealias"
  | "authorizer"
  | "domainconfiguration";

export interface ResourceNames {
  arn(kind: ResourceKind, name: string): string;
  /** The name in an ARN of this kind and account. */
  nameOf(kind: ResourceKind, arn: string): string | undefined;
  /** `thingName` or `thingArn`: one of both is given; throws when none is, or when both differ. */
  pick(members: MemberReader, kind: ResourceKind, nameMember: string, arnMember: string): string;
  parsePrincipal(text: string, member: string): ThingPrincipal;
  formatPrincipal(principal: ThingPrincipal): string;
  parseTarget(text: string, member: string): PolicyTarget;
  formatTarget(target: PolicyTarget): string;
  /** An ARN of this account, of whatever kind. */
  checkArn(text: string, member: string): string;
  /** Runs a creation; what exists already is told with its ARN (aws-iot.md, 4). */
  tellingExisting<T>(kind: ResourceKind, name: string, create: () => Promise<T>): Promise<T>;
}

const certificateId = /^[0-9a-f]{64}$/;

export function createResourceNames(account: AwsAccount): ResourceNames {
  const arn: ResourceNames["arn"] = (kind, name) => arnOf(account, `${kind}/${name}`);
  const nameOf: ResourceNames["nameOf"] = (kind, text) => {
    const resource = resourceOf(account, text);
    return resource?.startsWith(`${kind}/`) === true ? resource.slice(kind.length + 1) : undefined;
  };
  const parsePrincipal: ResourceNames["parsePrincipal"] = (text, member) => {
    const id = nameOf("cert", text);
    if (id !== undefined && certificateId.test(id)) return { kind: "certificate", id };
    if (text === "" || /^arn:[\w-]*:iot:/.test(text) || certificateId.test(text)) {
      return refuseMember(member, text, `the ARN of a certificate (${arn("cert", "…")}) or another identity`);
    }
    return { kind: "identity", id: text };
  };
  return {
    arn,
    nameOf,
    pick(members, kind, nameMember, arnMember) {
      const name = members.text(nameMember);
      const text = members.text(arnMember);
      if (text === undefined) return name === undefined || name === "" ? members.refuse(nameMember, `a name, or ${arnMember}`) : name;
      const ofArn = nameOf(kind, text) ?? members.refuse(arnMember, `an ARN like ${arn(kind, "…")}`);
      return name === undefined || name === ofArn ? ofArn : members.refuse(arnMember, `the ARN of ${name}`);
    },
    parsePrincipal,
    formatPrincipal: (principal) => (principal.kind === "certificate" ? arn("cert", principal.id) : principal.id),
    parseTarget(text, member) {
      const name = nameOf("thinggroup", text);
      return name === undefined ? parsePrincipal(text, member) : { kind: "group", name };
    },
    formatTarget(target) {
      if (target.kind === "identity") return target.id;
      return target.kind === "group" ? arn("thinggroup", target.name) : arn("cert", target.id);
    },
    checkArn: (text, member) =>
      resourceOf(account, text) === undefined ? refuseMember(member, text, `an ARN like ${arn("thing", "…")}`) : text,
    async tellingExisting(kind, name, create) {
      try {
        return await create();
      } catch (error) {
        if (!(error instanceof PlatformError) || error.row.aws !== "ResourceAlreadyExists") throw error;
        const { resourceId = name } = error.details;
        const resource = kind === "cert" || kind === "cacert" ? String(resourceId) : name;
        throw withDetails(error, { resourceId, resourceArn: arn(kind, resource) });
      }
    },
  };
}

/** `attributePayload` of things and groups. */
export function readAttributePayload(members: MemberReader): { attributes?: Attributes; merge?: boolean } | undefined {
  const payload = members.object("attributePayload");
  if (payload === undefined) return undefined;
  const attributes = payload.textMap("attributes");
  const merge = payload.flag("merge");
  return { ...(attributes === undefined ? {} : { attributes }), ...(merge === undefined ? {} : { merge }) };
}
