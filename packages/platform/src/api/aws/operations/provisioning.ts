/** Provisioning templates, claims and RegisterThing (aws-iot.md, 13 and 16). */
import { type AwsAccount, arnOf } from "@thingstead/dialects";
import { PlatformError } from "../../../errors/index.ts";
import { type Fleet, type Provisioning, type TemplateRecord, type TemplateVersion, templateTypes } from "../../../fleet/index.ts";
import { withDetails } from "../answer.ts";
import { MemberReader, queryFlag } from "../members.ts";
import type { AwsOperation, AwsRequest } from "../operation.ts";
import { emptyAnswer, iotOperation, label, toSeconds } from "./iot-operation.ts";
import { answerPage, readPage } from "./paging.ts";
import { createResourceNames } from "./resources.ts";
import { forgetTags, readTags, setTags } from "./tags.ts";

export interface ProvisioningOperationPorts {
  account: AwsAccount;
  fleet: Pick<Fleet, "resourceTags">;
  provisioning: Pick<Provisioning, "templates" | "registerThing" | "createClaim">;
}

export function createProvisioningOperations({ account, fleet, provisioning }: ProvisioningOperationPorts): AwsOperation[] {
  const { templates } = provisioning;
  const tagPorts = { fleet, names: createResourceNames(account) };
  const arn = (name: string) => arnOf(account, `provisioningtemplate/${name}`);
  const tell = ({ name }: TemplateRecord) => ({ templateArn: arn(name), templateName: name });

  return [
    iotOperation("CreateProvisioningTemplate", async (request) => {
      const members = new MemberReader(request.json());
      const name = members.requiredText("templateName");
      const description = members.text("description");
      const isEnabled = members.flag("enabled");
      const type = members.choice("type", templateTypes);
      const hook = readHook(members);
      const tags = readTags(members);
      const wish = {
        name,
        body: members.requiredText("templateBody"),
        roleArn: members.requiredText("provisioningRoleArn"),
        ...(description !== undefined && { description }),
        ...(isEnabled !== undefined && { isEnabled }),
        ...(type !== undefined && { type }),
        ...(hook !== undefined && { hook }),
      };
      const template = await templates.create(wish).catch((error: unknown) => {
        const isTaken = error instanceof PlatformError && error.code === "provisioning.template_exists";
        throw isTaken ? withDetails(error, { resourceId: name, resourceArn: arn(name) }) : error;
      });
      await setTags(tagPorts, arn(name), tags);
      return { json: { ...tell(template), defaultVersionId: template.defaultVersionId } };
    }),

    iotOperation("DescribeProvisioningTemplate", async (request) => {
      const template = await templates.get(label(request, "templateName"));
      const { defaultVersionId, versions, roleArn, hook } = template;
      return {
        json: {
          ...summary(template, arn),
          defaultVersionId,
          templateBody: versions.find(({ id }) => id === defaultVersionId)?.body,
          provisioningRoleArn: roleArn,
          ...(hook !== undefined && { preProvisioningHook: hook }),
        },
      };
    }),

    iotOperation("UpdateProvisioningTemplate", async (request) => {
      const members = new MemberReader(request.json());
      const description = members.text("description");
      const isEnabled = members.flag("enabled");
      const roleArn = members.text("provisioningRoleArn");
      const defaultVersionId = members.integer("defaultVersionId", { min: 1 });
      const hook = members.flag("removePreProvisioningHook") === true ? null : readHook(members);
      await templates.update(label(request, "templateName"), {
        ...(description !== undefined && { description }),
        ...(isEnabled !== undefined && { isEnabled }),
        ...(roleArn !== undefined && { roleArn }),
        ...(defaultVersionId !== undefined && { defaultVersionId }),
        ...(hook !== undefined && { hook }),
      });
      return emptyAnswer;
    }),

    iotOperation("DeleteProvisioningTemplate", async (request) => {
      const name = label(request, "templateName");
      await templates.delete(name);
      await forgetTags(tagPorts, arn(name));
      return emptyAnswer;
    }),

    iotOperation("ListProvisioningTemplates", async ({ query }) => {
      return answerPage("templates", await templates.list(readPage(query)), (template) => summary(template, arn));
    }),

    iotOperation("CreateProvisioningTemplateVersion", async (request) => {
      const members = new MemberReader(request.json());
      const isDefault = queryFlag(request.query, "setAsDefault") ?? false;
      const { template, version } = await templates.createVersion(
        label(request, "templateName"),
        members.requiredText("templateBody"),
        isDefault,
      );
      return { json: { ...tell(template), versionId: version.id, isDefaultVersion: template.defaultVersionId === version.id } };
    }),

    iotOperation("DescribeProvisioningTemplateVersion", async (request) => {
      const { template, version } = await templates.getVersion(label(request, "templateName"), versionLabel(request));
      return { json: { ...versionSummary(template, version), templateBody: version.body } };
    }),

    iotOperation("DeleteProvisioningTemplateVersion", async (request) => {
      await templates.deleteVersion(label(request, "templateName"), versionLabel(request));
      return emptyAnswer;
    }),

    iotOperation("ListProvisioningTemplateVersions", async (request) => {
      const template = await templates.get(label(request, "templateName"));
      // Never more than one page of them.
      return answerPage("versions", { items: [...template.versions] }, (version) => versionSummary(template, version));
    }),

    iotOperation("CreateProvisioningClaim", async (request) => {
      const { certificate, publicKeyPem, privateKeyPem, expiresAt } = await provisioning.createClaim(label(request, "templateName"));
      return {
        json: {
          certificateId: certificate.id,
          certificatePem: certificate.pem,
          keyPair: { PublicKey: publicKeyPem, PrivateKey: privateKeyPem },
          expiration: toSeconds(expiresAt),
        },
      };
    }),

    iotOperation("RegisterThing", async (request) => {
      const members = new MemberReader(request.json());
      const parameters = members.textMap("parameters") ?? {};
      const { certificate, resourceArns } = await provisioning.registerThing(members.requiredText("templateBody"), parameters);
      return { json: { certificatePem: certificate.pem, resourceArns } };
    }),
  ];
}

function readHook(members: MemberReader): { targetArn: string; payloadVersion?: string } | undefined {
  const hook = members.object("preProvisioningHook");
  if (hook === undefined) return undefined;
  const payloadVersion = hook.text("payloadVersion");
  return { targetArn: hook.requiredText("targetArn"), ...(payloadVersion !== undefined && { payloadVersion }) };
}

/** No number: a version that there is not. */
function versionLabel(request: AwsRequest): number {
  const text = label(request, "versionId");
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

function summary({ name, description, isEnabled, type, createdAt, modifiedAt }: TemplateRecord, arn: (name: string) => string): object {
  return {
    templateArn: arn(name),
    templateName: name,
    description,
    creationDate: toSeconds(createdAt),
    lastModifiedDate: toSeconds(modifiedAt),
    enabled: isEnabled,
    type,
  };
}

function versionSummary({ defaultVersionId }: TemplateRecord, { id, createdAt }: TemplateVersion): object {
  return { versionId: id, creationDate: toSeconds(createdAt), isDefaultVersion: id === defaultVersionId };
}
