/** Verifies AWS Signature Version 4 by signing again: of API requests, and of a WebSocket's upgrade (aws-iot.md, 2.2 and 17). */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import {
  decodeQuery,
  defaultSigV4Limits,
  headerOf,
  isClaimFault,
  type QueryPair,
  readClaim,
  type SignatureClaim,
  type SignedRequest,
  type SigV4Limits,
  sigV4Algorithm,
  timeOfLongDate,
} from "./sigv4-request.ts";

export interface SigV4Ports {
  /** Undefined: no such key. */
  secretOf(accessKeyId: string): string | undefined;
  /** Milliseconds since the epoch. */
  now: number;
  /** How far the time of signing may be from ours; also how long a signed query without `X-Amz-Expires` is good. */
  clockSkewSecondsMax: number;
  /** Absent: whatever region was signed for. */
  region?: string;
  /** Signing names that are taken here. */
  services: readonly string[];
  limits?: SigV4Limits;
}

export type SigV4RefusalReason =
  | "missing"
  | "incomplete"
  | "algorithm"
  | "encoding"
  | "payload"
  | "region"
  | "service"
  | "scope_date"
  | "unknown_key"
  | "mismatch"
  | "expired"
  | "early";

export type SigV4Verdict =
  | {
      kind: "verified";
      accessKeyId: string;
      service: string;
      /** Milliseconds since the epoch. */
      signedAt: number;
    }
  | {
      kind: "refused";
      reason: SigV4RefusalReason;
      /** As claimed. */
      accessKeyId?: string;
      service?: string;
      received: string;
      expected: string;
      /** Of a mismatch: what should have been signed. Holds no key. */
      canonicalRequest?: string;
      stringToSign?: string;
    };

/**
 * Whether a request was signed with the secret of the access key that it names. A security token in the query may be part of what was
 * signed or appended afterwards, as WebSocket clients do; it is not looked at.
 *
 * @example
 * const verdict = await verifySigV4({ method: "GET", path: "/mqtt", rawQuery, headers }, {
 *   secretOf, now: clock.now(), clockSkewSecondsMax: 300, region: "us-east-1", services: ["iotdevicegateway"],
 * });
 */
export async function verifySigV4(request: SignedRequest, ports: SigV4Ports): Promise<SigV4Verdict> {
  const query = decodeQuery(request.rawQuery);
  if (query === undefined) return { kind: "refused", reason: "encoding", received: "the query", expected: "percent-encoded UTF-8" };
  const claim = readClaim(request, query, ports.limits ?? defaultSigV4Limits);
  if (isClaimFault(claim)) return { kind: "refused", ...claim };
  const { accessKeyId, service } = claim;
  const refuse = (
    reason: SigV4RefusalReason,
    received: string,
    expected: string,
    signed?: Signed,
  ): Extract<SigV4Verdict, { kind: "refused" }> => ({
    kind: "refused",
    reason,
    accessKeyId,
    service,
    received,
    expected,
    ...(signed === undefined ? {} : { canonicalRequest: signed.canonicalRequest, stringToSign: signed.stringToSign }),
  });
  if (ports.region !== undefined && claim.region !== ports.region) return refuse("region", claim.region, ports.region);
  if (!ports.services.includes(service)) return refuse("service", service, ports.services.join(", "));
  if (!claim.longDate.startsWith(claim.shortDate)) return refuse("scope_date", claim.shortDate, claim.longDate.slice(0, 8));
  const secret = ports.secretOf(accessKeyId);
  if (secret === undefined) return refuse("unknown_key", accessKeyId, "an access key of this server");

  const signedAt = timeOfLongDate(claim.longDate);
  let first: Signed | undefined;
  let isSame = false;
  for await (const signed of signaturesOf(request, query, claim, secret, signedAt)) {
    first ??= signed;
    isSame = isSameText(signed.signature, claim.signature);
    if (isSame) break;
  }
  if (!isSame) return refuse("mismatch", claim.signature, "the signature of the text below", first);

  const skew = ports.clockSkewSecondsMax * 1000;
  const lifetime = claim.expiresSeconds === undefined ? skew : claim.expiresSeconds * 1000;
  const expected = `within ${lifetime / 1000} s of ${new Date(ports.now).toISOString()}`;
  if (ports.now > signedAt + lifetime) return refuse("expired", claim.longDate, expected);
  if (!(signedAt <= ports.now + skew)) return refuse("early", claim.longDate, expected);
  return { kind: "verified", accessKeyId, service, signedAt };
}

