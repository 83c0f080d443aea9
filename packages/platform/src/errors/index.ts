export { type ErrorDetails, type ErrorRow, formatError, PlatformError } from "./platform-error.ts";
export { errorTable } from "./table.ts";
