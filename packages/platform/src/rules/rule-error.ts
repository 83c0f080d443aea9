import { PlatformError } from "../errors/index.ts";

/** Whatever went wrong in a rule, with a code: its own, or the given one around a foreign error (a payload nested too deeply, say). */
export function asRuleError(error: unknown, code: string): PlatformError {
  if (error instanceof PlatformError) return error;
  return new PlatformError(code, { reason: error instanceof Error ? error.message : "unknown failure" }, { cause: error });
}
