/** Thing types (aws-iot.md, 4 and 16). */
import type { Fleet, ThingType } from "../../../fleet/index.ts";
import { MemberReader, queryText } from "../members.ts";
import type { AwsOperation } from "../operation.ts";
import { emptyAnswer, iotOperation, label, toSeconds } from "./iot-operation.ts";
import { answerPage, readPage } from "./paging.ts";
import { forgetTags, readTags, setTags, type TagPorts } from "./tags.ts";

export interface ThingTypeOperationPorts extends TagPorts {
  fleet: Pick<Fleet, "types" | "resourceTags">;
}

type Properties = Partial<Pick<ThingType, "description" | "searchableAttributes" | "propagatingAttributes">>;

function readProperties(members: MemberReader): Properties {
  const properties = members.object("thingTypeProperties");
  if (properties === undefined) return {};
  const description = properties.text("thingTypeDescription");
  const searchableAttributes = properties.textList("searchableAttributes");
  const propagating = properties.object("mqtt5Configuration")?.objectList("propagatingAttributes");
  return {
    ...(description === undefined ? {} : { description }),
    ...(searchableAttributes === undefined ? {} : { searchableAttributes }),
    ...(propagating === undefined ? {} : { propagatingAttributes: propagating.map(readPropagating) }),
  };
}

function readPropagating(members: MemberReader): ThingType["propagatingAttributes"][number] {
  const thingAttribute = members.text("thingAttribute");
  const connectionAttribute = members.text("connectionAttribute");
  return {
    userPropertyKey: members.requiredText("userPropertyKey"),
    ...(thingAttribute === undefined ? {} : { thingAttribute }),
    ...(connectionAttribute === undefined ? {} : { connectionAttribute }),
  };
}

export function createThingTypeOperations(ports: ThingTypeOperationPorts): AwsOperation[] {
  const { fleet, names } = ports;
  const { types } = fleet;
  const describe = (type: ThingType) => ({
    thingTypeName: type.name,
    thingTypeArn: names.arn("thingtype", type.name),
    thingTypeProperties: {
      ...(type.description === "" ? {} : { thingTypeDescription: type.description }),
      searchableAttributes: type.searchableAttributes,
      ...(type.propagatingAttributes.length === 0 ? {} : { mqtt5Configuration: { propagatingAttributes: type.propagatingAttributes } }),
    },
    thingTypeMetadata: {
      deprecated: type.deprecatedAt !== undefined,
      ...(type.deprecatedAt === undefined ? {} : { deprecationDate: toSeconds(type.deprecatedAt) }),
      creationDate: toSeconds(type.createdAt),
    },
  });

  return [
    iotOperation("CreateThingType", async (request) => {
      const members = new MemberReader(request.json());
      const name = label(request, "thingTypeName");
      const properties = readProperties(members);
      const tags = readTags(members);
      const type = await names.tellingExisting("thingtype", name, () => types.create({ name, ...properties }));
      const thingTypeArn = names.arn("thingtype", name);
      await setTags(ports, thingTypeArn, tags);
      return { json: { thingTypeName: name, thingTypeArn, thingTypeId: type.id } };
    }),

    iotOperation("UpdateThingType", async (request) => {
      await types.update(label(request, "thingTypeName"), readProperties(new MemberReader(request.json())));
      return emptyAnswer;
    }),

    iotOperation("DescribeThingType", async (request) => {
      const type = await types.get(label(request, "thingTypeName"));
      return { json: { thingTypeId: type.id, ...describe(type) } };
    }),

    iotOperation("DeprecateThingType", async (request) => {
      const isUndone = new MemberReader(request.json()).flag("undoDeprecate") ?? false;
      await types.setDeprecated(label(request, "thingTypeName"), !isUndone);
      return emptyAnswer;
    }),

    iotOperation("DeleteThingType", async (request) => {
      const name = label(request, "thingTypeName");
      await types.delete(name);
      await forgetTags(ports, names.arn("thingtype", name));
      return emptyAnswer;
    }),

    iotOperation("ListThingTypes", async ({ query }) => {
      const name = queryText(query, "thingTypeName");
      return answerPage("thingTypes", await types.list(readPage(query), name === undefined ? {} : { name }), describe);
    }),
  ];
}
