import type { ErrorTable } from "./platform-error.ts";

export const startErrors = {} as const satisfies ErrorTable;
