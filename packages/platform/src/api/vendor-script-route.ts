/** Hands out a product's script behind a signed link. */
import { Type } from "typebox";
import { type ScriptLinks, scriptDownloadPath } from "./alibaba/index.ts";
import type { RestApp } from "./rest/index.ts";

const queryTextMax = 128;
const text = Type.Optional(Type.String({ maxLength: queryTextMax }));

export function addVendorScriptRoute(app: RestApp, { scriptLinks }: { scriptLinks: ScriptLinks }): void {
  app.get(
    `${scriptDownloadPath}/:productKey`,
    {
      schema: {
        hide: true,
        params: Type.Object({ productKey: Type.String() }),
        querystring: Type.Object({ expires: text, signature: text }),
      },
    },
    async ({ params, query }, reply) => {
      const code = await scriptLinks.open(params.productKey, query);
      // A user's own program is shown, never run: not by a browser either.
      return reply.type("text/plain; charset=utf-8").header("cache-control", "no-store").send(code);
    },
  );
}
