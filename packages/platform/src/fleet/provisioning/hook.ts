/** The pre-provisioning hook: a webhook that says whether a device may be provisioned, and with which parameters (AW 13). */
import { type AwsAccount, arnOf } from "@thingstead/dialects";
import { PlatformError } from "../../errors/index.ts";
import type { FleetCertificate } from "../fleet.ts";
import type { ProvisioningLimits } from "./limits.ts";
import type { TemplateRecord } from "./template-book.ts";

/** Posts JSON and gives the JSON of the answer. Throws `provisioning.hook_failed`. */
export type HookCaller = (url: string, body: object, limits: { timeoutMilliseconds: number; answerBytesMax: number }) => Promise<unknown>;

interface HookPorts {
  account: AwsAccount;
  hook: HookCaller;
  limits: ProvisioningLimits;
}

/** Parameters that the hook gives; none without a hook. Throws `provisioning.hook_refused`, `provisioning.hook_failed`. */
export async function askHook(
  { name, hook: target }: TemplateRecord,
  { id, pem }: FleetCertificate,
  request: { parameters: Readonly<Record<string, string>>; claimCertificateId?: string; clientId?: string },
  { account, hook, limits }: HookPorts,
): Promise<Record<string, string>> {
  if (target === undefined) return {};
  const { claimCertificateId = "", clientId = "", parameters } = request;
  const body = {
    claimCertificateId,
    certificateId: id,
    certificatePem: pem,
    templateArn: arnOf(account, `provisioningtemplate/${name}`),
    clientId,
    parameters,
  };
  const answer = await hook(target.targetArn, body, {
    timeoutMilliseconds: limits.hookMilliseconds,
    answerBytesMax: limits.hookAnswerBytesMax,
  });
  if (!isObject(answer) || typeof answer.allowProvisioning !== "boolean") {
    throw new PlatformError("provisioning.hook_failed", { reason: "allowProvisioning is not true or false." });
  }
  if (!answer.allowProvisioning) throw new PlatformError("provisioning.hook_refused");
  const overrides = answer.parameterOverrides ?? {};
  const entries = isObject(overrides) ? Object.entries(overrides) : undefined;
  const texts = entries?.filter((entry): entry is [string, string] => typeof entry[1] === "string");
  if (entries === undefined || texts?.length !== entries.length) {
    throw new PlatformError("provisioning.hook_failed", { reason: "parameterOverrides is not an object of strings." });
  }
  return Object.fromEntries(texts);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
