import type { ErrorTable } from "./platform-error.ts";

export const apiErrors = {} as const satisfies ErrorTable;
