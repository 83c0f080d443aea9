import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { RawApiRequest, RawApiResponse } from "../raw-request.ts";
import { type AlibabaApiPorts, type AlibabaCall, createAlibabaApi } from "./alibaba-api.ts";
import { accessKeySecret, openRooms, type Rooms, startTime } from "./testing/rooms.ts";
import { type Acs3Options, type Fields, formatTimestamp, signedAcs3, signedV1 } from "./testing/signed-request.ts";
import { vendorOperations } from "./vendor-operations.ts";

let now = startTime;
let rooms: Rooms;
let ports: AlibabaApiPorts;
let calls: AlibabaCall[];
let handle: (request: RawApiRequest) => Promise<RawApiResponse>;

beforeAll(async () => {
  rooms = await openRooms({ now: () => now, after: () => () => {}, soon: setImmediate });
});
afterAll(() => rooms.close());

beforeEach(() => {
  now = startTime;
  calls = [];
  ports = { ...rooms.ports, onCall: (call) => calls.push(call) };
  handle = createAlibabaApi(ports);
});

async function failureOf(request: RawApiRequest): Promise<{ status: number; code: unknown; message: string }> {
  const { status, body } = await handle(request);
  const json: unknown = JSON.parse(body);
  expect(json).toMatchObject({
    RequestId: expect.stringMatching(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/),
    HostId: expect.any(String),
  });
  const { Code, Message } = json as { Code: unknown; Message: string };
  return { status, code: Code, message: Message };
}

const listCall = { Action: "ListRule", CurrentPage: "1", PageSize: "10" };

test("a call signed in the query or in the form is served", async () => {
  for (const isPost of [false, true]) {
    const { status, headers, body } = await handle(signedV1(listCall, { isPost }));
    expect([status, headers["content-type"]]).toEqual([200, "application/json;charset=utf-8"]);
    expect(JSON.parse(body)).toMatchObject({ Success: true, Data: { RuleInfo: [] }, Total: 0 });
    expect(JSON.parse(body)).not.toHaveProperty("Code");
  }
});

test.each<[string, Fields, number, string]>([
  ["Action", { Action: undefined }, 400, "MissingAction"],
  ["Version", { Version: undefined }, 400, "MissingVersion"],
  ["AccessKeyId", { AccessKeyId: undefined }, 400, "MissingAccessKeyId"],
  ["Timestamp", { Timestamp: undefined }, 400, "MissingTimestamp"],
  ["SignatureNonce", { SignatureNonce: "" }, 400, "MissingSignatureNonce"],
  ["SignatureMethod", { SignatureMethod: "HMAC-SHA256" }, 400, "UnsupportedSignatureMethod"],
  ["SignatureVersion", { SignatureVersion: "2.0" }, 400, "InvalidParameter"],
  ["Version", { Version: "2017-04-20" }, 400, "InvalidVersion"],
  ["AccessKeyId", { AccessKeyId: "stranger" }, 404, "InvalidAccessKeyId.NotFound"],
  ["SecurityToken", { SecurityToken: "t" }, 400, "InvalidSecurityToken.Malformed"],
  ["BearerToken", { BearerToken: "t" }, 400, "InvalidSecurityToken.Malformed"],
  ["SignatureType", { SignatureType: "BEARERTOKEN" }, 400, "InvalidSecurityToken.Malformed"],
  ["Timestamp", { Timestamp: "2024-01-02 03:04:05" }, 400, "InvalidTimeStamp.Format"],
  ["Timestamp", { Timestamp: "2024-13-02T03:04:05Z" }, 400, "InvalidTimeStamp.Format"],
  ["Timestamp", { Timestamp: formatTimestamp(startTime - 15 * 60_000 - 1000) }, 400, "InvalidTimeStamp.Expired"],
  ["Timestamp", { Timestamp: formatTimestamp(startTime + 15 * 60_000 + 1000) }, 400, "InvalidTimeStamp.Expired"],
  ["Action", { Action: "MakeCoffee" }, 404, "InvalidAction.NotFound"],
  ["Action", { Action: "constructor" }, 404, "InvalidAction.NotFound"],
  ["Action", { Action: "QueryDeviceBySQL" }, 400, "UnsupportedOperation"],
  ["IotInstanceId", { IotInstanceId: "iot-other" }, 400, "InvalidParameter"],
  ["PageSize", { PageSize: undefined }, 400, "MissingPageSize"],
  ["PageSize", { PageSize: "" }, 400, "MissingPageSize"],
  ["PageSize", { PageSize: "ten" }, 400, "InvalidParameter"],
  ["PageSize", { PageSize: "1e2" }, 400, "InvalidParameter"],
])("reference 1.5: a bad %s %j is answered with %i %s", async (_name, change, status, code) => {
  expect(await failureOf(signedV1({ ...listCall, ...change }))).toMatchObject({ status, code });
});

