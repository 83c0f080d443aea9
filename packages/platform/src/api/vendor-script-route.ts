/** Hands out a product's script behind a signed link. */
import { Type } from "typebox";
import { type ScriptLinks, scriptDownloadPath } from "./alibaba/index.ts";
import type { RestApp } from "./rest/index.ts";
import { compileValidator } from "./validate.ts";

const queryTextMax = 128;
const text = Type.Optional(Type.String({ maxLength: queryTextMax }));
const params = Type.Object({ productKey: Type.String() });
const querystring = Type.Object({ expires: text, signature: text });

export async function addVendorScriptRoute(app: RestApp, { scriptLinks }: { scriptLinks: ScriptLinks }): Promise<void> {
  await app.register(async (scope: RestApp) => {
    scope.setValidatorCompiler<typeof querystring>(({ schema, httpPart }) => compileValidator(schema, httpPart ?? "body"));
    scope.get(`${scriptDownloadPath}/:productKey`, { schema: { hide: true, params, querystring } }, async (request, reply) => {
      const code = await scriptLinks.open(request.params.productKey, request.query);
      // A user's own program is shown, never run: not by a browser either.
      return reply.type("text/plain; charset=utf-8").header("cache-control", "no-store").send(code);
    });
  });
}
