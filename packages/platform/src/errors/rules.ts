import type { ErrorTable } from "./platform-error.ts";

export const ruleErrors = {} as const satisfies ErrorTable;
