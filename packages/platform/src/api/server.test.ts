import { expect, test } from "vitest";
import { createTestPorts, testKey } from "./in-memory-ports.ts";
import type { ApiLimits } from "./limits.ts";
import { buildApi } from "./server.ts";

const authorization = `Bearer ${testKey.id}:${testKey.secret}`;

async function open(limits: Partial<ApiLimits> = {}) {
  const test = createTestPorts(limits);
  return { ...test, ...(await buildApi(test.ports)) };
}

test("healthz answers without a key, 503 while not ok", async () => {
  const { ports } = createTestPorts();
  let status: "ok" | "draining" = "ok";
  const { app } = await buildApi({ ...ports, status: () => ({ ...ports.status(), status }) });
  const healthy = await app.inject("/healthz");
  expect(healthy.statusCode).toBe(200);
  expect(healthy.json()).toEqual({ status: "ok", version: "1.2.3", listen: ports.status().listen });
  status = "draining";
  expect((await app.inject("/healthz")).statusCode).toBe(503);
});

test("a request signed for AWS is the AWS API's wherever it goes", async () => {
  const { app, vendorCalls } = await open();
  for (const url of ["/", "/things/x/shadow", "/api/v1/products", "/?Action=Pub", "/healthz"]) {
    const answer = await app.inject({ url, headers: { authorization: "AWS4-HMAC-SHA256 Credential=x" } });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers["x-amzn-errortype"]).toBe("IncompleteSignatureException");
    expect(answer.json().message).toMatch(/not complete/);
  }
  const presigned = await app.inject("/endpoint?X-Amz-Algorithm=AWS4-HMAC-SHA256");
  expect(presigned.headers["x-thingstead-error"]).toBe("aws.signature_incomplete");
  expect((await app.inject("/.aws")).headers["x-amzn-errortype"]).toBe("MissingAuthenticationTokenException");
  expect(vendorCalls).toEqual([]);
});

test("a body that is too large for the AWS API is refused in its form", async () => {
  const { app } = await open({ bodyBytesMax: 10 });
  const headers = { authorization: "AWS4-HMAC-SHA256 Credential=a/20260102/us-east-1/iot/aws4_request" };
  const answer = await app.inject({ method: "POST", url: "/things/a", headers, payload: "x".repeat(11) });
  expect(answer.statusCode).toBe(413);
  expect(answer.headers["x-amzn-errortype"]).toBe("RequestEntityTooLargeException");
});

test("a call with x-acs-action goes to the vendor API with its bytes untouched", async () => {
  const { app, vendorCalls } = await open();
  const payload = '{"b": 1,  "a":2}';
  const answer = await app.inject({
    method: "POST",
    url: "/?B=%2f&A=x+y&B=%7e",
    headers: { "x-acs-action": "Pub", "content-type": "application/json" },
    payload,
  });
  expect(answer.json()).toEqual({ Success: true });
  const call = vendorCalls[0];
  expect(call?.rawQuery).toBe("B=%2f&A=x+y&B=%7e");
  expect(call?.body.toString()).toBe(payload);
  expect(call?.headers["x-acs-action"]).toBe("Pub");
  expect(call?.method).toBe("POST");
});

test("an Action parameter in the query or in a form body goes to the vendor API, in a JSON body not", async () => {
  const { app, vendorCalls } = await open();
  await app.inject("/?AccessKeyId=x&Action=QueryProduct");
  await app.inject({
    method: "POST",
    url: "/",
    headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    payload: "Version=1&Action=Pub",
  });
  expect(vendorCalls.map(({ method }) => method)).toEqual(["GET", "POST"]);
  const json = await app.inject({ method: "POST", url: "/", payload: { Action: "Pub" } });
  expect(json.statusCode).toBe(405);
  expect((await app.inject("/?MyAction=Pub")).headers["content-type"]).toContain("text/html");
  expect(vendorCalls).toHaveLength(2);
});

test("a vendor call without content type or without its action is still a vendor call", async () => {
  const { app, vendorCalls } = await open();
  await app.inject({ method: "POST", url: "/", payload: "Action=Pub" });
  await app.inject("/?AccessKeyId=x&Signature=y");
  await app.inject({ method: "POST", url: "/", headers: { authorization: "ACS3-HMAC-SHA256 Credential=x" } });
  expect(vendorCalls.map(({ method, rawQuery, body }) => [method, rawQuery, body.toString()])).toEqual([
    ["POST", "", "Action=Pub"],
    ["GET", "AccessKeyId=x&Signature=y", ""],
    ["POST", "", ""],
  ]);
});

