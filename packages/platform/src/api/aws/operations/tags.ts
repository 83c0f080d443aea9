/** Tags: of their own operations, and given when something is made. */
import type { Attributes, Fleet } from "../../../fleet/index.ts";
import { MemberReader, type Members, queryText, refuseMember } from "../members.ts";
import type { AwsOperation } from "../operation.ts";
import { emptyAnswer, iotOperation } from "./iot-operation.ts";
import type { ResourceNames } from "./resources.ts";

export interface TagPorts {
  fleet: Pick<Fleet, "resourceTags">;
  names: ResourceNames;
}

/** `tags: [{ Key, Value }]`; a key that comes twice is refused. */
export function readTags(members: MemberReader): Attributes | undefined {
  const list = members.objectList("tags");
  if (list === undefined) return undefined;
  const pairs = list.map((tag) => [tag.requiredText("Key"), tag.text("Value") ?? ""] as const);
  if (new Set(pairs.map(([key]) => key)).size < pairs.length) return members.refuse("tags", "each key once");
  return Object.fromEntries(pairs);
}

export async function setTags({ fleet, names }: TagPorts, arn: string, tags: Attributes | undefined): Promise<void> {
  if (tags !== undefined && Object.keys(tags).length > 0) await fleet.resourceTags.set(names.checkArn(arn, "resourceArn"), tags);
}

/** What is made again under its name begins without tags. */
export async function forgetTags({ fleet }: TagPorts, arn: string): Promise<void> {
  const keys = Object.keys(await fleet.resourceTags.of(arn));
  if (keys.length > 0) await fleet.resourceTags.remove(arn, keys);
}

export function createTagOperations(ports: TagPorts): AwsOperation[] {
  const { fleet, names } = ports;
  const arnOf = (members: MemberReader): string => names.checkArn(members.requiredText("resourceArn"), "resourceArn");
  return [
    iotOperation("TagResource", async (request) => {
      const members = new MemberReader(request.json());
      const tags = readTags(members) ?? members.refuse("tags", "a list of tags");
      await setTags(ports, arnOf(members), tags);
      return emptyAnswer;
    }),
    iotOperation("UntagResource", async (request) => {
      const members = new MemberReader(request.json());
      await fleet.resourceTags.remove(arnOf(members), members.textList("tagKeys") ?? members.refuse("tagKeys", "a list of keys"));
      return emptyAnswer;
    }),
    iotOperation("ListTagsForResource", async ({ query }) => {
      const received: Members[string] = queryText(query, "resourceArn");
      if (typeof received !== "string") return refuseMember("resourceArn", undefined, "an ARN");
      const tags = await fleet.resourceTags.of(names.checkArn(received, "resourceArn"));
      return { json: { tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) } };
    }),
  ];
}
