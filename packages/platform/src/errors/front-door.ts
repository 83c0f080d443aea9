import type { ErrorTable } from "./platform-error.ts";

export const frontDoorErrors = {} as const satisfies ErrorTable;
