export { type ErrorDetails, formatError, PlatformError } from "./platform-error.ts";
export { errorTable } from "./table.ts";
