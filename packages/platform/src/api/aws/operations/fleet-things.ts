/** Things and their principals (aws-iot.md, 4 and 16). */
import type { Fleet, PrincipalType, Thing } from "../../../fleet/index.ts";
import { MemberReader, queryChoice, queryFlag, queryInteger, queryText, refuseMember } from "../members.ts";
import type { AwsOperation, AwsRequest } from "../operation.ts";
import { emptyAnswer, iotOperation, label } from "./iot-operation.ts";
import { answerPage, readPage } from "./paging.ts";
import { type ResourceNames, readAttributePayload } from "./resources.ts";
import { forgetTags, type TagPorts } from "./tags.ts";

export interface ThingOperationPorts extends TagPorts {
  fleet: Pick<Fleet, "things" | "resourceTags">;
}

const principalTypes: readonly PrincipalType[] = ["EXCLUSIVE_THING", "NON_EXCLUSIVE_THING"];

/** Whom a header names: `x-amzn-principal`, or the older `x-amzn-iot-principal`. */
export function principalOf(request: AwsRequest, names: ResourceNames, header = "x-amzn-principal") {
  const text = request.headers[header] ?? refuseMember(`the header ${header}`, undefined, "a principal");
  return names.parsePrincipal(text, `the header ${header}`);
}

export function createThingOperations(ports: ThingOperationPorts): AwsOperation[] {
  const { fleet, names } = ports;
  const { things } = fleet;
  const describe = ({ name, typeName, attributes, version }: Thing) => ({
    thingName: name,
    ...(typeName === undefined ? {} : { thingTypeName: typeName }),
    thingArn: names.arn("thing", name),
    attributes,
    version,
  });

  return [
    iotOperation("CreateThing", async (request) => {
      const members = new MemberReader(request.json());
      const name = label(request, "thingName");
      const typeName = members.text("thingTypeName");
      const { attributes } = readAttributePayload(members) ?? {};
      const billingGroupName = members.text("billingGroupName");
      const thing = await names.tellingExisting("thing", name, () =>
        things.create({
          name,
          ...(typeName === undefined ? {} : { typeName }),
          ...(attributes === undefined ? {} : { attributes }),
          ...(billingGroupName === undefined ? {} : { billingGroupName }),
        }),
      );
      return { json: { thingName: thing.name, thingArn: names.arn("thing", thing.name), thingId: thing.id } };
    }),

    iotOperation("DescribeThing", async (request) => {
      const thing = await things.get(label(request, "thingName"));
      const { id: thingId, billingGroupName } = thing;
      return {
        json: { defaultClientId: thing.name, thingId, ...describe(thing), ...(billingGroupName === undefined ? {} : { billingGroupName }) },
      };
    }),

    iotOperation("UpdateThing", async (request) => {
      const members = new MemberReader(request.json());
      const attributes = readAttributePayload(members);
      const typeName = members.text("thingTypeName");
      const expectedVersion = members.integer("expectedVersion");
      const removesType = members.flag("removeThingType") ?? false;
      if (removesType && typeName !== undefined) members.refuse("removeThingType", "false beside thingTypeName");
      await things.update(label(request, "thingName"), {
        ...(attributes === undefined ? {} : { attributes }),
        ...(typeName === undefined ? {} : { typeName }),
        ...(removesType ? { removesType } : {}),
        ...(expectedVersion === undefined ? {} : { expectedVersion }),
      });
      return emptyAnswer;
    }),

    iotOperation("DeleteThing", async (request) => {
      const name = label(request, "thingName");
      await things.delete(name, queryInteger(request.query, "expectedVersion"));
      await forgetTags(ports, names.arn("thing", name));
      return emptyAnswer;
    }),

    iotOperation("ListThings", async ({ query }) => {
      const attributeName = queryText(query, "attributeName");
      const attributeValue = queryText(query, "attributeValue");
      const typeName = queryText(query, "thingTypeName");
      const isValuePrefix = queryFlag(query, "usePrefixAttributeValue");
      if (attributeValue !== undefined && attributeName === undefined)
        refuseMember("attributeName", undefined, "a name beside attributeValue");
      const page = await things.list(readPage(query), {
        ...(attributeName === undefined ? {} : { attributeName }),
        ...(attributeValue === undefined ? {} : { attributeValue }),
        ...(typeName === undefined ? {} : { typeName }),
        ...(isValuePrefix === undefined ? {} : { isValuePrefix }),
      });
      return answerPage("things", page, describe);
    }),

    iotOperation("AttachThingPrincipal", async (request) => {
      const type = queryChoice(request.query, "thingPrincipalType", principalTypes);
      await things.attachPrincipal(label(request, "thingName"), principalOf(request, names), type);
      return emptyAnswer;
    }),

    iotOperation("DetachThingPrincipal", async (request) => {
      await things.detachPrincipal(label(request, "thingName"), principalOf(request, names));
      return emptyAnswer;
    }),

    iotOperation("ListThingPrincipals", async (request) => {
      const page = await things.principals(label(request, "thingName"), readPage(request.query));
      return answerPage("principals", page, ({ principal }) => names.formatPrincipal(principal));
    }),

    iotOperation("ListThingPrincipalsV2", async (request) => {
      const type = queryChoice(request.query, "thingPrincipalType", principalTypes);
      const page = await things.principals(label(request, "thingName"), readPage(request.query), type);
      return answerPage("thingPrincipalObjects", page, (each) => ({
        principal: names.formatPrincipal(each.principal),
        thingPrincipalType: each.type,
      }));
    }),

    iotOperation("ListPrincipalThings", async (request) => {
      const page = await things.ofPrincipal(principalOf(request, names), readPage(request.query));
      return answerPage("things", page, ({ name }) => name);
    }),

    iotOperation("ListPrincipalThingsV2", async (request) => {
      const type = queryChoice(request.query, "thingPrincipalType", principalTypes);
      const page = await things.ofPrincipal(principalOf(request, names), readPage(request.query), type);
      return answerPage("principalThingObjects", page, (each) => ({ thingName: each.name, thingPrincipalType: each.type }));
    }),
  ];
}
