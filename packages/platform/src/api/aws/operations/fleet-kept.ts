/** Role aliases and billing groups: kept and answered; nothing else of this server acts on them (aws-iot.md, 4 and 16). */
import type { AwsAccount } from "@thingstead/dialects";
import type { Clock, Random } from "../../../clock.ts";
import { PlatformError } from "../../../errors/index.ts";
import { drawUuid, type Fleet } from "../../../fleet/index.ts";
import { MemberReader, queryInteger, queryText } from "../members.ts";
import type { AwsOperation } from "../operation.ts";
import { createRecordBook } from "./fleet-records.ts";
import { emptyAnswer, iotOperation, label, toSeconds } from "./iot-operation.ts";
import { answerMarkedPage, answerPage, readMarkedPage, readPage } from "./paging.ts";
import { forgetTags, readTags, setTags, type TagPorts } from "./tags.ts";

export interface KeptOperationPorts extends TagPorts {
  account: AwsAccount;
  fleet: Pick<Fleet, "records" | "resourceTags">;
  clock: Pick<Clock, "now">;
  random: Random;
}

interface RoleAlias {
  roleArn: string;
  credentialDurationSeconds: number;
  createdAt: number;
  modifiedAt: number;
}

/** The vendor's bounds. */
const credentialSeconds = { min: 900, max: 43_200, usual: 3_600 };

export function createRoleAliasOperations(ports: KeptOperationPorts): AwsOperation[] {
  const { fleet, names, clock, account } = ports;
  const book = createRecordBook<RoleAlias>({
    fleet,
    names,
    kind: "rolealias",
    family: "role-aliases",
    noun: "role alias",
    pattern: /^[\w=,@-]{1,128}$/,
    expected: `1 to 128 letters, digits or "_=,@-"`,
  });
  const tell = (name: string) => ({ roleAlias: name, roleAliasArn: names.arn("rolealias", name) });
  return [
    iotOperation("CreateRoleAlias", async (request) => {
      const members = new MemberReader(request.json());
      const name = label(request, "roleAlias");
      const now = clock.now();
      const tags = readTags(members);
      await book.insert(name, {
        roleArn: members.requiredText("roleArn"),
        credentialDurationSeconds: members.integer("credentialDurationSeconds", credentialSeconds) ?? credentialSeconds.usual,
        createdAt: now,
        modifiedAt: now,
      });
      await setTags(ports, names.arn("rolealias", name), tags);
      return { json: tell(name) };
    }),

    iotOperation("DescribeRoleAlias", async (request) => {
      const name = label(request, "roleAlias");
      const { roleArn, credentialDurationSeconds, createdAt, modifiedAt } = await book.get(name);
      return {
        json: {
          roleAliasDescription: {
            ...tell(name),
            roleArn,
            owner: account.accountId,
            credentialDurationSeconds,
            creationDate: toSeconds(createdAt),
            lastModifiedDate: toSeconds(modifiedAt),
          },
        },
      };
    }),

    iotOperation("UpdateRoleAlias", async (request) => {
      const members = new MemberReader(request.json());
      const name = label(request, "roleAlias");
      const before = await book.get(name);
      await book.put(name, {
        ...before,
        roleArn: members.text("roleArn") ?? before.roleArn,
        credentialDurationSeconds: members.integer("credentialDurationSeconds", credentialSeconds) ?? before.credentialDurationSeconds,
        modifiedAt: clock.now(),
      });
      return { json: tell(name) };
    }),

    iotOperation("DeleteRoleAlias", async (request) => {
      const name = label(request, "roleAlias");
      await book.remove(name);
      await forgetTags(ports, names.arn("rolealias", name));
      return emptyAnswer;
    }),

    iotOperation("ListRoleAliases", async ({ query }) => {
      return answerMarkedPage("roleAliases", await book.list(readMarkedPage(query)), ({ name }) => name);
    }),
  ];
}

interface BillingGroup {
  id: string;
  description?: string;
  version: number;
  createdAt: number;
}

export function createBillingGroupOperations(ports: KeptOperationPorts): AwsOperation[] {
  const { fleet, names, clock, random } = ports;
  const book = createRecordBook<BillingGroup>({
    fleet,
    names,
    kind: "billinggroup",
    family: "billing-groups",
    noun: "billing group",
    pattern: /^[a-zA-Z0-9:_-]{1,128}$/,
    expected: `1 to 128 letters, digits, ":", "_" or "-"`,
  });
  const readDescription = (members: MemberReader) => {
    const description = members.object("billingGroupProperties")?.text("billingGroupDescription");
    return description === undefined ? {} : { description };
  };
  const checkVersion = (name: string, { version }: BillingGroup, received: number | undefined): void => {
    if (received !== undefined && received !== version)
      throw new PlatformError("fleet.version_conflict", { name, received, expected: version });
  };
  return [
    iotOperation("CreateBillingGroup", async (request) => {
      const members = new MemberReader(request.json());
      const name = label(request, "billingGroupName");
      const group: BillingGroup = { id: drawUuid(random), ...readDescription(members), version: 1, createdAt: clock.now() };
      const tags = readTags(members);
      await book.insert(name, group);
      const billingGroupArn = names.arn("billinggroup", name);
      await setTags(ports, billingGroupArn, tags);
      return { json: { billingGroupName: name, billingGroupArn, billingGroupId: group.id } };
    }),

    iotOperation("DescribeBillingGroup", async (request) => {
      const name = label(request, "billingGroupName");
      const { id, version, description, createdAt } = await book.get(name);
      return {
        json: {
          billingGroupName: name,
          billingGroupId: id,
          billingGroupArn: names.arn("billinggroup", name),
          version,
          billingGroupProperties: description === undefined ? {} : { billingGroupDescription: description },
          billingGroupMetadata: { creationDate: toSeconds(createdAt) },
        },
      };
    }),

    iotOperation("UpdateBillingGroup", async (request) => {
      const members = new MemberReader(request.json());
      members.requiredObject("billingGroupProperties");
      const name = label(request, "billingGroupName");
      const before = await book.get(name);
      checkVersion(name, before, members.integer("expectedVersion"));
      const version = before.version + 1;
      await book.put(name, { ...before, ...readDescription(members), version });
      return { json: { version } };
    }),

    iotOperation("DeleteBillingGroup", async (request) => {
      const name = label(request, "billingGroupName");
      const expectedVersion = queryInteger(request.query, "expectedVersion");
      if (expectedVersion !== undefined) checkVersion(name, await book.get(name), expectedVersion);
      await book.remove(name);
      await forgetTags(ports, names.arn("billinggroup", name));
      return emptyAnswer;
    }),

    iotOperation("ListBillingGroups", async ({ query }) => {
      const prefix = queryText(query, "namePrefixFilter") ?? "";
      const page = await book.list(readPage(query));
      const items = page.items.filter(({ name }) => name.startsWith(prefix));
      return answerPage("billingGroups", { ...page, items }, ({ name }) => ({
        groupName: name,
        groupArn: names.arn("billinggroup", name),
      }));
    }),
  ];
}
