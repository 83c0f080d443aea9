/** Who calls, with what signature, and whether it is right: one step after the other, each with its own refusal. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import type { AccessKeys } from "../access-keys.ts";
import type { RawApiRequest } from "../raw-request.ts";
import type { AlibabaApiLimits } from "./limits.ts";
import type { NonceGuard } from "./nonce-guard.ts";
import { type CollectedPairs, type Pair, Parameters } from "./parameters.ts";
import {
  acs3Algorithm,
  acs3RequiredHeaders,
  canonicalRequestAcs3,
  hashPayload,
  parseAcs3Authorization,
  signAcs3,
  stringToSignAcs3,
} from "./signature-acs3.ts";
import { signV1, stringToSignV1 } from "./signature-v1.ts";

export interface AuthenticatePorts {
  accessKeys: Pick<AccessKeys, "findSecret">;
  clock: Clock;
  nonces: NonceGuard;
  limits: AlibabaApiLimits;
}

export interface AuthenticatedCall {
  accessKeyId: string;
  action: string;
  version: string;
  parameters: Parameters;
}

/** A header signature is told by its scheme alone: clients of the query signature send `x-acs-action` too. */
export function isAcs3(request: RawApiRequest): boolean {
  return /^ACS3-/i.test(request.headers.authorization ?? "");
}

/** Throws the vendor's gateway refusals (reference 1.5). */
export function authenticate(request: RawApiRequest, pairs: CollectedPairs, ports: AuthenticatePorts): AuthenticatedCall {
  return isAcs3(request) ? authenticateAcs3(request, pairs, ports) : authenticateV1(request, pairs, ports);
}

// Reference 1.3.
function authenticateV1(request: RawApiRequest, { query, form }: CollectedPairs, ports: AuthenticatePorts): AuthenticatedCall {
  const pairs: Pair[] = [...query, ...form];
  const parameters = new Parameters(pairs);
  refuseOtherCredentials(parameters, request);
  if (request.headers["x-acs-action"] !== undefined && parameters.get("Action") === undefined) {
    throw new PlatformError("alibaba.invalid_signature_form", { reason: `a call with x-acs-action needs the scheme ${acs3Algorithm}` });
  }
  const action = required(parameters, "Action");
  const version = required(parameters, "Version");
  const accessKeyId = required(parameters, "AccessKeyId");
  const method = required(parameters, "SignatureMethod");
  if (method.toUpperCase() !== "HMAC-SHA1") {
    throw new PlatformError("alibaba.signature_algorithm_not_supported", { received: method, expected: `HMAC-SHA1 or ${acs3Algorithm}` });
  }
  const signatureVersion = required(parameters, "SignatureVersion");
  if (signatureVersion !== "1.0") {
    throw new PlatformError("alibaba.invalid_parameter", { parameter: "SignatureVersion", received: signatureVersion, expected: "1.0" });
  }
  const nonce = required(parameters, "SignatureNonce");
  const timestamp = required(parameters, "Timestamp");
  const signature = required(parameters, "Signature");
  const secret = findSecret(accessKeyId, ports);
  const stringToSign = stringToSignV1(request.method, pairs);
  if (!isSameText(signature, signV1(secret, stringToSign))) refuseSignature(stringToSign, ports.limits);
  checkFreshness(accessKeyId, timestamp, nonce, ports);
  return { accessKeyId, action, version, parameters };
}

