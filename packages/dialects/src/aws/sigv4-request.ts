/** Reads what a signed request says of itself (AWS SigV4): in the header `Authorization`, or in its query. Nothing is believed yet. */
import { createHash } from "node:crypto";

export const sigV4Algorithm = "AWS4-HMAC-SHA256";

/** A request as it came: nothing of it is decoded. */
export interface SignedRequest {
  method: string;
  /** Without the query. */
  path: string;
  /** Without the question mark. */
  rawQuery: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Absent: no body. */
  body?: Uint8Array;
}

export type QueryPair = readonly [name: string, value: string];

/** The claim that is to be checked. */
export interface SignatureClaim {
  place: "header" | "query";
  accessKeyId: string;
  /** `20260102` of the scope. */
  shortDate: string;
  region: string;
  service: string;
  /** In lower case. */
  signedHeaders: readonly string[];
  signature: string;
  /** `20260102T030405Z`. */
  longDate: string;
  /** Of a signed query: how long it is good. */
  expiresSeconds?: number;
  /** What stands in the canonical request for the body. */
  payloadHash: string;
}

export interface ClaimFault {
  reason: "missing" | "incomplete" | "algorithm" | "encoding" | "payload";
  received: string;
  expected: string;
}

const unsignedPayload = "UNSIGNED-PAYLOAD";
/** What a signed request may have. */
export interface SigV4Limits {
  /** Parameters in the query: the work of signing again grows with their square when they bear one name. */
  queryParametersMax: number;
  signedHeadersMax: number;
  /** The life of a signed query. */
  expiresSecondsMax: number;
}

/** A week is the most that the algorithm knows; no operation has as many parameters. */
export const defaultSigV4Limits: SigV4Limits = { queryParametersMax: 200, signedHeadersMax: 100, expiresSecondsMax: 604_800 };

const fault = (reason: ClaimFault["reason"], received: string, expected: string): ClaimFault => ({ reason, received, expected });

export function isClaimFault(claim: SignatureClaim | ClaimFault): claim is ClaimFault {
  return "reason" in claim;
}

/** Whether somebody tried to sign it, rightly or not. */
export function isSigV4Signed({ headers, rawQuery }: Pick<SignedRequest, "headers" | "rawQuery">): boolean {
  return textOf(headers.authorization)?.startsWith("AWS4-") === true || /(?:^|&)X-Amz-(?:Algorithm|Signature)=/.test(rawQuery);
}

/** The client says which headers it signed: they may be called as what every object has. */
export function headerOf(headers: SignedRequest["headers"], name: string): string | undefined {
  return Object.hasOwn(headers, name) ? textOf(headers[name]) : undefined;
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" || value === undefined ? value : value.join(",");
}

/** Name and value decoded; `+` stays a plus, as every signer of AWS has it. Undefined: not valid percent-encoded UTF-8. */
export function decodeQuery(rawQuery: string): QueryPair[] | undefined {
  try {
    return rawQuery
      .split("&")
      .filter((part) => part !== "")
      .map((part) => {
        const at = part.indexOf("=");
        const name = at < 0 ? part : part.slice(0, at);
        return [decodeURIComponent(name), at < 0 ? "" : decodeURIComponent(part.slice(at + 1))] as const;
      });
  } catch {
    return undefined;
  }
}

/** What a request claims, or what is wrong with how it says it. */
export function readClaim(request: SignedRequest, query: readonly QueryPair[], limits: SigV4Limits): SignatureClaim | ClaimFault {
  const { queryParametersMax, signedHeadersMax } = limits;
  if (query.length > queryParametersMax) {
    return fault("incomplete", `${query.length} parameters in the query`, `at most ${queryParametersMax}`);
  }
  const authorization = textOf(request.headers.authorization);
  const claim = authorization?.startsWith("AWS4-") ? claimOfHeader(request, authorization) : claimOfQuery(request, query, limits);
  if (isClaimFault(claim)) return claim;
  if (!/^\d{8}T\d{6}Z$/.test(claim.longDate) || Number.isNaN(timeOfLongDate(claim.longDate))) {
    return fault("incomplete", `the time ${claim.longDate}`, "a time like 20260102T030405Z");
  }
  if (claim.signedHeaders.length > signedHeadersMax) {
    return fault("incomplete", `${claim.signedHeaders.length} signed headers`, `at most ${signedHeadersMax}`);
  }
  if (!claim.signedHeaders.includes("host")) return fault("incomplete", claim.signedHeaders.join(";"), "`host` among the signed headers");
  return claim;
}

