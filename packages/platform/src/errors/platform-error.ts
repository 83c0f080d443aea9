import { errorTable } from "./table.ts";

/** One row of the error table. `code` (the key) is API; the texts are not. `{name}` in a text is filled from `details`. */
export interface ErrorRow {
  /** HTTP status on our REST API. */
  http: number;
  /** Code on the Alibaba OpenAPI; absent = `iot.system.SystemException`. */
  alibaba?: string;
  /** Exception on the AWS API, without `Exception` (`ResourceNotFound`); absent = by the HTTP status. */
  aws?: string;
  en: string;
  zh: string;
}

export type ErrorTable = Readonly<Record<string, ErrorRow>>;
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/**
 * A refusal or failure with a stable code out of the one error table.
 *
 * @example throw new PlatformError("registry.device_not_found", { productKey, deviceName })
 */
export class PlatformError extends Error {
  readonly code: string;
  readonly details: ErrorDetails;

  constructor(code: string, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(formatError(code, details, "en"), options);
    this.name = "PlatformError";
    this.code = code;
    this.details = details;
  }

  get row(): ErrorRow {
    return rowOf(this.code);
  }

  /** The text in the wished language. */
  text(language: "en" | "zh"): string {
    return formatError(this.code, this.details, language);
  }
}

function rowOf(code: string): ErrorRow {
  const row = errorTable[code];
  if (row === undefined) throw new Error(`error code ${code} is not in the table`);
  return row;
}

/** Text of a code with its placeholders filled. Throws for a code that is not in the table: that is a bug of ours. */
export function formatError(code: string, details: ErrorDetails, language: "en" | "zh"): string {
  return rowOf(code)[language].replace(/\{(\w+)\}/g, (whole, name: string) => String(details[name] ?? whole));
}
