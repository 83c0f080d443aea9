/** Where a product's script is fetched from: an address that is signed and good for a while (reference 1.8.I). */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock, Random } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import type { Scripts } from "../../scripts/index.ts";
import type { AlibabaApiLimits } from "./limits.ts";

/** Below the API's own origin. */
export const scriptDownloadPath = "/alibaba/scripts";

export interface ScriptLinks {
  issue(origin: string, productKey: string): string;
  /** The script. Throws `alibaba.script_link_invalid`, `alibaba.script_missing`. */
  open(productKey: string, query: { expires?: string | undefined; signature?: string | undefined }): Promise<string>;
}

export interface ScriptLinksPorts {
  scripts: Pick<Scripts, "find">;
  clock: Pick<Clock, "now">;
  random: Random;
  limits: Pick<AlibabaApiLimits, "scriptLinkSeconds">;
}

/** Links are forgotten with the process: another one is asked for. */
export function createScriptLinks({ scripts, clock, random, limits }: ScriptLinksPorts): ScriptLinks {
  const key = random.bytes(32);
  const sign = (productKey: string, expires: string) => createHmac("sha256", key).update(`${productKey}\n${expires}`).digest("hex");

  return {
    issue(origin, productKey) {
      const expires = String(Math.floor(clock.now() / 1000) + limits.scriptLinkSeconds);
      const query = `expires=${expires}&signature=${sign(productKey, expires)}`;
      return `${origin}${scriptDownloadPath}/${encodeURIComponent(productKey)}?${query}`;
    },
    async open(productKey, { expires = "", signature = "" }) {
      const expected = Buffer.from(sign(productKey, expires));
      const received = Buffer.from(signature);
      const isSigned = received.length === expected.length && timingSafeEqual(received, expected);
      if (!isSigned || Number(expires) * 1000 <= clock.now()) {
        throw new PlatformError("alibaba.script_link_invalid", { received: isSigned ? "an expired link" : "another signature" });
      }
      const script = await scripts.find(productKey);
      if (script === undefined) throw new PlatformError("alibaba.script_missing", { productKey });
      return script.code;
    },
  };
}
