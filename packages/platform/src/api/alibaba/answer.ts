/** Answers in the vendor's envelopes (reference 1.5), as JSON or XML. */
import type { PlatformError } from "../../errors/index.ts";
import type { RawApiResponse } from "../raw-request.ts";
import { vendorCodeOf } from "./business-codes.ts";
import type { Answer } from "./operation.ts";
import { formatXml } from "./xml.ts";

export type AnswerFormat = "json" | "xml";

export interface AnswerContext {
  format: AnswerFormat;
  requestId: string;
  /** Host the client called; shown in failures of the gateway. */
  host: string;
  /** Root of the XML form is `<actionResponse>`. */
  action: string;
}

export function answerSuccess(answer: Answer, context: AnswerContext): RawApiResponse {
  // No Code: pop-core takes any other text than a few for a failure.
  return format(200, { RequestId: context.requestId, Success: true, ...answer }, `${context.action}Response`, context);
}

/** Business failures are HTTP 200 with `Success: false`; those of the gateway carry a status of their own. */
export function answerError(error: PlatformError, context: AnswerContext): RawApiResponse {
  const code = vendorCodeOf(error.code).replace(/\{(\w+)\}/g, (whole, name: string) => String(error.details[name] ?? whole));
  const { requestId, host } = context;
  if (code.startsWith("iot.")) {
    const failure = { RequestId: requestId, Success: false, Code: code, ErrorMessage: describe(error), ...membersOf(error) };
    return format(200, failure, `${context.action}Response`, context);
  }
  return format(error.row.http, { RequestId: requestId, HostId: host, Code: code, Message: describe(error) }, "Error", context);
}

/** What programs look at beside the code of a failed call: of RRPC its own result. */
function membersOf({ details: { rrpcCode, messageId } }: PlatformError): Answer {
  return rrpcCode === undefined ? {} : { RrpcCode: rrpcCode, MessageId: numeral(String(messageId)) };
}

/** A number of 64 bits as the client shall read it, digit by digit. */
export function numeral(digits: string): unknown {
  return BigInt(digits);
}

/** Our own code goes along: it is what this server's log and documentation are searched by. */
function describe({ message, code }: PlatformError): string {
  return `${message} [${code}]`;
}

function format(status: number, body: Answer, root: string, context: AnswerContext): RawApiResponse {
  // The vendor's SDK compares the XML content type letter by letter: no blank before charset.
  return context.format === "json"
    ? { status, headers: { "content-type": "application/json;charset=utf-8" }, body: writeJson(body) }
    : { status, headers: { "content-type": "text/xml;charset=utf-8" }, body: formatXml(root, body) };
}

/** Node has it, TypeScript's library not yet. */
const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): unknown };

function writeJson(body: Answer): string {
  return JSON.stringify(body, (_name, value: unknown) => (typeof value === "bigint" ? rawJSON(value.toString()) : value));
}
