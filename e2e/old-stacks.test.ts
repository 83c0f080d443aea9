/** Stacks as old firmware brings them: no SNI, TLS 1.2 with RSA key exchange and CBC, a very literal HTTP client. */
import { connect as connectTls } from "node:tls";
import { signPreAuth } from "@thingstead/dialects";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFixture } from "./support/fixture.ts";
import { restClient } from "./support/rest-client.ts";
import { run, type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";

let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess();
});
afterAll(() => server.remove());

function openssl(...args: string[]) {
  return run("openssl", ["s_client", "-connect", `127.0.0.1:${server.devicePort}`, "-CAfile", server.caFile, ...args], {}, "");
}

test.for(["AES256-SHA256", "AES128-SHA", "AES256-SHA", "AES128-SHA256"])("TLS 1.2 with %s and without SNI", async (cipher, context) => {
  needProgram(context, "openssl");
  const { stdout } = await openssl("-tls1_2", "-noservername", "-cipher", `${cipher}:@SECLEVEL=0`);
  expect(stdout).toContain(`Cipher    : ${cipher}`);
  expect(stdout).toContain("Verify return code: 0 (ok)");
});

test.for([
  "a11ozGcYRSq.iot-as-mqtt.cn-shanghai.aliyuncs.com",
  "public.iot-as-mqtt.us-west-1.aliyuncs.com",
  "iot-auth.ap-southeast-1.aliyuncs.com",
  "iot-auth.ap-northeast-1.aliyuncs.com",
  "x.iot-as-mqtt.eu-central-1.aliyuncs.com",
  "localhost",
])("the certificate is good for %s", async (name, context) => {
  needProgram(context, "openssl");
  const { stdout } = await openssl("-servername", name, "-verify_hostname", name);
  expect(stdout).toContain("Verify return code: 0 (ok)");
  expect(stdout).toContain("TLSv1.3");
});

/** Sends bytes inside TLS and reads until the server closes. */
function exchange(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: "127.0.0.1",
      port: server.devicePort,
      ca: server.ca,
      servername: "iot-auth.cn-shanghai.aliyuncs.com",
    });
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      answer += text;
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
    socket.write(request);
  });
}

test("the pre-authentication answer can be read by a client that compares header names letter by letter", async () => {
  const fixture = await createFixture(restClient(server));
  const fields = signPreAuth({ ...fixture, clientId: "18fe34ed87fc", signMethod: "hmacsha1", timestamp: "2524608000000" });
  const body = new URLSearchParams({ ...fields, version: "default", resouces: "mqtt" }).toString();
  const answer = await exchange(
    `POST /auth/devicename HTTP/1.1\r\nHost: iot-auth.cn-shanghai.aliyuncs.com\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const [head = "", json = ""] = answer.split("\r\n\r\n");
  expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(head).toContain(`\r\nContent-Length: ${Buffer.byteLength(json)}`);
  expect(head).toMatch(/\r\nContent-Type: application\/json/);
  expect(head.toLowerCase()).not.toContain("transfer-encoding");
  expect(head.length).toBeLessThan(1_024);
  expect(json).toMatch(
    /^\{"code":200,"data":\{"iotId":"\w+","iotToken":"[0-9a-f]{32}","resources":\{"mqtt":\{"host":"localhost","port":\d+\}\}\},"message":"success"\}$/,
  );
});

test.each([
  [401, { sign: "00" }],
  [460, { clientId: "" }],
  [5001, { deviceName: "nobody_here" }],
])("pre-authentication refuses with code %i", async (code, change) => {
  const fixture = await createFixture(restClient(server));
  const fields = { ...signPreAuth({ ...fixture, clientId: "1", signMethod: "hmacmd5" }), ...change };
  const body = new URLSearchParams(fields).toString();
  const answer = await exchange(
    `POST /auth/devicename HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).toMatchObject({ code });
});
