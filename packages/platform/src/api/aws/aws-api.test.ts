import { DescribeThingCommand, IoTClient, ListAuditTasksCommand, ListThingsCommand } from "@aws-sdk/client-iot";
import { IoTDataPlaneClient, PublishCommand } from "@aws-sdk/client-iot-data-plane";
import fc from "fast-check";
import { expect, test } from "vitest";
import { systemRandom } from "../../clock.ts";
import { PlatformError } from "../../errors/index.ts";
import { createFailedAuthCounter } from "../failed-auth.ts";
import type { RawApiRequest } from "../raw-request.ts";
import { type AwsCall, createAwsApi } from "./aws-api.ts";
import { defaultAwsApiLimits } from "./limits.ts";
import type { AwsOperation, AwsRequest } from "./operation.ts";

const account = { region: "us-east-1", accountId: "123456789012" };
const key = { id: "AKIDEXAMPLE", secret: "s3cret" };

function open(operations: AwsOperation[] = [], limits: Partial<typeof defaultAwsApiLimits> = {}, acceptsForeignArns = false) {
  const calls: AwsCall[] = [];
  const clock = { now: () => Date.now(), after: () => () => {}, soon: (task: () => void) => task() };
  const api = createAwsApi({
    operations,
    account: { ...account, acceptsForeignArns },
    accessKeys: { findSecret: (id) => (id === key.id ? key.secret : undefined) },
    failedAuth: createFailedAuthCounter(clock, { failedAuthPerMinuteMax: 3, failedAuthAddressesMax: 10 }),
    clock,
    random: systemRandom,
    limits: { ...defaultAwsApiLimits, ...limits },
    onCall: (call) => calls.push(call),
  });
  /** The vendor's client with its own signing and reading; only the wire is replaced. */
  const options = (secret = key.secret, region = account.region) => ({
    region,
    endpoint: "http://things.example:8080",
    maxAttempts: 1,
    credentials: { accessKeyId: key.id, secretAccessKey: secret },
    requestHandler: {
      async handle(request: {
        method: string;
        path: string;
        query?: Record<string, string | string[] | null>;
        headers: Record<string, string>;
        body?: unknown;
      }) {
        const query = Object.entries(request.query ?? {}).flatMap(([name, value]) =>
          [value ?? ""].flat().map((each) => `${encodeURIComponent(name)}=${encodeURIComponent(each)}`),
        );
        const raw: RawApiRequest = {
          method: request.method,
          path: request.path,
          rawQuery: query.join("&"),
          headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value])),
          body: request.body === undefined ? Buffer.alloc(0) : Buffer.from(request.body as string | Uint8Array),
          remoteAddress: "203.0.113.5",
        };
        const { status, headers, body } = await api.signed(raw);
        return { response: { statusCode: status, headers, body: new Blob([new Uint8Array(body)]).stream() } };
      },
    },
  });
  return { api, calls, iot: new IoTClient(options()), data: new IoTDataPlaneClient(options()), options };
}

const describeThing = (run: AwsOperation["run"]): AwsOperation => ({
  name: "DescribeThing",
  service: "iot",
  method: "GET",
  path: "/things/{thingName}",
  run,
});

