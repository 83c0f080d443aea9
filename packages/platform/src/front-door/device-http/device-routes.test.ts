import { alibabaRegistration } from "@thingstead/dialects";
import { expect, test } from "vitest";
import type { PreAuthRequest } from "../../access/index.ts";
import { createAwsDataRoutes } from "./aws-data-routes.ts";
import type { DeviceHttpRequest } from "./device-http.ts";
import { createDeviceRoutes, parseForm } from "./device-routes.ts";
import { createRegistrationRoutes } from "./registration-routes.ts";

const request = (method: string, path: string, body = ""): DeviceHttpRequest => ({
  method,
  path,
  query: new URLSearchParams(),
  rawQuery: "",
  headers: {},
  body: Buffer.from(body),
  remoteAddress: "192.0.2.7",
  isSecure: true,
});

test("[Alibaba 2.4] hands all fields of POST /auth/devicename to the pre-authentication and sends its body as it is", async () => {
  const seen: PreAuthRequest[] = [];
  const body = { code: 401, message: "request auth error" };
  const routes = createDeviceRoutes({
    preAuth: {
      authenticate: async (asked) => {
        seen.push(asked);
        return { body };
      },
    },
  });
  const answer = await routes(request("POST", "/auth/devicename", "productKey=pk&deviceName=a%20b%2Bc&clientId=x+y&resouces=mqtt\0"));
  expect(seen).toEqual([
    { fields: { productKey: "pk", deviceName: "a b+c", clientId: "x y", resouces: "mqtt" }, remoteAddress: "192.0.2.7" },
  ]);
  expect(answer).toEqual({ status: 200, contentType: "application/json;charset=utf-8", body: Buffer.from(JSON.stringify(body)) });
});

test("[Alibaba 2.5, 2.9] registration and bootstrap have routes of their own", async () => {
  const seen: unknown[] = [];
  const routes = createDeviceRoutes({
    preAuth: { authenticate: async () => ({ body: {} }) },
    routes: createRegistrationRoutes({
      dialect: alibabaRegistration,
      registrar: {
        answer: async (_dialect, asked) => {
          seen.push(asked);
          return { body: { code: 6288 } };
        },
      },
      host: () => ({ host: "h", port: 1883 }),
    }),
  });
  const answer = await routes(request("POST", "/auth/register/device", "productKey=pk&random=1"));
  expect(answer.body.toString()).toBe('{"code":6288}');
  expect(seen).toEqual([{ fields: { productKey: "pk", random: "1" }, remoteAddress: "192.0.2.7", isSecure: true }]);
  for (const path of ["/auth/bootstrap", "/auth/bootstrap/regionId/3"]) {
    const { status, body } = await routes(request("GET", path));
    expect(status).toBe(200);
    expect(body.toString()).toContain('"host":"h","port":1883');
  }
  expect(await routes(request("GET", "/auth/bootstraps"))).toMatchObject({ status: 404 });
});

test("a wrong method names the right one, and an unknown path the known ones, in answers that stay small", async () => {
  const routes = createDeviceRoutes({ preAuth: { authenticate: async () => ({ body: {} }) } });
  const wrongMethod = await routes(request("GET", "/auth/devicename"));
  expect(wrongMethod).toMatchObject({ status: 405, headers: { Allow: "POST" } });
  const unknown = await routes(request("POST", `/${"x".repeat(5000)}`));
  expect(JSON.parse(unknown.body.toString())).toMatchObject({ code: 404, error: "front_door.http_not_found" });
  expect(unknown.body.toString()).toContain("/auth/devicename");
  expect(unknown.body.toString().length).toBeLessThan(400);
});

test("[AWS 15] the data planes have their paths with every method; what they answer leaves with its own headers", async () => {
  const seen: string[] = [];
  const aws = createAwsDataRoutes({
    async answer({ method, path }) {
      seen.push(`${method} ${path}`);
      const headers = { "content-type": "application/json", "x-amzn-requestid": "1" };
      return { status: 403, headers, body: Buffer.from("{}"), refusal: { code: "aws.forbidden", details: { action: "iot:Publish" } } };
    },
  });
  const routes = createDeviceRoutes({ routes: aws, preAuth: { authenticate: async () => ({ body: {} }) } });
  for (const [method, path] of [
    ["POST", "/topics/a%2Fb"],
    ["DELETE", "/things/t/shadow"],
    ["PUT", "/things/t/jobs/$next"],
    ["GET", "/retainedMessage"],
    ["GET", "/api/things/shadow/ListNamedShadowsForThing/t"],
  ] as const) {
    expect(await routes(request(method, path))).toEqual({
      status: 403,
      contentType: "application/json",
      headers: { "x-amzn-requestid": "1" },
      body: Buffer.from("{}"),
      refusal: { code: "aws.forbidden", details: { action: "iot:Publish" } },
    });
    expect(seen.pop()).toBe(`${method} ${path}`);
  }
  expect(await routes(request("GET", "/thing"))).toMatchObject({ status: 404 });
});

test.each([
  ["", {}],
  ["a=1&a=2", { a: "2" }],
  ["a=1\r\n", { a: "1" }],
  ["a", { a: "" }],
  ["__proto__=x", JSON.parse('{"__proto__":"x"}')],
  ["a=%E4%BD%A0%zz", { a: "你%zz" }],
])("reads the form %j", (text, fields) => {
  expect(parseForm(Buffer.from(text))).toEqual(fields);
});
