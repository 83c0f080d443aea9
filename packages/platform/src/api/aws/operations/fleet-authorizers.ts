/** Custom authorizers (aws-iot.md, 2.2 and 16). The function's ARN is the address of a webhook here. */

import type { Clock } from "../../../clock.ts";
import { PlatformError } from "../../../errors/index.ts";
import { type Authorizer, authorizerFamily, type Fleet, findDefaultAuthorizer, setDefaultAuthorizer } from "../../../fleet/index.ts";
import { MemberReader, queryChoice } from "../members.ts";
import type { AwsOperation } from "../operation.ts";
import { createRecordBook } from "./fleet-records.ts";
import { emptyAnswer, iotOperation, label, toSeconds } from "./iot-operation.ts";
import { answerMarkedPage, readMarkedPage } from "./paging.ts";
import { forgetTags, readTags, setTags, type TagPorts } from "./tags.ts";

export interface AuthorizerOperationPorts extends TagPorts {
  fleet: Pick<Fleet, "records" | "resourceTags">;
  clock: Pick<Clock, "now">;
}

const statuses = ["ACTIVE", "INACTIVE"] as const;

export function createAuthorizerOperations(ports: AuthorizerOperationPorts): AwsOperation[] {
  const { fleet, names, clock } = ports;
  const book = createRecordBook<Authorizer>({
    fleet,
    names,
    kind: "authorizer",
    family: authorizerFamily,
    noun: "authorizer",
    pattern: /^[\w=,@-]{1,128}$/,
    expected: `1 to 128 letters, digits or "_=,@-"`,
  });
  const tell = (name: string) => ({ authorizerName: name, authorizerArn: names.arn("authorizer", name) });
  const describe = (authorizer: Authorizer) => ({
    authorizerDescription: {
      ...tell(authorizer.name),
      authorizerFunctionArn: authorizer.functionArn,
      ...(authorizer.signing && {
        tokenKeyName: authorizer.signing.tokenKeyName,
        tokenSigningPublicKeys: authorizer.signing.publicKeys,
      }),
      status: authorizer.isActive ? "ACTIVE" : "INACTIVE",
      creationDate: toSeconds(authorizer.createdAt),
      lastModifiedDate: toSeconds(authorizer.modifiedAt),
      signingDisabled: authorizer.signing === undefined,
      enableCachingForHttp: authorizer.isCachedForHttp,
    },
  });
  /** What changes; the rest stays as it is. */
  const readChange = (members: MemberReader, before: Authorizer | undefined): Omit<Authorizer, "name" | "createdAt" | "modifiedAt"> => {
    const status = members.choice("status", statuses);
    const tokenKeyName = members.text("tokenKeyName") ?? before?.signing?.tokenKeyName;
    const publicKeys = members.textMap("tokenSigningPublicKeys") ?? before?.signing?.publicKeys;
    const isUnsigned = members.flag("signingDisabled") ?? (before !== undefined && before.signing === undefined);
    if (!isUnsigned && (tokenKeyName === undefined || publicKeys === undefined || Object.keys(publicKeys).length === 0)) {
      members.refuse("tokenSigningPublicKeys", "keys, with tokenKeyName, unless signingDisabled is true");
    }
    return {
      functionArn:
        before === undefined
          ? members.requiredText("authorizerFunctionArn")
          : (members.text("authorizerFunctionArn") ?? before.functionArn),
      isActive: status === undefined ? (before?.isActive ?? true) : status === "ACTIVE",
      isCachedForHttp: members.flag("enableCachingForHttp") ?? before?.isCachedForHttp ?? false,
      ...(isUnsigned || tokenKeyName === undefined || publicKeys === undefined ? {} : { signing: { tokenKeyName, publicKeys } }),
    };
  };
  const defaultName = async (): Promise<string> => {
    const name = await findDefaultAuthorizer(fleet.records);
    if (name === undefined) throw new PlatformError("aws.record_not_found", { family: "authorizer", name: "that is the default one" });
    return name;
  };

  return [
    iotOperation("CreateAuthorizer", async (request) => {
      const members = new MemberReader(request.json());
      const name = label(request, "authorizerName");
      const now = clock.now();
      const tags = readTags(members);
      await book.insert(name, { name, ...readChange(members, undefined), createdAt: now, modifiedAt: now });
      await setTags(ports, names.arn("authorizer", name), tags);
      return { json: tell(name) };
    }),

    iotOperation("DescribeAuthorizer", async (request) => ({ json: describe(await book.get(label(request, "authorizerName"))) })),

    iotOperation("UpdateAuthorizer", async (request) => {
      const before = await book.get(label(request, "authorizerName"));
      const change = readChange(new MemberReader(request.json()), before);
      if (!change.isActive && (await findDefaultAuthorizer(fleet.records)) === before.name) {
        throw new PlatformError("aws.record_in_use", {
          family: "authorizer",
          name: before.name,
          received: "it is the default one",
          expected: "another default",
        });
      }
      await book.put(before.name, { name: before.name, createdAt: before.createdAt, ...change, modifiedAt: clock.now() });
      return { json: tell(before.name) };
    }),

    iotOperation("DeleteAuthorizer", async (request) => {
      const { name, isActive } = await book.get(label(request, "authorizerName"));
      const isDefault = (await findDefaultAuthorizer(fleet.records)) === name;
      if (isActive || isDefault) {
        const received = isDefault ? "it is the default one" : "it is ACTIVE";
        throw new PlatformError("aws.record_in_use", { family: "authorizer", name, received, expected: "INACTIVE and not the default" });
      }
      await book.remove(name);
      await forgetTags(ports, names.arn("authorizer", name));
      return emptyAnswer;
    }),

    iotOperation("ListAuthorizers", async ({ query }) => {
      const status = queryChoice(query, "status", statuses);
      const page = await book.list(readMarkedPage(query));
      const items = page.items.filter(({ value }) => status === undefined || value.isActive === (status === "ACTIVE"));
      return answerMarkedPage("authorizers", { ...page, items }, ({ name }) => tell(name));
    }),

    iotOperation("SetDefaultAuthorizer", async (request) => {
      const { name, isActive } = await book.get(new MemberReader(request.json()).requiredText("authorizerName"));
      if (!isActive)
        throw new PlatformError("aws.record_in_use", { family: "authorizer", name, received: "it is INACTIVE", expected: "ACTIVE" });
      await setDefaultAuthorizer(fleet.records, name);
      return { json: tell(name) };
    }),

    iotOperation("DescribeDefaultAuthorizer", async () => ({ json: describe(await book.get(await defaultName())) })),

    iotOperation("ClearDefaultAuthorizer", async () => {
      await defaultName();
      await setDefaultAuthorizer(fleet.records, undefined);
      return emptyAnswer;
    }),
  ];
}
