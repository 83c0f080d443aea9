import { expect, test } from "vitest";
import { createTestPorts, testKey } from "../in-memory-ports.ts";
import { buildApi } from "../server.ts";
import { createAnswerCheck } from "./answer-check.ts";

type Method = "GET" | "POST" | "PUT" | "DELETE";

async function open() {
  const { ports } = createTestPorts();
  const { app } = await buildApi(ports);
  const fits = createAnswerCheck((await app.inject("/api/v1/openapi.json")).json());
  const call = async (method: Method, path: string, payload?: object) => {
    const headers = { authorization: `Bearer ${testKey.id}:${testKey.secret}` };
    const answer = await app.inject({ method, url: `/api/v1${path}`, headers, ...(payload === undefined ? {} : { payload }) });
    const body = answer.body === "" || answer.body === "null" ? null : answer.json();
    if (body !== null) expect(fits(method, `/api/v1${path}`, answer.statusCode, body), `${method} ${path} as documented`).toEqual([]);
    return { status: answer.statusCode, body };
  };
  await call("POST", "/products", { name: "raw", productKey: "pk" });
  return { call, close: () => ports.scripts.close() };
}

const path = "/products/pk/script";
const code = `
  function rawDataToProtocol(bytes) { return { method: "m", first: bytes[0] }; }
  function protocolToRawData(json) { return [json.a, 255]; }
  function transformPayload(topic) { throw new Error(topic); }`;

test("a script is saved, shown, tried and deleted", async () => {
  const { call, close } = await open();
  expect(await call("GET", path)).toMatchObject({ status: 404, body: { error: { code: "scripts.not_found" } } });
  expect(await call("PUT", path, { code })).toMatchObject({ status: 200, body: { code } });
  expect(await call("GET", path)).toMatchObject({ status: 200, body: { code } });
  expect(await call("POST", `${path}/test`, { function: "rawDataToProtocol", payloadBase64: "yA==" })).toMatchObject({
    status: 200,
    body: { result: { method: "m", first: 200 } },
  });
  expect(await call("POST", `${path}/test`, { function: "protocolToRawData", message: { a: 1 } })).toMatchObject({
    body: { resultBase64: "Af8=" },
  });
  expect(await call("POST", `${path}/test`, { function: "transformPayload", topic: "/pk/d/x", payload: "" })).toMatchObject({
    status: 200,
    body: { code: 26002, message: "Error: /pk/d/x (line 4)" },
  });
  expect((await call("DELETE", path)).status).toBe(204);
  expect((await call("GET", path)).status).toBe(404);
  await close();
});

test("what is wrong is said", async () => {
  const { call, close } = await open();
  expect(await call("PUT", path, { code: "function (" })).toMatchObject({ status: 422, body: { error: { code: "scripts.code_invalid" } } });
  expect(await call("PUT", path, { code: " ".repeat(128 * 1024 + 1) })).toMatchObject({ status: 413 });
  expect(await call("PUT", path, {})).toMatchObject({ status: 400 });
  expect(await call("PUT", "/products/unknown/script", { code })).toMatchObject({ status: 404 });
  expect(await call("POST", "/products/unknown/script/test", { code, function: "rawDataToProtocol", payload: "x" })).toMatchObject({
    status: 404,
  });
  expect(await call("POST", `${path}/test`, { code, function: "protocolToRawData" })).toMatchObject({ status: 400 });
  expect(await call("POST", `${path}/test`, { code, function: "rawDataToProtocol" })).toMatchObject({ status: 400 });
  expect(await call("POST", `${path}/test`, { function: "rawDataToProtocol", payload: "x" })).toMatchObject({ status: 404 });
  await close();
});
