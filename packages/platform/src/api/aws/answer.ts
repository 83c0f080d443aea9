/** Answers in the vendor's form (restJson1; aws-iot.md, 15 to 17). */
import { type ErrorDetails, PlatformError } from "../../errors/index.ts";
import type { AwsAnswer, AwsService } from "./operation.ts";

export interface AwsResponse {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** Why it is a "no": for the log, not for the wire. */
  refusal?: { code: string; details: ErrorDetails };
}

const jsonType = "application/json";

export function answerSuccess({ status = 200, json, bytes, headers = {} }: AwsAnswer, requestId: string): AwsResponse {
  const body = json === undefined ? Buffer.from(bytes ?? []) : Buffer.from(JSON.stringify(json));
  return { status, headers: { "content-type": jsonType, "x-amzn-requestid": requestId, ...headers }, body };
}

/** The members of an error that the vendor's clients read beside its message (ResourceAlreadyExists). */
const toldMembers = ["resourceId", "resourceArn"] as const;

export function answerError(error: PlatformError, service: AwsService | undefined, requestId: string, language: "en" | "zh"): AwsResponse {
  const exception = error.row.aws ?? exceptionOfStatus(error.row.http, service);
  const told = toldMembers.flatMap((name) => (error.details[name] === undefined ? [] : [[name, error.details[name]] as const]));
  const details = forLog(error.details);
  const { retryAfterSeconds } = details;
  return {
    status: statusOf(exception, service) ?? error.row.http,
    headers: {
      "content-type": jsonType,
      "x-amzn-requestid": requestId,
      "x-amzn-errortype": `${exception}Exception`,
      // Ours: stable where the vendor's exceptions are few.
      "x-thingstead-error": error.code,
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    },
    body: Buffer.from(JSON.stringify({ message: error.text(language), ...Object.fromEntries(told) })),
    refusal: { code: error.code, details },
  };
}

const loggedCharactersMax = 500;

/** What was signed may be long, and its beginning says enough. */
function forLog(details: ErrorDetails): ErrorDetails {
  const { canonicalRequest } = details;
  return canonicalRequest === undefined
    ? details
    : { ...details, canonicalRequest: String(canonicalRequest).slice(0, loggedCharactersMax) };
}

/** Reference 17: status by exception; the planes differ in one. */
const statuses: Readonly<Record<string, number>> = {
  InvalidRequest: 400,
  MalformedPolicy: 400,
  SqlParse: 400,
  CertificateValidation: 400,
  RegistrationCodeValidation: 400,
  InvalidQuery: 400,
  IndexNotReady: 400,
  TaskAlreadyExists: 400,
  ResourceRegistrationFailure: 400,
  Validation: 400,
  Unauthorized: 401,
  ServiceQuotaExceeded: 402,
  Forbidden: 403,
  ResourceNotFound: 404,
  NotConfigured: 404,
  MethodNotAllowed: 405,
  CertificateState: 406,
  ResourceAlreadyExists: 409,
  VersionConflict: 409,
  VersionsLimitExceeded: 409,
  DeleteConflict: 409,
  CertificateConflict: 409,
  InvalidStateTransition: 409,
  ConflictingResourceUpdate: 409,
  TransferConflict: 409,
  Conflict: 409,
  LimitExceeded: 410,
  TransferAlreadyCompleted: 410,
  TerminalState: 410,
  RequestEntityTooLarge: 413,
  UnsupportedDocumentEncoding: 415,
  Internal: 500,
  InternalFailure: 500,
  InternalServer: 500,
  ServiceUnavailable: 503,
  GatewayTimeout: 504,
};

function statusOf(exception: string, service: AwsService | undefined): number | undefined {
  if (exception === "Throttling") return service === "iotdata" || service === "iot-jobs-data" ? 429 : 400;
  return statuses[exception];
}

/** For rows that name no exception: the plane's own for that status. */
const exceptionsOfStatus: Readonly<Record<number, string | Partial<Record<AwsService, string>>>> = {
  401: "Unauthorized",
  403: { iot: "Unauthorized", iotdata: "Forbidden", "iot-jobs-data": "Forbidden" },
  404: "ResourceNotFound",
  405: { iotdata: "MethodNotAllowed" },
  409: { iot: "ConflictingResourceUpdate", iotdata: "Conflict", "iot-jobs-data": "Conflict" },
  410: { iot: "LimitExceeded", "iot-jobs-data": "TerminalState" },
  413: { iotdata: "RequestEntityTooLarge" },
  415: { iotdata: "UnsupportedDocumentEncoding" },
  429: "Throttling",
  501: "NotImplemented",
  503: "ServiceUnavailable",
  504: { iotdata: "GatewayTimeout" },
};

function exceptionOfStatus(http: number, service: AwsService | undefined): string {
  const found = exceptionsOfStatus[http];
  const exception = typeof found === "string" ? found : found?.[service ?? "iot"];
  return exception ?? (http < 500 ? "InvalidRequest" : "InternalFailure");
}

/** The same refusal with more to tell, such as the ARN of what exists already. */
export function withDetails(error: PlatformError, details: ErrorDetails): PlatformError {
  return new PlatformError(error.code, { ...error.details, ...details }, { cause: error });
}