test.each([formatTimestamp(startTime - 15 * 60_000), formatTimestamp(startTime + 15 * 60_000)])(
  "a clock of %s is near enough",
  async (Timestamp) => {
    expect((await handle(signedV1({ ...listCall, Timestamp }))).status).toBe(200);
  },
);

test("a wrong secret is told the string that was signed here, and no secret", async () => {
  const failure = await failureOf(signedV1({ ...listCall, IotInstanceId: "*'中" }, { secret: "other" }));
  expect(failure).toMatchObject({ status: 400, code: "SignatureDoesNotMatch" });
  expect(failure.message).toContain("GET&%2F&AccessKeyId%3Dtestid%26Action%3DListRule%26");
  expect(failure.message).toContain("%26IotInstanceId%3D%252A%2527%25E4%25B8%25AD%26");
  expect(failure.message).not.toContain(accessKeySecret);
});

test("any change of a signed call is noticed", async () => {
  const request = signedV1(listCall);
  expect(await failureOf({ ...request, rawQuery: request.rawQuery.replace("PageSize=10", "PageSize=11") })).toMatchObject({
    code: "SignatureDoesNotMatch",
  });
  expect(await failureOf({ ...request, rawQuery: `${request.rawQuery}&Extra=1` })).toMatchObject({ code: "SignatureDoesNotMatch" });
  expect(await failureOf({ ...request, method: "POST" })).toMatchObject({ code: "SignatureDoesNotMatch" });
});

test("a call is served once: its nonce is spent, but not by somebody without the secret", async () => {
  const request = signedV1({ ...listCall, SignatureNonce: "n" });
  expect(await failureOf(signedV1({ ...listCall, SignatureNonce: "n" }, { secret: "other" }))).toMatchObject({
    code: "SignatureDoesNotMatch",
  });
  expect((await handle(request)).status).toBe(200);
  expect(await failureOf(request)).toMatchObject({ status: 400, code: "SignatureNonceUsed" });
  now += 14 * 60_000;
  expect(await failureOf(request)).toMatchObject({ code: "SignatureNonceUsed" });
});

test("too many calls within the time of a nonce are throttled", async () => {
  handle = createAlibabaApi({ ...ports, limits: { ...ports.limits, noncesMax: 1 } });
  expect((await handle(signedV1(listCall))).status).toBe(200);
  expect(await failureOf(signedV1(listCall))).toMatchObject({ status: 429, code: "Throttling" });
});

test.each<[string, Acs3Options, string]>([
  ["x-acs-date is not signed", { unsigned: ["x-acs-date"] }, "IncompleteSignature"],
  ["host is not signed", { unsigned: ["host"] }, "IncompleteSignature"],
  ["the nonce is missing", { headers: { "x-acs-signature-nonce": undefined } }, "IncompleteSignature"],
  ["the hash is of another body", { headers: { "x-acs-content-sha256": "0".repeat(64) } }, "SignatureDoesNotMatch"],
  ["the algorithm is another", { algorithm: "ACS3-RSA-SHA256" }, "UnsupportedSignatureMethod"],
  ["a security token comes along", { headers: { "x-acs-security-token": "t" } }, "InvalidSecurityToken.Malformed"],
  ["a bearer token comes along", { headers: { "x-acs-bearer-token": "t" } }, "InvalidSecurityToken.Malformed"],
  ["the date is old", { headers: { "x-acs-date": "2023-01-02T03:04:05Z" } }, "InvalidTimeStamp.Expired"],
  ["the version is another", { headers: { "x-acs-version": "2019-01-01" } }, "InvalidVersion"],
  ["the body is JSON", { form: { A: "1" }, headers: { "content-type": "application/json" } }, "UnsupportedContentType"],
])("reference 1.4: refused when %s", async (_name, options, code) => {
  expect(await failureOf(signedAcs3("ListRule", { CurrentPage: "1", PageSize: "10" }, options))).toMatchObject({ status: 400, code });
});

