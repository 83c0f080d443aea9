import type { ErrorTable } from "./platform-error.ts";

export const deviceLogErrors = {} as const satisfies ErrorTable;
