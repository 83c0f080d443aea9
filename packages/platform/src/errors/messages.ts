import type { ErrorTable } from "./platform-error.ts";

export const messageErrors = {} as const satisfies ErrorTable;
