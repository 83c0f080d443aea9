/** Thing groups and what is in them (aws-iot.md, 4 and 16). */
import type { AttributeChange, Fleet } from "../../../fleet/index.ts";
import { MemberReader, queryFlag, queryInteger, queryText } from "../members.ts";
import type { AwsOperation } from "../operation.ts";
import { emptyAnswer, iotOperation, label, toSeconds } from "./iot-operation.ts";
import { answerPage, readPage } from "./paging.ts";
import { readAttributePayload } from "./resources.ts";
import { forgetTags, readTags, setTags, type TagPorts } from "./tags.ts";

export interface ThingGroupOperationPorts extends TagPorts {
  fleet: Pick<Fleet, "groups" | "resourceTags">;
}

function readProperties(members: MemberReader): { description?: string; attributes?: AttributeChange } {
  const properties = members.object("thingGroupProperties");
  const description = properties?.text("thingGroupDescription");
  const attributes = properties && readAttributePayload(properties);
  return { ...(description === undefined ? {} : { description }), ...(attributes === undefined ? {} : { attributes }) };
}

export function createThingGroupOperations(ports: ThingGroupOperationPorts): AwsOperation[] {
  const { fleet, names } = ports;
  const { groups } = fleet;
  const tell = ({ name }: { name: string }) => ({ groupName: name, groupArn: names.arn("thinggroup", name) });
  const pickGroup = (members: MemberReader) => names.pick(members, "thinggroup", "thingGroupName", "thingGroupArn");
  const pickThing = (members: MemberReader) => names.pick(members, "thing", "thingName", "thingArn");

  return [
    iotOperation("CreateThingGroup", async (request) => {
      const members = new MemberReader(request.json());
      const name = label(request, "thingGroupName");
      const parentName = members.text("parentGroupName");
      const { description, attributes } = readProperties(members);
      const tags = readTags(members);
      const group = await names.tellingExisting("thinggroup", name, () =>
        groups.create({
          name,
          ...(parentName === undefined ? {} : { parentName }),
          ...(description === undefined ? {} : { description }),
          ...(attributes?.attributes === undefined ? {} : { attributes: attributes.attributes }),
        }),
      );
      const thingGroupArn = names.arn("thinggroup", name);
      await setTags(ports, thingGroupArn, tags);
      return { json: { thingGroupName: name, thingGroupArn, thingGroupId: group.id } };
    }),

    iotOperation("DescribeThingGroup", async (request) => {
      const group = await groups.get(label(request, "thingGroupName"));
      return {
        json: {
          thingGroupName: group.name,
          thingGroupId: group.id,
          thingGroupArn: names.arn("thinggroup", group.name),
          version: group.version,
          thingGroupProperties: {
            ...(group.description === "" ? {} : { thingGroupDescription: group.description }),
            attributePayload: { attributes: group.attributes },
          },
          thingGroupMetadata: {
            ...(group.parentName === undefined ? {} : { parentGroupName: group.parentName }),
            rootToParentThingGroups: group.ancestors.map(tell),
            creationDate: toSeconds(group.createdAt),
          },
        },
      };
    }),

    iotOperation("UpdateThingGroup", async (request) => {
      const members = new MemberReader(request.json());
      members.requiredObject("thingGroupProperties");
      const expectedVersion = members.integer("expectedVersion");
      const change = { ...readProperties(members), ...(expectedVersion === undefined ? {} : { expectedVersion }) };
      const { version } = await groups.update(label(request, "thingGroupName"), change);
      return { json: { version } };
    }),

    iotOperation("DeleteThingGroup", async (request) => {
      const name = label(request, "thingGroupName");
      await groups.delete(name, queryInteger(request.query, "expectedVersion"));
      await forgetTags(ports, names.arn("thinggroup", name));
      return emptyAnswer;
    }),

    iotOperation("ListThingGroups", async ({ query }) => {
      const parentName = queryText(query, "parentGroup");
      const namePrefix = queryText(query, "namePrefixFilter");
      const isRecursive = queryFlag(query, "recursive");
      const page = await groups.list(readPage(query), {
        ...(parentName === undefined ? {} : { parentName }),
        ...(namePrefix === undefined ? {} : { namePrefix }),
        ...(isRecursive === undefined ? {} : { isRecursive }),
      });
      return answerPage("thingGroups", page, tell);
    }),

    iotOperation("AddThingToThingGroup", async (request) => {
      const members = new MemberReader(request.json());
      await groups.addThing(pickGroup(members), pickThing(members));
      return emptyAnswer;
    }),

    iotOperation("RemoveThingFromThingGroup", async (request) => {
      const members = new MemberReader(request.json());
      await groups.removeThing(pickGroup(members), pickThing(members));
      return emptyAnswer;
    }),

    iotOperation("UpdateThingGroupsForThing", async (request) => {
      const members = new MemberReader(request.json());
      const thingName = members.requiredText("thingName");
      const added = members.textList("thingGroupsToAdd") ?? [];
      const removed = members.textList("thingGroupsToRemove") ?? [];
      // First: a thing may leave a branch of the tree and enter it elsewhere.
      for (const name of removed) await groups.removeThing(name, thingName);
      for (const name of added) await groups.addThing(name, thingName);
      return emptyAnswer;
    }),

    iotOperation("ListThingGroupsForThing", async (request) => {
      return answerPage("thingGroups", await groups.ofThing(label(request, "thingName"), readPage(request.query)), tell);
    }),

    iotOperation("ListThingsInThingGroup", async (request) => {
      const isRecursive = queryFlag(request.query, "recursive") ?? false;
      const page = await groups.things(label(request, "thingGroupName"), readPage(request.query), isRecursive);
      return answerPage("things", page, (name) => name);
    }),
  ];
}
