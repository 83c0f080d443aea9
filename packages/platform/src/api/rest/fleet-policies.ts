/** Policies of things: documents with versions, attached to certificates and groups. */
import { arnOf } from "@thingstead/dialects";
import { type Static, Type } from "typebox";
import type { Policy, PolicyTarget, PolicyVersion } from "../../fleet/index.ts";
import type { ApiPorts } from "../ports.ts";
import {
  cursorPageOf,
  cursorQuery,
  fleetGroupPath,
  policyPath,
  strict,
  fleetTags as tags,
  time,
  toCursorPage,
  toCursorView,
} from "./fleet-schemas.ts";
import { forgetTagsOf } from "./fleet-tags.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, noContent } from "./schemas.ts";
import { formatTime } from "./views.ts";

const document = Type.String({ description: "The policy as JSON text." });
const givenDocument = Type.Union([document, Type.Record(Type.String(), Type.Unknown())], {
  description: 'The policy, as JSON or as its text: `{"Version":"2012-10-17","Statement":[…]}`.',
});
const formatDocument = (given: string | Record<string, unknown>) => (typeof given === "string" ? given : JSON.stringify(given));

const policySchema = Type.Object(
  {
    policyName: Type.String(),
    document,
    defaultVersionId: Type.String(),
    createdAt: time("When the policy was made."),
    modifiedAt: time("When its default version was changed last."),
  },
  strict,
);

const versionSchema = Type.Object(
  {
    policyName: Type.String(),
    versionId: Type.String(),
    document,
    isDefault: Type.Boolean({ description: "The version that counts." }),
    createdAt: time("When the version was made."),
  },
  strict,
);

const targetSchema = Type.Object(
  {
    kind: Type.Enum(["certificate", "group", "identity"]),
    id: Type.String({ description: "Id of a certificate, name of a group, or another identity as it was given." }),
  },
  strict,
);

const versionPath = Type.Object({ policyName: Type.String(), versionId: Type.String() }, strict);
const groupPolicyPath = Type.Object({ groupName: Type.String(), policyName: Type.String() }, strict);

type PolicyPorts = Pick<ApiPorts, "fleet" | "fleetDoor" | "limits">;