// Reference 1.4.
function authenticateAcs3(request: RawApiRequest, { query, form }: CollectedPairs, ports: AuthenticatePorts): AuthenticatedCall {
  const parameters = new Parameters([...query, ...form]);
  refuseOtherCredentials(parameters, request);
  const authorization = parseAcs3Authorization(request.headers.authorization ?? "");
  if (authorization === undefined) {
    throw new PlatformError("alibaba.invalid_signature_form", { reason: "Credential, SignedHeaders and Signature are needed" });
  }
  const { algorithm, accessKeyId, signedHeaders, signature } = authorization;
  if (algorithm !== acs3Algorithm) {
    throw new PlatformError("alibaba.signature_algorithm_not_supported", { received: algorithm, expected: acs3Algorithm });
  }
  const header = (name: (typeof acs3RequiredHeaders)[number]): string => {
    const value = request.headers[name];
    if (value === undefined || !signedHeaders.includes(name)) throw new PlatformError("alibaba.header_not_signed", { parameter: name });
    return value;
  };
  for (const name of acs3RequiredHeaders) header(name);
  const declaredHash = header("x-acs-content-sha256");
  const payloadHash = hashPayload(request.body);
  if (!isSameText(declaredHash.toLowerCase(), payloadHash)) {
    throw new PlatformError("alibaba.payload_hash_mismatch", { received: declaredHash, expected: payloadHash });
  }
  const secret = findSecret(accessKeyId, ports);
  const { method, path, headers } = request;
  const canonicalRequest = canonicalRequestAcs3({ method, path: path || "/", query, headers, signedHeaders, payloadHash });
  const stringToSign = stringToSignAcs3(canonicalRequest);
  if (!isSameText(signature.toLowerCase(), signAcs3(secret, stringToSign))) {
    refuseSignature(`${stringToSign}\n(SHA-256 of the canonical request)\n${canonicalRequest}`, ports.limits);
  }
  checkFreshness(accessKeyId, header("x-acs-date"), header("x-acs-signature-nonce"), ports);
  return { accessKeyId, action: header("x-acs-action"), version: header("x-acs-version"), parameters };
}

function refuseOtherCredentials(parameters: Parameters, request: RawApiRequest): void {
  const has = (parameter: string, header: string) => Boolean(parameters.get(parameter)) || Boolean(request.headers[header]);
  const refuse = (received: string): never => {
    throw new PlatformError("alibaba.temporary_credentials_not_supported", { received });
  };
  if (has("SecurityToken", "x-acs-security-token")) refuse("an STS security token");
  if (has("BearerToken", "x-acs-bearer-token")) refuse("a bearer token");
  if (request.headers["x-acs-zero-trust-idtoken"]) refuse("an identity token");
  if ((parameters.get("SignatureType") ?? "").toUpperCase() === "BEARERTOKEN") refuse("a bearer token");
}

function required(parameters: Parameters, name: string): string {
  const value = parameters.get(name);
  if (value === undefined || value === "") throw new PlatformError("alibaba.missing_parameter", { parameter: name });
  return value;
}

function findSecret(accessKeyId: string, { accessKeys }: AuthenticatePorts): string {
  const secret = accessKeys.findSecret(accessKeyId);
  if (secret === undefined) throw new PlatformError("alibaba.unknown_access_key", { received: accessKeyId });
  return secret;
}

function refuseSignature(stringToSign: string, { stringToSignCharactersMax }: AlibabaApiLimits): never {
  const isLong = stringToSign.length > stringToSignCharactersMax;
  throw new PlatformError("alibaba.signature_mismatch", {
    stringToSign: isLong ? `${stringToSign.slice(0, stringToSignCharactersMax)}… (${stringToSign.length} characters)` : stringToSign,
  });
}

/** Compares digests, so that neither content nor length can be learned from the time it takes. */
function isSameText(received: string, expected: string): boolean {
  return timingSafeEqual(createHash("sha256").update(received).digest(), createHash("sha256").update(expected).digest());
}

/** Runs after the signature: only the owner of a key may use up its nonces. */
function checkFreshness(accessKeyId: string, timestamp: string, nonce: string, { clock, nonces, limits }: AuthenticatePorts): void {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(timestamp) ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(time)) throw new PlatformError("alibaba.timestamp_malformed", { received: timestamp });
  const now = clock.now();
  if (Math.abs(now - time) > limits.clockSkewMilliseconds) {
    throw new PlatformError("alibaba.timestamp_expired", {
      received: timestamp,
      expected: new Date(now).toISOString(),
      minutes: Math.round(limits.clockSkewMilliseconds / 60_000),
    });
  }
  const outcome = nonces.remember(accessKeyId, nonce, time + limits.clockSkewMilliseconds, now);
  if (outcome === "used") throw new PlatformError("alibaba.nonce_used", { received: nonce });
  if (outcome === "full") throw new PlatformError("alibaba.too_many_calls", { expected: limits.noncesMax });
}
