import { request as httpsRequest } from "node:https";
import { connect as connectTcp } from "node:net";
import { describe, expect, test } from "vitest";
import { exchange, TestDoors, until } from "../testing/test-door.ts";

describe.each([{ sharedReadBuffer: true }, { sharedReadBuffer: false }])("sharedReadBuffer $sharedReadBuffer", (limits) => {
  const doors = new TestDoors(limits);
  const form = "productKey=pk&deviceName=dn";
  const post = (body: string, more = ""): string =>
    `POST /auth/devicename HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;

  test("[Alibaba 2.4] the pre-auth answer has canonical header names, a length and nothing more", async () => {
    const { port } = await doors.open();
    const answer = (await exchange(port, post(form, "Connection: close\r\n"))).toString();
    const body = '{"code":200,"data":{"iotId":"dn"}}';
    expect(answer.replace(/Date: [^\r]+/, "Date: D")).toBe(
      `HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: application/json;charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
  });

  test("[field notes] a NUL after the body, inside or beyond its length, does not cost the answer", async () => {
    const { port } = await doors.open();
    expect((await exchange(port, `${post(form)}\0`)).toString()).toContain('{"code":200,"data":{"iotId":"dn"}}');
    expect((await exchange(port, post(`${form}\0`, "Connection: close\r\n"))).toString()).toContain('"iotId":"dn"');
  });

  test("HTTP/1.0 without Host, and keep-alive with two requests, are served", async () => {
    const { port } = await doors.open();
    const old = await exchange(port, `POST /auth/devicename HTTP/1.0\r\nContent-Length: ${form.length}\r\n\r\n${form}`);
    expect(old.toString()).toContain("Connection: close\r\n\r\n{");
    const two = await exchange(port, post(form) + post(form, "Connection: close\r\n"));
    expect(two.toString().match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(two.toString()).toContain("Connection: keep-alive\r\n\r\n{");
    const upgrade = await exchange(port, post(form, "Connection: Upgrade, close\r\nUpgrade: h2c\r\n"));
    expect(upgrade.toString()).toContain("HTTP/1.1 200 OK");
  });

  test.each([
    ["wrong method", "GET /auth/devicename HTTP/1.1\r\nConnection: close\r\n\r\n", 405, "front_door.http_method_not_allowed"],
    ["unknown path", "GET /nowhere?x=1 HTTP/1.1\r\nConnection: close\r\n\r\n", 404, "front_door.http_not_found"],
    ["large body", "POST /auth/devicename HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", 413, "front_door.http_body_too_large"],
    ["bad length", "POST /auth/devicename HTTP/1.1\r\nContent-Length: nonsense\r\n\r\n", 400, "front_door.http_malformed"],
    ["large headers", `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431, "front_door.http_headers_too_large"],
    [
      "failing handler",
      "POST /auth/devicename HTTP/1.1\r\nConnection: close\r\nContent-Length: 17\r\n\r\ndeviceName=broken",
      500,
      "front_door.http_failed",
    ],
  ])("HTTP: %s is answered", async (_name, request, status, error) => {
    const { log, port } = await doors.open();
    const answer = (await exchange(port, request)).toString();
    expect(log.map((entry) => entry.code)).toEqual([error]);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const [head = "", body = ""] = answer.split("\r\n\r\n");
    expect(JSON.parse(body)).toMatchObject({ code: status, error });
    expect(head).toContain(`Content-Length: ${Buffer.byteLength(body)}`);
    expect(head.length).toBeLessThan(1024);
  });

  test("a request that trickles in is answered 408", async () => {
    const { log, port } = await doors.open({ limits: { httpRequestMilliseconds: 40 } });
    expect((await exchange(port, "GET / HTTP/1.1\r\nX: ")).toString()).toMatch(/^HTTP\/1\.1 408 /);
    expect((await exchange(port, "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc")).toString()).toMatch(/^HTTP\/1\.1 408 /);
    expect(log.map((entry) => entry.code)).toEqual(["front_door.http_request_timeout", "front_door.http_request_timeout"]);
  });

  test("an answer that nobody reads does not hold its connection for ever", async () => {
    const { door, port } = await doors.open({ limits: { httpAnswerMilliseconds: 50, httpBodyBytesMax: 40_000_000 } });
    const large = `x=${"y".repeat(20_000_000)}`;
    const socket = connectTcp(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    socket.write(`POST /echo HTTP/1.1\r\nContent-Length: ${large.length}\r\n\r\n${large}`);
    await until(() => door.statistics().connections === 1);
    await until(() => door.statistics().connections === 0);
    socket.destroy();
  });

  test("an idle keep-alive connection ends in silence", async () => {
    const { log, port } = await doors.open({ limits: { httpIdleMilliseconds: 30 } });
    expect((await exchange(port, post(form))).toString()).toContain("200 OK");
    expect(log).toEqual([]);
  });

  test("HTTPS is served on the same port", async () => {
    const { port } = await doors.open();
    const status = await new Promise((resolve, reject) => {
      const request = httpsRequest(
        {
          port,
          host: "127.0.0.1",
          servername: "iot-auth.cn-shanghai.aliyuncs.com",
          ca: doors.certificates.caPem,
          method: "POST",
          path: "/auth/devicename",
          agent: false,
        },
        (response) => resolve(response.resume().statusCode),
      );
      request.on("error", reject).end(form);
    });
    expect(status).toBe(200);
  });
});