interface Signed {
  canonicalRequest: string;
  stringToSign: string;
  signature: string;
}

/**
 * The signatures that clients make of this request. What the standard says comes first; then the path as it came (not encoded a second
 * time, as some small signers have it), and each without a security token that was appended later.
 */
async function* signaturesOf(
  request: SignedRequest,
  query: readonly QueryPair[],
  claim: SignatureClaim,
  secret: string,
  signedAt: number,
): AsyncGenerator<Signed> {
  const createSigner = await loadSigner();
  const withoutToken = query.filter(([name]) => name !== tokenParameter);
  const queries = withoutToken.length === query.length ? [query] : [query, withoutToken];
  const isPlain = /^(?:\/[\w.~-]+)*$/.test(request.path);
  for (const pairs of queries) {
    for (const escapesPath of isPlain ? [true] : [true, false]) {
      const signer = createSigner({ claim, secret, escapesPath });
      yield signer.signAgain(request, pairs, signedAt);
    }
  }
}

const tokenParameter = "X-Amz-Security-Token";

type CreateSigner = (options: { claim: SignatureClaim; secret: string; escapesPath: boolean }) => {
  signAgain(request: SignedRequest, query: readonly QueryPair[], signedAt: number): Promise<Signed>;
};

let loading: Promise<CreateSigner> | undefined;

/** Loaded when somebody signs: it costs 35 ms and 12 MB. */
function loadSigner(): Promise<CreateSigner> {
  loading ??= importSigner();
  return loading;
}

async function importSigner(): Promise<CreateSigner> {
  const { SignatureV4, getCanonicalHeaders } = await import("@smithy/signature-v4");

  /** The library signs what it is about to send; here it is asked for its steps, with headers and time of the claim. */
  class RepeatedSigner extends SignatureV4 {
    readonly #claim: SignatureClaim;

    constructor(claim: SignatureClaim, secretAccessKey: string, escapesPath: boolean) {
      const { accessKeyId, region, service } = claim;
      super({ credentials: { accessKeyId, secretAccessKey }, region, service, sha256: Sha256, uriEscapePath: escapesPath });
      this.#claim = claim;
    }

    async signAgain({ method, path, headers }: SignedRequest, query: readonly QueryPair[], signedAt: number): Promise<Signed> {
      const { shortDate, longDate, region, service, signedHeaders, payloadHash } = this.#claim;
      const picked = Object.fromEntries(signedHeaders.map((name) => [name, headerOf(headers, name) ?? ""]));
      const canonicalHeaders = getCanonicalHeaders(
        { method, protocol: "https:", hostname: "", path, headers: picked },
        undefined,
        new Set(signedHeaders),
      );
      const canonicalRequest = this.createCanonicalRequest(
        { method, protocol: "https:", hostname: "", path: path === "" ? "/" : path, headers: picked, query: toBag(query) },
        canonicalHeaders,
        payloadHash,
      );
      const scope = `${shortDate}/${region}/${service}/aws4_request`;
      const stringToSign = await this.createStringToSign(longDate, scope, canonicalRequest, sigV4Algorithm);
      const signature = await this.sign(stringToSign, { signingDate: new Date(signedAt) });
      return { canonicalRequest, stringToSign, signature };
    }
  }

  return ({ claim, secret, escapesPath }) => new RepeatedSigner(claim, secret, escapesPath);
}

/** A name that stands twice keeps both values. */
function toBag(query: readonly QueryPair[]): Record<string, string[]> {
  const bag = new Map<string, string[]>();
  for (const [name, value] of query) {
    const values = bag.get(name);
    if (values === undefined) bag.set(name, [value]);
    else values.push(value);
  }
  return Object.fromEntries(bag);
}

/** What the library asks of a hash: SHA-256, or HMAC when there is a key. */
class Sha256 {
  readonly #hash: { update(data: Uint8Array): unknown; digest(): Uint8Array };

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash("sha256") : createHmac("sha256", typeof key === "string" ? key : toBytes(key));
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}

function toBytes(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}

/** Compares digests, so that neither content nor length can be learned from the time it takes. */
function isSameText(received: string, expected: string): boolean {
  return timingSafeEqual(createHash("sha256").update(received).digest(), createHash("sha256").update(expected).digest());
}
