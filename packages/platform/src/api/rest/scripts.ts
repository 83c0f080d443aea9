import { Type } from "typebox";
import { PlatformError } from "../../errors/index.ts";
import type { ScriptTest } from "../../scripts/index.ts";
import type { ApiPorts } from "../ports.ts";
import { decodePayload, payloadMembers } from "./payload.ts";
import type { RestApp } from "./rest-app.ts";
import { errorAnswers, noContent, productPath } from "./schemas.ts";
import { strict } from "./thing-schemas.ts";
import { formatTime } from "./views.ts";

const tags = ["scripts"];
const place = "/products/:productKey/script";
const functionNames = ["rawDataToProtocol", "protocolToRawData", "transformPayload"] as const;

const codeMember = Type.String({ description: "JavaScript with the functions that the product needs." });
const scriptSchema = Type.Object({ code: codeMember, modifiedAt: Type.String({ format: "date-time" }) }, strict);
const testSchema = Type.Object(
  {
    code: Type.Optional(Type.String({ description: "Absent = the product's script." })),
    function: Type.Enum([...functionNames]),
    ...payloadMembers,
    topic: Type.Optional(Type.String({ description: "For transformPayload." })),
    message: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: "For protocolToRawData." })),
  },
  strict,
);
const outcomeSchema = Type.Object(
  {
    milliseconds: Type.Number(),
    result: Type.Optional(Type.Unknown({ description: "The object that was made." })),
    resultBase64: Type.Optional(Type.String({ description: "The bytes that were made." })),
    code: Type.Optional(Type.Integer({ description: "The vendor's code when it failed: 26002, 26006, 26007 or 26010." })),
    message: Type.Optional(Type.String()),
  },
  strict,
);

export function addScriptRoutes(app: RestApp, { scripts }: Pick<ApiPorts, "scripts">): void {
  async function codeOf(productKey: string): Promise<{ code: string; modifiedAt: number }> {
    const script = await scripts.find(productKey);
    if (script === undefined) throw new PlatformError("scripts.not_found", { productKey });
    return script;
  }

  app.get(
    place,
    {
      schema: {
        summary: "Show a product's script",
        operationId: "getScript",
        tags,
        params: productPath,
        response: { 200: scriptSchema, ...errorAnswers(404) },
      },
    },
    async ({ params }) => {
      const { code, modifiedAt } = await codeOf(params.productKey);
      return { code, modifiedAt: formatTime(modifiedAt) };
    },
  );

  app.put(
    place,
    {
      schema: {
        summary: "Save a product's script",
        description:
          "Turns the bytes of raw products into Alink (`rawDataToProtocol`) and back (`protocolToRawData`), and messages on custom topics with `?_sn=default` into JSON (`transformPayload`). It is loaded once as a check.",
        operationId: "putScript",
        tags,
        params: productPath,
        body: Type.Object({ code: codeMember }, strict),
        response: { 200: scriptSchema, ...errorAnswers(404, 413, 415, 422, 503) },
      },
    },
    async ({ params, body }) => {
      const { code, modifiedAt } = await scripts.save(params.productKey, body.code);
      return { code, modifiedAt: formatTime(modifiedAt) };
    },
  );

  app.delete(
    place,
    {
      schema: {
        summary: "Delete a product's script",
        operationId: "deleteScript",
        tags,
        params: productPath,
        response: { 204: noContent, ...errorAnswers(404) },
      },
    },
    async ({ params }, reply) => {
      await scripts.delete(params.productKey);
      return reply.code(204).send(null);
    },
  );

  app.post(
    `${place}/test`,
    {
      schema: {
        summary: "Try a script on one message",
        description: "Nothing is sent and nothing is saved. What a script does wrong is part of the answer.",
        operationId: "testScript",
        tags,
        params: productPath,
        body: testSchema,
        response: { 200: outcomeSchema, ...errorAnswers(404, 413, 415) },
      },
    },
    async ({ params, body }) => {
      const saved = body.code === undefined ? await codeOf(params.productKey) : undefined;
      // An unknown product has no script to try either.
      if (saved === undefined) await scripts.find(params.productKey);
      const outcome = await scripts.test(body.code ?? saved?.code ?? "", testOf(body));
      const { milliseconds } = outcome;
      if (outcome.kind === "failed") return { milliseconds, code: outcome.code, message: outcome.message };
      const { value } = outcome;
      return value instanceof Uint8Array
        ? { milliseconds, resultBase64: Buffer.from(value).toString("base64") }
        : { milliseconds, result: value };
    },
  );
}

function testOf(body: {
  function: (typeof functionNames)[number];
  payload?: string;
  payloadBase64?: string;
  topic?: string;
  message?: Record<string, unknown>;
}): ScriptTest {
  switch (body.function) {
    case "rawDataToProtocol":
      return { function: body.function, payload: decodePayload(body, "body") };
    case "transformPayload":
      return { function: body.function, topic: body.topic ?? "", payload: decodePayload(body, "body") };
    case "protocolToRawData":
      if (body.message === undefined) {
        throw new PlatformError("api.request_invalid", { path: "body/message", received: "nothing", expected: "an Alink message" });
      }
      return { function: body.function, message: body.message };
  }
}