test("the vendor's client calls an operation and reads its answer", async () => {
  const requests: AwsRequest[] = [];
  const { iot, calls } = open([
    describeThing(async (request) => {
      requests.push(request);
      return { json: { thingName: request.labels.thingName, version: 7, unknown: true } };
    }),
  ]);
  const answer = await iot.send(new DescribeThingCommand({ thingName: "a:b_c-1" }));
  expect(answer).toMatchObject({ thingName: "a:b_c-1", version: 7 });
  expect(answer.$metadata.requestId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
  expect(requests[0]?.principal).toEqual({ kind: "access-key", id: key.id });
  expect(calls).toMatchObject([{ operation: "DescribeThing", principalId: key.id, status: 200, errorCode: undefined }]);
});

test("17: exceptions have the vendor's name, status and message, and ours in a header", async () => {
  const { iot } = open([
    describeThing(async () => {
      throw new PlatformError("fleet.thing_not_found", { name: "a" });
    }),
  ]);
  const error = await iot.send(new DescribeThingCommand({ thingName: "a" })).catch((each) => each);
  expect(error.name).toBe("ResourceNotFoundException");
  expect(error.message).toBe("There is no thing a.");
  expect(error.$metadata.httpStatusCode).toBe(404);
  expect(error.$response.headers["x-thingstead-error"]).toBe("fleet.thing_not_found");
});

test("17: Throttling is 400 on the control plane and 429 on the data plane", async () => {
  const refuse = async () => {
    throw new PlatformError("api.too_many_followers", { followersMax: 1 });
  };
  const { iot, data } = open([
    describeThing(refuse),
    { name: "Publish", service: "iotdata", method: "POST", path: "/topics/{topic+}", run: refuse },
  ]);
  const control = await iot.send(new DescribeThingCommand({ thingName: "a" })).catch((each) => each);
  expect([control.name, control.$metadata.httpStatusCode]).toEqual(["ThrottlingException", 400]);
  const ofData = await data.send(new PublishCommand({ topic: "a" })).catch((each) => each);
  expect([ofData.name, ofData.$metadata.httpStatusCode]).toEqual(["ThrottlingException", 429]);
});

test("an operation that only the vendor has says so by its name, and is not tried again", async () => {
  const { iot } = open();
  const error = await iot.send(new ListAuditTasksCommand({ startTime: new Date(0), endTime: new Date(1) })).catch((each) => each);
  expect([error.name, error.$metadata.httpStatusCode]).toEqual(["NotImplementedException", 501]);
  expect(error.message).toBe("ListAuditTasks is not supported by this server.");
  expect(error.$retryable).toBeUndefined();
});

test("a fault of ours tells the request's id only", async () => {
  const { iot, calls } = open([
    describeThing(async () => {
      throw new TypeError("secret detail");
    }),
  ]);
  const error = await iot.send(new DescribeThingCommand({ thingName: "a" })).catch((each) => each);
  expect(error.name).toBe("InternalFailureException");
  expect(error.message).not.toContain("secret detail");
  expect(calls[0]?.bug).toBeInstanceOf(TypeError);
});

test("wrong keys are told in the vendor's words; who goes on guessing is held off", async () => {
  const { options, calls } = open();
  const send = (secret: string, id = key.id) =>
    new IoTClient({ ...options(secret), credentials: { accessKeyId: id, secretAccessKey: secret } })
      .send(new ListThingsCommand({}))
      .catch((each) => each);
  const wrong = await send("wrong");
  expect([wrong.name, wrong.$metadata.httpStatusCode]).toEqual(["InvalidSignatureException", 403]);
  expect(wrong.message).toMatch(/^The request signature we calculated does not match the signature you provided/);
  expect(wrong.message).toContain("GET\n/things\n\n");
  const unknown = await send("wrong", "AKNOBODY");
  expect([unknown.name, unknown.$metadata.httpStatusCode]).toEqual(["UnrecognizedClientException", 403]);
  await send("wrong");
  expect((await send(key.secret)).name).toBe("ThrottlingException");
  expect(calls.at(-1)?.errorCode).toBe("api.too_many_failed_logins");
});

test("a signature for another region counts where every region is taken for ours", async () => {
  const list: AwsOperation = {
    name: "ListThings",
    service: "iot",
    method: "GET",
    path: "/things",
    run: async () => ({ json: { things: [] } }),
  };
  const { options } = open([list], {}, true);
  expect((await new IoTClient(options(key.secret, "eu-west-1")).send(new ListThingsCommand({}))).things).toEqual([]);
  const error = await new IoTClient(options("wrong", "eu-west-1")).send(new ListThingsCommand({})).catch((each) => each);
  expect(error.name).toBe("InvalidSignatureException");
});

test("a signature for another region names ours", async () => {
  const { options } = open();
  const error = await new IoTClient(options(key.secret, "eu-west-1")).send(new ListThingsCommand({})).catch((each) => each);
  expect(error.name).toBe("InvalidSignatureException");
  expect(error.message).toContain("expected us-east-1 (setting aws.region)");
});

const raw = (change: Partial<RawApiRequest>): RawApiRequest => ({
  method: "GET",
  path: "/things/a",
  rawQuery: "",
  headers: {},
  body: Buffer.alloc(0),
  remoteAddress: "203.0.113.5",
  ...change,
});

const echo: AwsOperation = {
  name: "UpdateThingShadow",
  service: "iotdata",
  method: "POST",
  path: "/things/{thingName}/shadow",
  run: async (request) => ({ json: { ...request.json(), query: [...request.query] } }),
};

test.each<[string, Partial<RawApiRequest>, string]>([
  ["a list for a body", { body: Buffer.from("[]") }, "aws.body_not_json"],
  ["half a body", { body: Buffer.from('{"a":') }, "aws.body_not_json"],
  ["a body nested beyond measure", { body: Buffer.from("[".repeat(100_000)) }, "aws.body_not_json"],
  ["a body over the limit", { body: Buffer.alloc(101, " ") }, "aws.body_too_large"],
  ["a query that is no text", { rawQuery: "name=%ff" }, "aws.url_malformed"],
  ["a label that is no text", { path: "/things/%ff/shadow" }, "aws.url_malformed"],
  ["another method", { method: "PUT" }, "aws.method_not_allowed"],
  ["another path", { path: "/thing" }, "aws.operation_unknown"],
])("refuses %s with a code", async (name, change, code) => {
  const { api } = open([echo], name.includes("limit") ? { bodyBytesMax: 100 } : {});
  const answer = await api.ofDevice(raw({ method: "POST", path: "/things/a/shadow", ...change }), async () => ({
    kind: "access-key",
    id: "x",
  }));
  expect(answer.headers["x-thingstead-error"]).toBe(code);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
});

test("a plus in a query stays a plus", async () => {
  const { api } = open([echo]);
  const request = raw({ method: "POST", path: "/things/a/shadow", rawQuery: "name=a+b%20c&name=d", body: Buffer.from('{"state":{}}') });
  const answer = await api.ofDevice(request, async () => ({ kind: "access-key", id: "x" }));
  expect(JSON.parse(answer.body.toString())).toEqual({
    state: {},
    query: [
      ["name", "a+b c"],
      ["name", "d"],
    ],
  });
});

test("whatever comes, the answer is one of the vendor's form and no fault of ours", async () => {
  const { api, calls } = open([echo, describeThing(async ({ labels }) => ({ json: labels }))]);
  const part = fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom("things", "shadow", "%2F", "%", "..", "", "$next", "topics", "{thingName}"),
  );
  const path = fc.array(part, { maxLength: 6 }).map((parts) => `/${parts.join("/")}`);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "BREW"),
      path,
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.uint8Array({ maxLength: 60 }),
      async (method, path, rawQuery, body) => {
        const request = raw({ method, path, rawQuery, body: Buffer.from(body) });
        for (const answer of [await api.ofDevice(request, async () => ({ kind: "access-key", id: "x" })), await api.signed(request)]) {
          expect(answer.headers["x-amzn-requestid"]).toBeDefined();
          if (answer.status === 200) continue;
          expect(answer.headers["x-amzn-errortype"]).toMatch(/^[A-Z]\w+Exception$/);
          expect(typeof JSON.parse(answer.body.toString()).message).toBe("string");
        }
      },
    ),
    { numRuns: 300 },
  );
  expect(calls.filter(({ bug }) => bug !== undefined)).toEqual([]);
});