test("reference 1.4: query, form body and signature are all covered, and the answer is JSON", async () => {
  const request = signedAcs3("ListRule", { CurrentPage: "1" }, { form: { PageSize: "10" } });
  expect(await failureOf({ ...request, rawQuery: "CurrentPage=2" })).toMatchObject({ code: "SignatureDoesNotMatch" });
  expect(await failureOf({ ...request, body: Buffer.from("PageSize=11") })).toMatchObject({ code: "SignatureDoesNotMatch" });
  const headers = { ...request.headers, authorization: "ACS3-HMAC-SHA256 Credential=testid,Signature=00" };
  expect(await failureOf({ ...request, headers })).toMatchObject({ code: "IncompleteSignature" });
  const answer = await handle(request);
  expect(JSON.parse(answer.body)).toMatchObject({ Success: true, PageSize: 10 });
  expect(await failureOf(request)).toMatchObject({ code: "SignatureNonceUsed" });
});

test("a call by header without a signature is told which one it needs", async () => {
  const request = signedAcs3("ListRule", {});
  const { body } = await handle({ ...request, headers: { ...request.headers, authorization: undefined } });
  expect(body).toContain("<Code>IncompleteSignature</Code>");
  expect(body).toContain("ACS3-HMAC-SHA256");
});

test("a refusal shows no more than the beginning of a huge value", async () => {
  const failure = await failureOf(signedV1({ ...listCall, PageSize: "x".repeat(100_000) }));
  expect(failure.code).toBe("InvalidParameter");
  expect(failure.message.length).toBeLessThan(500);
});

test("other methods and paths are refused", async () => {
  expect(await failureOf({ ...signedAcs3("ListRule", {}), method: "PUT" })).toMatchObject({ status: 400, code: "UnsupportedHTTPMethod" });
  expect(await failureOf({ ...signedAcs3("ListRule", {}), path: "/x" })).toMatchObject({ status: 404, code: "InvalidAction.NotFound" });
});

test("reference 1.3: without Format the answer is XML, failures too", async () => {
  const { headers, body } = await handle(signedV1({ ...listCall, Format: undefined }));
  expect(headers["content-type"]).toBe("text/xml;charset=utf-8");
  expect(body).toMatch(/^<\?xml .*\?>\n<ListRuleResponse><RequestId>[0-9A-F-]{36}<\/RequestId><Success>true<\/Success>/);
  const business = await handle(signedV1({ Action: "GetRule", RuleId: "7", Format: "xml" }));
  expect(business.status).toBe(200);
  expect(business.body).toMatch(/<GetRuleResponse>.*<Success>false<\/Success><Code>iot.rule.NotFoundRule<\/Code><ErrorMessage>/);
  const gateway = await handle(signedV1({ Action: "<b>", Format: undefined }));
  expect(gateway.status).toBe(404);
  expect(gateway.body).toMatch(
    /<Error><RequestId>.*<\/RequestId><HostId>127.0.0.1<\/HostId><Code>InvalidAction.NotFound<\/Code>.*&lt;b&gt;/,
  );
});

const asksForNothing = new Set(["GenerateOTAUploadURL", "QueryDeviceGroupList", "QueryDeviceStatistics"]);

test("every name of the vendor is told apart: served, lacking, or nobody's", async () => {
  expect(vendorOperations.size).toBeGreaterThanOrEqual(388);
  for (const Action of vendorOperations) {
    const { status, body } = await handle(signedV1({ Action }));
    const { Code } = JSON.parse(body) as { Code?: string };
    // Without parameters no operation may succeed but those that ask for none.
    if (asksForNothing.has(Action)) continue;
    expect([status, Code]).toEqual([expect.any(Number), expect.stringMatching(/^(UnsupportedOperation|Missing[\w.]+|iot\.\w+\.\w+)$/)]);
  }
});

test("an unexpected fault is a 500 that hides its text, and is handed to the log", async () => {
  const list = () => Promise.reject(new Error("disk at /secret/place is full"));
  handle = createAlibabaApi({ ...ports, rules: { ...ports.rules, list } });
  const failure = await failureOf(signedV1(listCall));
  expect(failure).toMatchObject({ status: 500, code: "InternalError" });
  expect(failure.message).not.toContain("secret");
  expect(calls.at(-1)).toMatchObject({ action: "ListRule", status: 500, errorCode: "alibaba.internal", bug: expect.any(Error) });
});

test("the log entry of a call names the call and holds no secret", async () => {
  await handle(signedV1({ ...listCall, IotInstanceId: "iot-06z00test" }));
  expect(calls).toEqual([
    {
      requestId: expect.any(String),
      action: "ListRule",
      accessKeyId: "testid",
      remoteAddress: "127.0.0.1",
      status: 200,
      errorCode: undefined,
      durationMilliseconds: 0,
      bug: undefined,
    },
  ]);
});
