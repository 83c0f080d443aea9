import type { ErrorTable } from "./platform-error.ts";

export const registryErrors = {} as const satisfies ErrorTable;