export function addFleetPolicyRoutes(app: RestApp, ports: PolicyPorts): void {
  const { fleet, fleetDoor, limits } = ports;
  const { policies } = fleet;

  app.get(
    "/fleet/policies",
    {
      schema: {
        summary: "List policies, the newest first",
        operationId: "listPolicies",
        tags,
        querystring: Type.Object({ ...cursorQuery(limits), isAscending: Type.Boolean({ default: false }) }, strict),
        response: { 200: cursorPageOf(policySchema), ...errorAnswers() },
      },
    },
    async ({ query: { isAscending, ...page } }) => toCursorView(await policies.list({ ...toCursorPage(page), isAscending }), toPolicyView),
  );

  app.post(
    "/fleet/policies",
    {
      schema: {
        summary: "Make a policy; the same again answers the same",
        operationId: "createPolicy",
        tags,
        body: Type.Object({ policyName: Type.String(), document: givenDocument }, strict),
        response: { 201: policySchema, ...errorAnswers(409, 413, 415) },
      },
    },
    async ({ body }, reply) => reply.code(201).send(toPolicyView(await policies.create(body.policyName, formatDocument(body.document)))),
  );

  app.get(
    "/fleet/policies/:policyName",
    {
      schema: {
        summary: "Show a policy with its default version",
        operationId: "getPolicy",
        tags,
        params: policyPath,
        response: { 200: policySchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toPolicyView(await policies.get(params.policyName)),
  );

  app.delete(
    "/fleet/policies/:policyName",
    {
      schema: {
        summary: "Delete a policy that is attached nowhere and has one version",
        operationId: "deletePolicy",
        tags,
        params: policyPath,
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params: { policyName } }, reply) => {
      await policies.delete(policyName);
      await forgetTagsOf(fleet, arnOf(fleetDoor.account, `policy/${policyName}`));
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/fleet/policies/:policyName/targets",
    {
      schema: {
        summary: "List what a policy is attached to",
        operationId: "listPolicyTargets",
        tags,
        params: policyPath,
        querystring: Type.Object(cursorQuery(limits), strict),
        response: { 200: cursorPageOf(targetSchema), ...errorAnswers(404) },
      },
    },
    async ({ params, query }) => toCursorView(await policies.targets(params.policyName, toCursorPage(query)), toTargetView),
  );

  addVersionRoutes(app, ports);
  addGroupPolicyRoutes(app, ports);
}

function addVersionRoutes(app: RestApp, { fleet }: PolicyPorts): void {
  const { policies } = fleet;

  app.get(
    "/fleet/policies/:policyName/versions",
    {
      schema: {
        summary: "List the versions of a policy",
        operationId: "listPolicyVersions",
        tags,
        params: policyPath,
        response: { 200: Type.Object({ items: Type.Array(versionSchema) }, strict), ...errorAnswers(404) },
      },
    },
    async ({ params }) => ({ items: (await policies.versions(params.policyName)).map(toVersionView) }),
  );

  app.post(
    "/fleet/policies/:policyName/versions",
    {
      schema: {
        summary: "Give a policy another version",
        operationId: "createPolicyVersion",
        tags,
        params: policyPath,
        body: Type.Object(
          { document: givenDocument, isDefault: Type.Boolean({ default: false, description: "true: it counts from now on." }) },
          strict,
        ),
        response: { 201: versionSchema, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }, reply) =>
      reply.code(201).send(toVersionView(await policies.createVersion(params.policyName, formatDocument(body.document), body.isDefault))),
  );

  app.get(
    "/fleet/policies/:policyName/versions/:versionId",
    {
      schema: {
        summary: "Show a version of a policy",
        operationId: "getPolicyVersion",
        tags,
        params: versionPath,
        response: { 200: versionSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => toVersionView(await policies.getVersion(params.policyName, params.versionId)),
  );

  app.post(
    "/fleet/policies/:policyName/versions/:versionId/default",
    {
      schema: {
        summary: "Let a version of a policy count; connected things have the new rights at once",
        operationId: "setDefaultPolicyVersion",
        tags,
        params: versionPath,
        response: { 200: versionSchema, ...errorAnswers(404) },
      },
    },
    async ({ params: { policyName, versionId } }) => {
      await policies.setDefaultVersion(policyName, versionId);
      return toVersionView(await policies.getVersion(policyName, versionId));
    },
  );

  app.delete(
    "/fleet/policies/:policyName/versions/:versionId",
    {
      schema: {
        summary: "Delete a version of a policy that is not the default one",
        operationId: "deletePolicyVersion",
        tags,
        params: versionPath,
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params }, reply) => {
      await policies.deleteVersion(params.policyName, params.versionId);
      return reply.code(204).send(null);
    },
  );
}

function addGroupPolicyRoutes(app: RestApp, { fleet, limits }: PolicyPorts): void {
  const { policies } = fleet;

  app.get(
    "/fleet/groups/:groupName/policies",
    {
      schema: {
        summary: "List the policies attached to a group of things",
        operationId: "listPoliciesOfThingGroup",
        tags,
        params: fleetGroupPath,
        querystring: Type.Object(
          {
            ...cursorQuery(limits),
            isRecursive: Type.Boolean({ default: false, description: "Also those of the groups that it lies in." }),
          },
          strict,
        ),
        response: { 200: cursorPageOf(Type.String()), ...errorAnswers(404) },
      },
    },
    async ({ params, query }) =>
      toCursorView(
        await policies.ofTarget({ kind: "group", name: params.groupName }, toCursorPage(query), query.isRecursive),
        ({ name }) => name,
      ),
  );

  app.put(
    "/fleet/groups/:groupName/policies/:policyName",
    {
      schema: {
        summary: "Attach a policy to a group of things",
        operationId: "attachThingGroupPolicy",
        tags,
        params: groupPolicyPath,
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params: { groupName, policyName } }, reply) => {
      await policies.attach(policyName, { kind: "group", name: groupName });
      return reply.code(204).send(null);
    },
  );

  app.delete(
    "/fleet/groups/:groupName/policies/:policyName",
    {
      schema: {
        summary: "Detach a policy from a group of things",
        operationId: "detachThingGroupPolicy",
        tags,
        params: groupPolicyPath,
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params: { groupName, policyName } }, reply) => {
      await policies.detach(policyName, { kind: "group", name: groupName });
      return reply.code(204).send(null);
    },
  );
}

function toPolicyView({ name, document, defaultVersionId, createdAt, modifiedAt }: Policy): Static<typeof policySchema> {
  return { policyName: name, document, defaultVersionId, createdAt: formatTime(createdAt), modifiedAt: formatTime(modifiedAt) };
}

function toVersionView({ createdAt, ...version }: PolicyVersion): Static<typeof versionSchema> {
  return { ...version, createdAt: formatTime(createdAt) };
}

function toTargetView(target: PolicyTarget): Static<typeof targetSchema> {
  return { kind: target.kind, id: target.kind === "group" ? target.name : target.id };
}
