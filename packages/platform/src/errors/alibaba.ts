import type { ErrorTable } from "./platform-error.ts";

export const alibabaErrors = {} as const satisfies ErrorTable;
