import { createHash } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type SigV4Ports, verifySigV4 } from "./sigv4.ts";
import type { SignedRequest } from "./sigv4-request.ts";

// The key of AWS's published signature test suite.
const accessKeyId = "AKIDEXAMPLE";
const secretAccessKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const signedAt = Date.UTC(2015, 7, 30, 12, 36);

const ports = (others: Partial<SigV4Ports> = {}): SigV4Ports => ({
  secretOf: (id) => (id === accessKeyId ? secretAccessKey : undefined),
  now: signedAt,
  clockSkewSecondsMax: 300,
  region: "us-east-1",
  services: ["iot", "iotdata", "iotdevicegateway", "service", "iam"],
  ...others,
});

const header = (service: string, signedHeaders: string, signature: string) =>
  `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20150830/us-east-1/${service}/aws4_request, SignedHeaders=${signedHeaders}, Signature=${signature}`;

/** `get-vanilla` of the published test suite. */
const vanilla: SignedRequest = {
  method: "GET",
  path: "/",
  rawQuery: "",
  headers: {
    host: "example.amazonaws.com",
    "x-amz-date": "20150830T123600Z",
    authorization: header("service", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
  },
};

/** The worked example of AWS's signing guide. */
const listUsers: SignedRequest = {
  method: "GET",
  path: "/",
  rawQuery: "Action=ListUsers&Version=2010-05-08",
  headers: {
    host: "iam.amazonaws.com",
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    "x-amz-date": "20150830T123600Z",
    authorization: header("iam", "content-type;host;x-amz-date", "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
  },
};

class NodeSha256 {
  readonly #chunks: Uint8Array[] = [];
  readonly #key: Uint8Array | undefined;
  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#key = typeof key === "string" ? Buffer.from(key) : key === undefined ? undefined : new Uint8Array(key as ArrayBuffer);
  }
  update(chunk: Uint8Array) {
    this.#chunks.push(chunk);
  }
  async digest() {
    const { createHmac } = await import("node:crypto");
    const hash = this.#key === undefined ? createHash("sha256") : createHmac("sha256", this.#key);
    for (const chunk of this.#chunks) hash.update(chunk);
    return new Uint8Array(hash.digest());
  }
  reset() {}
}

const signer = (service: string, token?: string, uriEscapePath = true) =>
  new SignatureV4({
    service,
    region: "us-east-1",
    credentials: { accessKeyId, secretAccessKey, ...(token === undefined ? {} : { sessionToken: token }) },
    sha256: NodeSha256,
    uriEscapePath,
  });

const formatQuery = (query: Record<string, string | string[] | null>) =>
  Object.entries(query)
    .flatMap(([name, value]) => [value ?? ""].flat().map((each) => `${encodeURIComponent(name)}=${encodeURIComponent(each)}`))
    .join("&");

interface Draft {
  method?: string;
  path?: string;
  query?: Record<string, string | string[]>;
  headers?: Record<string, string>;
  body?: string;
}

async function signed(service: string, draft: Draft, options: { escapes?: boolean; time?: number } = {}): Promise<SignedRequest> {
  const { method = "GET", path = "/", query = {}, headers = {}, body } = draft;
  const request = await signer(service, undefined, options.escapes ?? true).sign(
    { method, protocol: "https:", hostname: "h", path, query, headers: { host: "h:8080", ...headers }, body },
    { signingDate: new Date(options.time ?? signedAt) },
  );
  return {
    method,
    path,
    rawQuery: formatQuery(query),
    headers: request.headers,
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
  };
}

async function presigned(draft: Draft, options: { token?: string; expiresIn?: number } = {}): Promise<SignedRequest> {
  const { method = "GET", path = "/mqtt", query = {} } = draft;
  const request = await signer("iotdevicegateway", options.token).presign(
    { method, protocol: "wss:", hostname: "h", path, query, headers: { host: "h" } },
    { signingDate: new Date(signedAt), ...(options.expiresIn === undefined ? {} : { expiresIn: options.expiresIn }) },
  );
  return { method, path, rawQuery: formatQuery(request.query ?? {}), headers: { host: "h" } };
}

test.each([
  ["get-vanilla", vanilla, "service"],
  ["the signing guide's example", listUsers, "iam"],
])("verifies AWS's own vector: %s", async (_, request, service) => {
  expect(await verifySigV4(request, ports())).toEqual({ kind: "verified", accessKeyId, service, signedAt });
});

test.each<[string, Draft]>([
  ["a body", { method: "POST", path: "/things/a", body: '{"a":1}' }],
  ["a query", { path: "/endpoint", query: { endpointType: "iot:Data-ATS" } }],
  ["a name twice in the query", { path: "/things", query: { a: ["2", "1"], b: "" } }],
  ["a space, a plus and a slash in the query", { path: "/tags", query: { resourceArn: "arn:aws:iot:us-east-1:0:thing/a b+c" } }],
  ["encoded slashes and a dollar sign in the path", { method: "POST", path: "/topics/%24aws%2Fthings%2Fa%2Fshadow%2Fupdate", body: "{}" }],
  ["slashes in the path as they are", { method: "POST", path: "/topics/$aws/rules/r/a", body: "{}" }],
  ["a colon and a percent sign in the path", { path: "/things/a%3Ab%2525" }],
  ["headers of its own", { path: "/principals/things", headers: { "x-amzn-principal": "arn:aws:iot:us-east-1:0:cert/a" } }],
  ["an unsigned payload", { method: "POST", path: "/topics/a", headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } }],
])("verifies a header signature with %s", async (_, draft) => {
  expect(await verifySigV4(await signed("iot", draft), ports())).toMatchObject({ kind: "verified", service: "iot" });
});

test("verifies signers that encode the path once", async () => {
  const request = await signed("iotdata", { path: "/topics/a%2Fb" }, { escapes: false });
  expect(await verifySigV4(request, ports())).toMatchObject({ kind: "verified" });
});

test("17: a changed method, path, query, header or body is a mismatch that shows what should have been signed, and never the key", async () => {
  const request = await signed("iot", {
    method: "POST",
    path: "/things/a",
    query: { a: "1" },
    headers: { "x-amzn-principal": "p" },
    body: "{}",
  });
  const { "x-amz-content-sha256": _, ...withoutHash } = request.headers;
  const changed: SignedRequest[] = [
    { ...request, method: "PUT" },
    { ...request, path: "/things/b" },
    { ...request, rawQuery: "a=2" },
    { ...request, rawQuery: "a=1&a=1" },
    { ...request, headers: { ...request.headers, "x-amzn-principal": "q" } },
    { ...request, headers: withoutHash },
  ];
  for (const each of changed) {
    const verdict = await verifySigV4(each, ports());
    expect(verdict).toMatchObject({ kind: "refused", reason: "mismatch" });
    if (verdict.kind !== "refused") continue;
    expect(verdict.canonicalRequest).toContain("host:h:8080");
    expect(verdict.stringToSign).toContain("20150830/us-east-1/iot/aws4_request");
    expect(JSON.stringify(verdict)).not.toContain(secretAccessKey);
  }
  expect(await verifySigV4({ ...request, body: Buffer.from("[]") }, ports())).toMatchObject({ reason: "payload" });
  const { body: __, ...withoutBody } = request;
  expect(await verifySigV4(withoutBody, ports())).toMatchObject({ reason: "payload" });
  const wrongSecret = ports({ secretOf: () => "other" });
  expect(await verifySigV4(request, wrongSecret)).toMatchObject({ reason: "mismatch" });
  expect(await verifySigV4(request, ports({ secretOf: () => undefined }))).toMatchObject({ reason: "unknown_key", received: accessKeyId });
});

test("a time of signing further away than the limit is refused, in both directions", async () => {
  const request = await signed("iot", {});
  const verdictAt = (seconds: number) => verifySigV4(request, ports({ now: signedAt + seconds * 1000 }));
  expect(await verdictAt(300)).toMatchObject({ kind: "verified" });
  expect(await verdictAt(301)).toMatchObject({ reason: "expired", received: "20150830T123600Z" });
  expect(await verdictAt(-300)).toMatchObject({ kind: "verified" });
  expect(await verdictAt(-301)).toMatchObject({ reason: "early" });
});

test("region, service and date of the scope have to be right", async () => {
  const request = await signed("iot", {});
  expect(await verifySigV4(request, ports({ region: "eu-west-1" }))).toMatchObject({ reason: "region", expected: "eu-west-1" });
  expect(await verifySigV4(request, ports({ services: ["iotdata"] }))).toMatchObject({ reason: "service", received: "iot" });
  const authorization = String(request.headers.authorization).replace("/20150830/", "/20150831/");
  expect(await verifySigV4({ ...request, headers: { ...request.headers, authorization } }, ports())).toMatchObject({
    reason: "scope_date",
  });
});

test("2.2: a signed query is good as long as it says, or for the clock's limit", async () => {
  const anHour = await presigned({});
  expect(await verifySigV4(anHour, ports({ now: signedAt + 3600_000 }))).toMatchObject({ kind: "verified", service: "iotdevicegateway" });
  expect(await verifySigV4(anHour, ports({ now: signedAt + 3601_000 }))).toMatchObject({ reason: "expired" });
  const aMinute = await presigned({}, { expiresIn: 60 });
  expect(await verifySigV4(aMinute, ports({ now: signedAt + 61_000 }))).toMatchObject({ reason: "expired" });
});

test("2.2: a security token that was signed, and one that was appended afterwards", async () => {
  const request = await presigned({}, { token: "to/ken+" });
  expect(request.rawQuery).toContain("X-Amz-Security-Token");
  expect(await verifySigV4(request, ports())).toMatchObject({ kind: "verified" });
  const bare = await presigned({});
  const appended = { ...bare, rawQuery: `${bare.rawQuery}&X-Amz-Security-Token=to%2Fken%2B` };
  expect(await verifySigV4(appended, ports())).toMatchObject({ kind: "verified" });
  expect(await verifySigV4({ ...bare, rawQuery: `${bare.rawQuery}&x=1` }, ports())).toMatchObject({ reason: "mismatch" });
});

test.each<[string, Partial<SignedRequest>, string]>([
  ["no signature at all", { headers: { host: "h" } }, "missing"],
  ["another algorithm", { headers: { ...vanilla.headers, authorization: "AWS4-ECDSA-P256-SHA256 Credential=a" } }, "algorithm"],
  [
    "no signature member",
    { headers: { ...vanilla.headers, authorization: "AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request" } },
    "incomplete",
  ],
  [
    "a scope of three parts",
    { headers: { ...vanilla.headers, authorization: header("x/y", "host", "00").replace("/aws4_request", "") } },
    "incomplete",
  ],
  ["no time", { headers: { host: "h", authorization: header("service", "host", "00") } }, "incomplete"],
  ["a time in words", { headers: { ...vanilla.headers, "x-amz-date": "yesterday" } }, "incomplete"],
  ["a host that is not signed", { headers: { ...vanilla.headers, authorization: header("service", "x-amz-date", "00") } }, "incomplete"],
  ["a query that cannot be decoded", { rawQuery: "a=%zz" }, "encoding"],
  [
    "a stream of signed chunks",
    { headers: { ...vanilla.headers, "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" } },
    "algorithm",
  ],
  ["a name that comes without end", { rawQuery: "a&".repeat(100_000) }, "incomplete"],
  [
    "headers without end",
    { headers: { ...vanilla.headers, authorization: header("service", `host${";a".repeat(1000)}`, "00") } },
    "incomplete",
  ],
  ["a life of more than a week", { headers: {}, rawQuery: "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=999999" }, "incomplete"],
])("refuses %s", async (_, change, reason) => {
  expect(await verifySigV4({ ...vanilla, ...change }, ports())).toMatchObject({ kind: "refused", reason });
});

test("a month or day that does not exist is not a time", async () => {
  const headers = {
    ...vanilla.headers,
    "x-amz-date": "20151399T123600Z",
    authorization: header("service", "host", "00").replace("20150830", "20151399"),
  };
  expect((await verifySigV4({ ...vanilla, headers }, ports())).kind).toBe("refused");
});

test("whatever stands in the credentials, the answer is a verdict", async () => {
  const fragment = fc.oneof(
    fc.string({ unit: "binary", maxLength: 20 }),
    fc.constantFrom(
      ...[
        "AWS4-HMAC-SHA256 ",
        "Credential=",
        accessKeyId,
        "/20150830/us-east-1/iot/aws4_request",
        ", SignedHeaders=",
        "host",
        ";__proto__",
      ],
      ...[
        ", Signature=",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "&X-Amz-Credential=",
        "&X-Amz-Date=20150830T123600Z",
        "&X-Amz-Expires=",
        "%",
        "=",
        "&",
      ],
      ...["&X-Amz-SignedHeaders=host", "&X-Amz-Signature=00", "%2F20150830%2Fus-east-1%2Fiot%2Faws4_request"],
    ),
  );
  const text = fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(text, text, text, async (authorization, rawQuery, path) => {
      const headers = { ...vanilla.headers, authorization: `AWS4-HMAC-SHA256 ${authorization}`, __proto__: "x" };
      expect((await verifySigV4({ method: "GET", path, rawQuery, headers }, ports())).kind).toBe("refused");
      expect((await verifySigV4({ method: "GET", path, rawQuery, headers: { host: "h" } }, ports())).kind).toBe("refused");
    }),
    { numRuns: 300 },
  );
});

test.each(["constructor", "__proto__"])("a signed header called %s is one like any other that did not come", async (name) => {
  const authorization = header("service", `${name};host;x-amz-date`, "0".repeat(64));
  const verdict = await verifySigV4({ ...vanilla, headers: { ...vanilla.headers, authorization } }, ports());
  expect(verdict).toMatchObject({ kind: "refused", reason: "mismatch" });
});