function claimOfHeader(request: SignedRequest, authorization: string): SignatureClaim | ClaimFault {
  const [algorithm = "", ...rest] = authorization.split(" ");
  if (algorithm !== sigV4Algorithm) return fault("algorithm", algorithm, sigV4Algorithm);
  const members = new Map<string, string>();
  for (const part of rest.join(" ").split(",")) {
    const at = part.indexOf("=");
    if (at > 0) members.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  const longDate = textOf(request.headers["x-amz-date"]) ?? longDateOf(textOf(request.headers.date));
  const payloadHash = readPayloadHash(request, textOf(request.headers["x-amz-content-sha256"]));
  if (typeof payloadHash !== "string") return payloadHash;
  return assemble("header", {
    credential: members.get("Credential"),
    signedHeaders: members.get("SignedHeaders"),
    signature: members.get("Signature"),
    longDate,
    payloadHash,
  });
}

function claimOfQuery(
  request: SignedRequest,
  query: readonly QueryPair[],
  { expiresSecondsMax }: SigV4Limits,
): SignatureClaim | ClaimFault {
  const member = (name: string): string | undefined => query.find(([key]) => key === name)?.[1];
  const algorithm = member("X-Amz-Algorithm");
  if (algorithm === undefined) return fault("missing", "no signature", `the header Authorization: ${sigV4Algorithm} … or a signed query`);
  if (algorithm !== sigV4Algorithm) return fault("algorithm", algorithm, sigV4Algorithm);
  const expires = member("X-Amz-Expires");
  if (expires !== undefined && (!/^\d{1,6}$/.test(expires) || Number(expires) > expiresSecondsMax)) {
    return fault("incomplete", `X-Amz-Expires=${expires}`, `seconds, at most ${expiresSecondsMax}`);
  }
  const payloadHash = readPayloadHash(request, member("X-Amz-Content-Sha256") ?? textOf(request.headers["x-amz-content-sha256"]));
  if (typeof payloadHash !== "string") return payloadHash;
  const claim = assemble("query", {
    credential: member("X-Amz-Credential"),
    signedHeaders: member("X-Amz-SignedHeaders"),
    signature: member("X-Amz-Signature"),
    longDate: member("X-Amz-Date"),
    payloadHash,
  });
  if (isClaimFault(claim) || expires === undefined) return claim;
  return { ...claim, expiresSeconds: Number(expires) };
}

interface ClaimParts {
  credential: string | undefined;
  signedHeaders: string | undefined;
  signature: string | undefined;
  longDate: string | undefined;
  payloadHash: string;
}

function assemble(place: SignatureClaim["place"], parts: ClaimParts): SignatureClaim | ClaimFault {
  const { credential, signedHeaders, signature, longDate, payloadHash } = parts;
  const lacks = (["credential", "signedHeaders", "signature", "longDate"] as const).filter((name) => !parts[name]);
  if (!credential || !signedHeaders || !signature || !longDate) {
    return fault("incomplete", `no ${lacks.join(", ")}`, "Credential, SignedHeaders, Signature and X-Amz-Date");
  }
  // An access key id may hold slashes, the scope has exactly four parts.
  const scope = credential.split("/");
  const [shortDate = "", region = "", service = "", terminator] = scope.splice(-4);
  if (scope.length === 0 || terminator !== "aws4_request" || !/^\d{8}$/.test(shortDate)) {
    return fault("incomplete", `the credential ${credential}`, "<access key id>/<yyyymmdd>/<region>/<service>/aws4_request");
  }
  return {
    place,
    accessKeyId: scope.join("/"),
    shortDate,
    region,
    service,
    signedHeaders: signedHeaders.toLowerCase().split(";"),
    signature: signature.toLowerCase(),
    longDate,
    payloadHash,
  };
}

/** The hash that was declared must be the body's: a signature over a hash alone says nothing of the body. */
function readPayloadHash({ body }: SignedRequest, declared: string | undefined): string | ClaimFault {
  const actual = createHash("sha256")
    .update(body ?? new Uint8Array())
    .digest("hex");
  if (declared === undefined) return actual;
  if (declared === unsignedPayload) return declared;
  if (declared.startsWith("STREAMING-")) return fault("algorithm", declared, "the body in one piece");
  return declared.toLowerCase() === actual ? declared : fault("payload", `X-Amz-Content-Sha256 ${declared}`, actual);
}

function longDateOf(date: string | undefined): string | undefined {
  const time = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(time) ? undefined : formatLongDate(time);
}

/** `20260102T030405Z`. */
function formatLongDate(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, "");
}

/** Milliseconds since the epoch of `20260102T030405Z`. */
export function timeOfLongDate(longDate: string): number {
  return Date.parse(longDate.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
}