test("a request that needs no body may name its type all the same", async () => {
  const { app } = await open();
  const headers = { authorization, "content-type": "application/json" };
  const answer = await app.inject({ method: "DELETE", url: "/api/v1/products/none", headers });
  expect([answer.statusCode, answer.json().error.code]).toEqual([404, "registry.product_not_found"]);
});

test("the page at / says in both languages where the API document is", async () => {
  const { app } = await open();
  const { body, headers } = await app.inject("/");
  expect(body).toContain("/api/v1/openapi.json");
  expect(body).toContain("自托管");
  expect(headers["content-security-policy"]).toContain("default-src 'none'");
});

test("no key, a key of another scheme, a wrong secret and a wrong id are refused with 401 and a code", async () => {
  const { app } = await open();
  const cases = [
    [undefined, "api.credentials_missing"],
    ["Basic cm9vdDp4", "api.credentials_missing"],
    ["Bearer root", "api.credentials_missing"],
    [`Bearer root:${testKey.secret}x`, "api.access_key_invalid"],
    [`Bearer other:${testKey.secret}`, "api.access_key_invalid"],
  ] as const;
  for (const [header, code] of cases) {
    const answer = await app.inject({ url: "/api/v1/products", headers: header === undefined ? {} : { authorization: header } });
    expect(answer.statusCode).toBe(401);
    expect(answer.json().error.code).toBe(code);
    expect(answer.headers["www-authenticate"]).toMatch(/^Bearer/);
  }
  expect((await app.inject({ url: "/api/v1/products", headers: { authorization } })).statusCode).toBe(200);
});

test("too many failed keys of an address are answered 429 until the minute is over", async () => {
  const { app, ports } = await open({ failedAuthPerMinuteMax: 3 });
  const guess = (remoteAddress: string, header: string) =>
    app.inject({ url: "/api/v1/products", headers: { authorization: header }, remoteAddress });
  for (let round = 0; round < 3; round++) expect((await guess("10.0.0.1", "Bearer a:b")).statusCode).toBe(401);
  const limited = await guess("10.0.0.1", authorization);
  expect(limited.statusCode).toBe(429);
  expect(limited.json().error.code).toBe("api.too_many_failed_logins");
  expect(limited.headers["retry-after"]).toBe("60");
  expect((await guess("10.0.0.2", authorization)).statusCode).toBe(200);
  ports.clock.advance(60_000);
  expect((await guess("10.0.0.1", authorization)).statusCode).toBe(200);
});

test("unknown paths and methods are told apart", async () => {
  const { app } = await open();
  const unknown = await app.inject({ url: "/api/v1/nothing", headers: { authorization } });
  expect([unknown.statusCode, unknown.json().error.code]).toEqual([404, "api.route_not_found"]);
  const method = await app.inject({ method: "PUT", url: "/api/v1/products/pk/devices/dn?x=1", headers: { authorization } });
  expect([method.statusCode, method.json().error.code]).toEqual([405, "api.method_not_allowed"]);
  expect(method.json().error.details.allowed).toBe("DELETE, GET, HEAD, PATCH");
  expect(method.headers.allow).toBe("DELETE, GET, HEAD, PATCH");
});

test("a body that is malformed, of another type, empty or too large each has its code", async () => {
  const { app } = await open({ bodyBytesMax: 200 });
  const post = (payload: string, type: string) =>
    app.inject({ method: "POST", url: "/api/v1/products", headers: { authorization, "content-type": type }, payload });
  const cases = [
    [await post("{oops", "application/json"), 400, "api.body_malformed"],
    [await post('{"__proto__":{"x":1},"name":"a"}', "application/json"), 400, "api.body_malformed"],
    [await post("", "application/json"), 400, "api.body_malformed"],
    [await post("<a/>", "text/xml"), 415, "api.media_type_unsupported"],
    [await post('{"name":"a"}', "text/plain"), 415, "api.media_type_unsupported"],
    [await post(JSON.stringify({ name: "x".repeat(300) }), "application/json"), 413, "api.body_too_large"],
  ] as const;
  for (const [answer, status, code] of cases) expect([answer.statusCode, answer.json().error.code]).toEqual([status, code]);
  expect(cases[0][0].json().error.message).toContain("position 1");
  expect(cases[1][0].json().error.message).toContain("__proto__");
});

