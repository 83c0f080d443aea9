/** Who signed a call, and for which plane; or why nobody did (aws-iot.md, 17). */
import { type AwsAccount, type SigV4Verdict, verifySigV4 } from "@thingstead/dialects";
import type { Clock } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import type { AccessKeys } from "../access-keys.ts";
import type { FailedAuthCounter } from "../failed-auth.ts";
import type { RawApiRequest } from "../raw-request.ts";
import type { AwsApiLimits } from "./limits.ts";
import type { AwsService } from "./operation.ts";

export interface AwsAuthenticatePorts {
  account: AwsAccount;
  accessKeys: Pick<AccessKeys, "findSecret">;
  failedAuth: FailedAuthCounter;
  clock: Pick<Clock, "now">;
  limits: AwsApiLimits;
}

/** Planes that a signing name opens, in the order in which their paths are tried. */
const planesOf: Readonly<Record<string, readonly AwsService[]>> = {
  iot: ["iot"],
  // How the vendor's older clients sign for the control plane (botocore before 1.31, the JavaScript SDK 2).
  "execute-api": ["iot"],
  iotdata: ["iotdata"],
  "iot-jobs-data": ["iot-jobs-data"],
  iotdevicegateway: ["iotdata", "iot-jobs-data"],
};

export interface SignedCaller {
  accessKeyId: string;
  planes: readonly AwsService[];
}

/** The plane that a request says it is for, before anything is verified: an error is shaped for it. */
export function claimedPlane({ headers, rawQuery }: RawApiRequest): AwsService | undefined {
  const credentials = headers.authorization?.startsWith("AWS4-") ? headers.authorization : rawQuery.replace(/%2F/gi, "/");
  const scope = /\/([a-z-]+)\/aws4_request/.exec(credentials);
  return planesOf[scope?.[1] ?? ""]?.[0];
}

/** Throws `aws.signature_*`, `aws.unknown_access_key`, …; and `api.too_many_failed_logins` for an address that goes on guessing. */
export async function authenticateSigned(request: RawApiRequest, ports: AwsAuthenticatePorts): Promise<SignedCaller> {
  const { remoteAddress, ...signed } = request;
  ports.failedAuth.admit(remoteAddress);
  const verdict = await verifySigV4(signed, {
    secretOf: (accessKeyId) => ports.accessKeys.findSecret(accessKeyId),
    now: ports.clock.now(),
    clockSkewSecondsMax: ports.limits.clockSkewSecondsMax,
    ...(ports.account.acceptsForeignArns === true ? {} : { region: ports.account.region }),
    services: Object.keys(planesOf),
  });
  if (verdict.kind === "verified") return { accessKeyId: verdict.accessKeyId, planes: planesOf[verdict.service] ?? [] };
  if (verdict.reason === "unknown_key" || verdict.reason === "mismatch") ports.failedAuth.failed(remoteAddress);
  throw refusalOf(verdict, ports.limits);
}

type Refused = Extract<SigV4Verdict, { kind: "refused" }>;

const codes: Readonly<Record<Refused["reason"], string>> = {
  missing: "aws.signature_missing",
  incomplete: "aws.signature_incomplete",
  algorithm: "aws.signature_unsupported",
  encoding: "aws.url_malformed",
  payload: "aws.payload_hash_mismatch",
  region: "aws.wrong_region",
  service: "aws.wrong_service",
  scope_date: "aws.wrong_date",
  unknown_key: "aws.unknown_access_key",
  mismatch: "aws.signature_mismatch",
  expired: "aws.signature_expired",
  early: "aws.signature_early",
};

function refusalOf({ reason, received, expected, canonicalRequest, stringToSign }: Refused, limits: AwsApiLimits): PlatformError {
  const cut = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max)}… (${text.length} characters)` : text);
  return new PlatformError(codes[reason], {
    received: cut(received, limits.receivedCharactersMax),
    expected,
    ...(canonicalRequest === undefined ? {} : { canonicalRequest: cut(canonicalRequest, limits.canonicalCharactersMax) }),
    ...(stringToSign === undefined ? {} : { stringToSign: cut(stringToSign, limits.canonicalCharactersMax) }),
  });
}
