import { Type } from "typebox";
import type { ApiPorts } from "../ports.ts";
import { decodePayload, payloadMembers } from "./payload.ts";
import type { RestApp } from "./rest-app.ts";
import {
  errorAnswers,
  idPath,
  noContent,
  pageOf,
  pageQuery,
  ruleActionSchema,
  ruleLanguageSchema,
  ruleRef,
  secretQuery,
  sqlVersionSchema,
} from "./schemas.ts";
import { toPageView, toRuleView } from "./views.ts";

const strict = { additionalProperties: false } as const;
const tags = ["rules"];

const checkBody = Type.Object(
  {
    sql: Type.String(),
    language: Type.Optional(ruleLanguageSchema),
    sqlVersion: Type.Optional(sqlVersionSchema),
    sample: Type.Optional(
      Type.Object(
        {
          topic: Type.String({ minLength: 1 }),
          ...payloadMembers,
          deviceName: Type.Optional(Type.String()),
          productKey: Type.Optional(Type.String()),
        },
        strict,
      ),
    ),
  },
  strict,
);

const checkOutcome = Type.Object(
  {
    problems: Type.Array(Type.Object({ message: Type.String(), line: Type.Integer(), column: Type.Integer() }, strict)),
    isMatch: Type.Optional(Type.Boolean({ description: "Whether FROM and WHERE take the sample." })),
    result: Type.Optional(Type.Unknown({ description: "What the actions would get; bytes appear as { base64 }." })),
  },
  strict,
);

export function addRuleRoutes(app: RestApp, { rules, limits }: Pick<ApiPorts, "rules" | "limits">): void {
  const actions = Type.Optional(Type.Array(ruleActionSchema, { maxItems: limits.ruleActionsMax }));
  const description = Type.Optional(Type.String());
  const sql = Type.Optional(Type.String({ examples: ['SELECT temperature FROM "/pk/+/data" WHERE temperature > 30'] }));
  const sqlVersion = Type.Optional(sqlVersionSchema);
  const dataType = Type.Optional(Type.Enum(["json", "binary"]));

  app.get(
    "/rules",
    {
      schema: {
        summary: "List rules",
        operationId: "listRules",
        tags,
        querystring: Type.Object(pageQuery(limits), strict),
        response: { 200: pageOf(ruleRef), ...errorAnswers() },
      },
    },
    async ({ query }) => toPageView(await rules.list({ page: query.page, pageSize: query.pageSize }), (rule) => toRuleView(rule)),
  );

  app.post(
    "/rules",
    {
      schema: {
        summary: "Create a rule",
        operationId: "createRule",
        tags,
        body: Type.Object(
          {
            name: Type.String({ minLength: 1 }),
            description,
            language: Type.Optional(ruleLanguageSchema),
            sqlVersion,
            sql,
            dataType,
            actions,
            errorAction: Type.Optional(ruleActionSchema),
            isRunning: Type.Optional(Type.Boolean({ description: "Start it at once." })),
          },
          strict,
        ),
        response: { 201: ruleRef, ...errorAnswers(409, 413, 415) },
      },
    },
    async ({ body }, reply) => reply.code(201).send(toRuleView(await rules.create(body), { withSecret: true })),
  );

  app.post(
    "/rules/check",
    {
      schema: {
        summary: "Check rule SQL, on a sample message if one is given; nothing is sent",
        operationId: "checkRule",
        tags,
        body: checkBody,
        response: { 200: checkOutcome, ...errorAnswers(413, 415) },
      },
    },
    async ({ body }) => {
      const { language, sqlVersion: version } = body;
      const terms = { ...(language === undefined ? {} : { language }), ...(version === undefined ? {} : { sqlVersion: version }) };
      if (body.sample === undefined) return rules.check(body.sql, undefined, terms);
      const { payload, payloadBase64, ...sample } = body.sample;
      const bytes = decodePayload(
        { ...(payload === undefined ? {} : { payload }), ...(payloadBase64 === undefined ? {} : { payloadBase64 }) },
        "body/sample",
      );
      const outcome = rules.check(body.sql, { ...sample, payload: bytes }, terms);
      return outcome.result instanceof Uint8Array
        ? { ...outcome, result: { base64: Buffer.from(outcome.result).toString("base64") } }
        : outcome;
    },
  );

  app.get(
    "/rules/:id",
    {
      schema: {
        summary: "Show a rule",
        operationId: "getRule",
        tags,
        params: idPath,
        querystring: secretQuery,
        response: { 200: ruleRef, ...errorAnswers(404) },
      },
    },
    async ({ params, query }) => toRuleView(await rules.get(params.id), { withSecret: query.secret }),
  );

  app.patch(
    "/rules/:id",
    {
      schema: {
        summary: "Change a rule; given actions replace all of its actions",
        operationId: "updateRule",
        tags,
        params: idPath,
        body: Type.Object(
          {
            name: Type.Optional(Type.String({ minLength: 1 })),
            description,
            sqlVersion,
            sql,
            dataType,
            actions,
            errorAction: Type.Optional(Type.Union([ruleActionSchema, Type.Null()], { description: "null takes it away." })),
          },
          { ...strict, minProperties: 1 },
        ),
        response: { 200: ruleRef, ...errorAnswers(404, 409, 413, 415) },
      },
    },
    async ({ params, body }) => toRuleView(await rules.update(params.id, body), { withSecret: true }),
  );

  app.delete(
    "/rules/:id",
    {
      schema: {
        summary: "Delete a rule",
        operationId: "deleteRule",
        tags,
        params: idPath,
        response: { 204: noContent, ...errorAnswers(404, 409) },
      },
    },
    async ({ params }, reply) => {
      await rules.delete(params.id);
      return reply.code(204).send(null);
    },
  );

  for (const { verb, summary } of [
    { verb: "start", summary: "Start a rule" },
    { verb: "stop", summary: "Stop a rule" },
  ] as const) {
    app.post(
      `/rules/:id/${verb}`,
      { schema: { summary, operationId: `${verb}Rule`, tags, params: idPath, response: { 200: ruleRef, ...errorAnswers(404, 409) } } },
      async ({ params }) => toRuleView(await rules[verb](params.id)),
    );
  }
}
