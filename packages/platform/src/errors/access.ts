import type { ErrorTable } from "./platform-error.ts";

export const accessErrors = {} as const satisfies ErrorTable;