test("numbers in a query are whole ones, written plainly", async () => {
  const { app } = await open();
  for (const page of ["1.5", "1e1", "0x1", "%201", ""]) {
    const answer = await app.inject({ url: `/api/v1/products?page=${page}`, headers: { authorization } });
    expect([page, answer.statusCode, answer.json().error?.code]).toEqual([page, 400, "api.request_invalid"]);
  }
  const plain = await app.inject({ url: "/api/v1/products?page=2", headers: { authorization } });
  expect(plain.json()).toMatchObject({ page: 2 });
});

test("a path that is not percent-encoded properly is refused in our shape", async () => {
  const { app } = await open();
  const answer = await app.inject({ url: "/api/v1/products/%zz", headers: { authorization } });
  expect([answer.statusCode, answer.json().error.code]).toEqual([400, "api.url_malformed"]);
});

test("what is refused is not sent back in full", async () => {
  const { app } = await open();
  const path = await app.inject({ url: `/api/v1/products/${"a".repeat(100_000)}`, headers: { authorization } });
  const type = await app.inject({
    method: "POST",
    url: "/api/v1/products",
    headers: { authorization, "content-type": `a/${"b".repeat(9_999)}` },
  });
  expect([path.statusCode, type.statusCode]).toEqual([400, 415]);
  expect(path.body.length + type.body.length).toBeLessThan(2_000);
});

test("a fault of ours answers 500 without its reason; the log has it with the request id and without the key", async () => {
  const { ports, logLines } = createTestPorts();
  const registry = { ...ports.registry, listProducts: () => Promise.reject(new Error("disk on fire")) };
  const { app } = await buildApi({ ...ports, registry });
  const answer = await app.inject({ url: "/api/v1/products", headers: { authorization } });
  expect(answer.statusCode).toBe(500);
  expect(answer.body).not.toContain("fire");
  const { requestId } = answer.json().error;
  const log = logLines.join("");
  expect(logLines.some((line) => line.includes("disk on fire") && line.includes(requestId))).toBe(true);
  expect(log).not.toContain(testKey.secret);
});

test("messages come in the language that the request prefers", async () => {
  const { app } = await open();
  const message = async (language: string) =>
    (await app.inject({ url: "/nope", headers: { "accept-language": language } })).json().error.message as string;
  expect(await message("zh-CN,zh;q=0.9,en;q=0.8")).toContain("不存在");
  expect(await message("en;q=0.9,zh;q=0.1")).toContain("nothing at");
  expect(await message("de")).toContain("nothing at");
});

test("every answer carries its request id", async () => {
  const { app } = await open();
  const answer = await app.inject("/nope");
  expect(answer.headers["x-request-id"]).toBe(answer.json().error.requestId);
});

test("a body of nothing but nesting is refused before it reaches a room", async () => {
  const { ports } = createTestPorts();
  const { app } = await buildApi(ports);
  const answer = await app.inject({
    method: "POST",
    url: "/api/v1/products",
    headers: { authorization: `Bearer ${testKey.id}:${testKey.secret}`, "content-type": "application/json" },
    payload: `{"name":${"[".repeat(5_000)}${"]".repeat(5_000)}}`,
  });
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ error: { code: "api.body_malformed" } });
});

test("a script is handed out behind its link only, and a link with a member twice is refused", async () => {
  const { ports } = createTestPorts();
  const asked: unknown[] = [];
  const { app } = await buildApi({
    ...ports,
    scriptLinks: {
      issue: () => "",
      async open(productKey, query) {
        asked.push([productKey, query]);
        return "<script>1</script>";
      },
    },
  });
  const answer = await app.inject("/alibaba/scripts/pk?expires=1&signature=ab");
  expect([answer.statusCode, answer.body]).toEqual([200, "<script>1</script>"]);
  expect(answer.headers).toMatchObject({ "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" });
  expect(asked).toEqual([["pk", { expires: "1", signature: "ab" }]]);
  for (const query of ["expires=1&signature=a&signature=b", `expires=1&signature=${"a".repeat(200)}`]) {
    expect((await app.inject(`/alibaba/scripts/pk?${query}`)).statusCode).toBe(400);
  }
  expect(asked).toHaveLength(1);
});
