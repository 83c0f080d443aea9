import { connect } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { createTestPorts, testKey } from "./in-memory-ports.ts";
import type { ApiLimits } from "./limits.ts";
import { parseListenEntry } from "./listener.ts";
import { openApi } from "./server.ts";

async function open(limits: Partial<ApiLimits> = {}) {
  const fixture = createTestPorts(limits);
  const api = await openApi({ ...fixture.ports, clock: systemClock, listen: ["127.0.0.1:0", "127.0.0.1:0"] });
  return { ...fixture, api, base: `http://${api.addresses[0]}` };
}

function sendBytes(address: string, bytes: string): Promise<string> {
  const { host, port } = parseListenEntry(address);
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(bytes));
    let received = "";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      received += text;
    });
    socket.on("close", () => resolve(received));
    socket.on("error", reject);
  });
}

test("listens on every address and closes for good", async () => {
  const { api } = await open();
  expect(new Set(api.addresses).size).toBe(2);
  for (const address of api.addresses) expect((await fetch(`http://${address}/healthz`)).status).toBe(200);
  await api.close();
  await expect(fetch(`http://${api.addresses[0]}/healthz`)).rejects.toThrow();
});

test("a taken port is a refusal with the address, and what was open before is closed again", async () => {
  const { api, ports } = await open();
  const taken = api.addresses[0] ?? "";
  await expect(openApi({ ...ports, listen: [taken] })).rejects.toMatchObject({
    code: "api.listen_failed",
    details: { address: taken, reason: "EADDRINUSE" },
  });
  await api.close();
});

test("a message of 512 KB in the URL, percent-encoded, reaches the vendor API", async () => {
  const { api, base, vendorCalls } = await open();
  const message = "%2B".repeat(512 * 1024);
  const answer = await fetch(`${base}/?Action=Pub&MessageContent=${message}`);
  expect(answer.status).toBe(200);
  expect(vendorCalls[0]?.rawQuery.length).toBe("Action=Pub&MessageContent=".length + message.length);
  await api.close();
});

test("bytes that are not HTTP and headers over the limit are answered in our error shape", async () => {
  const { api } = await open({ headerBytesMax: 8_192 });
  const address = api.addresses[0] ?? "";
  const garbage = await sendBytes(address, "\u0010\u0005hello\r\n\r\n");
  expect(garbage).toMatch(/^HTTP\/1\.1 400 /);
  expect(garbage).toContain('"code":"api.http_malformed"');
  const large = await sendBytes(address, `GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(10_000)}\r\n\r\n`);
  expect(large).toMatch(/^HTTP\/1\.1 431 /);
  expect(large).toContain('"code":"api.header_too_large"');
  expect((await fetch(`http://${address}/healthz`)).status).toBe(200);
  await api.close();
});

test("listen entries: port, host:port, bracketed IPv6; anything else is refused", () => {
  expect(parseListenEntry("8080")).toEqual({ host: undefined, port: 8080 });
  expect(parseListenEntry("127.0.0.1:0")).toEqual({ host: "127.0.0.1", port: 0 });
  expect(parseListenEntry("[::1]:80")).toEqual({ host: "::1", port: 80 });
  for (const entry of ["", "x", "1:2:3", "70000", "host:", ":80", "::1:80"]) {
    expect(() => parseListenEntry(entry), entry).toThrow(expect.objectContaining({ code: "api.listen_entry_invalid" }));
  }
});

/** Reads server-sent events until `count` data events came. */
async function readEvents(
  response: Response,
  count: number,
): Promise<{ id: string | undefined; event: string | undefined; data: string }[]> {
  const events: { id: string | undefined; event: string | undefined; data: string }[] = [];
  let text = "";
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  while (events.length < count) {
    const part = await reader?.read();
    if (part === undefined || part.done) break;
    text += decoder.decode(part.value, { stream: true });
    let end = text.indexOf("\n\n");
    while (end >= 0) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data !== undefined) events.push({ id: /^id: (.*)$/m.exec(block)?.[1], event: /^event: (.*)$/m.exec(block)?.[1], data });
      end = text.indexOf("\n\n");
    }
  }
  await reader?.cancel();
  return events;
}

const headers = { authorization: `Bearer ${testKey.id}:${testKey.secret}` };
const entry = { kind: "connect", code: "device.connected", isSuccess: true, productKey: "pk", deviceName: "dn" } as const;

test("the log stream resumes after an id, filters, follows and lets go when the reader leaves", async () => {
  const { api, base, ports } = await open();
  for (let round = 0; round < 4; round++) ports.deviceLog.write(entry);
  ports.deviceLog.write({ ...entry, deviceName: "other" });
  const response = await fetch(`${base}/api/v1/device-log/stream?productKey=pk&deviceName=dn`, {
    headers: { ...headers, "last-event-id": "2" },
  });
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  ports.deviceLog.write({ ...entry, kind: "refuse", code: "access.signature_mismatch", isSuccess: false });
  const events = await readEvents(response, 3);
  expect(events.map(({ id }) => id)).toEqual(["3", "4", "6"]);
  expect(JSON.parse(events[2]?.data ?? "")).toMatchObject({ id: 6, code: "access.signature_mismatch", time: "2026-01-02T03:04:05.678Z" });
  await expect.poll(() => ports.deviceLog.followers.size).toBe(0);
  await api.close();
});

test("what happens while the past is read is sent once, in its place", async () => {
  const fixture = createTestPorts();
  const { deviceLog } = fixture.ports;
  deviceLog.write(entry);
  const query: typeof deviceLog.query = async (wish) => {
    deviceLog.write(entry);
    const entries = await deviceLog.query(wish);
    deviceLog.write(entry);
    return entries;
  };
  const api = await openApi({ ...fixture.ports, deviceLog: { ...deviceLog, query }, clock: systemClock, listen: ["127.0.0.1:0"] });
  const response = await fetch(`http://${api.addresses[0]}/api/v1/device-log/stream?afterId=0`, { headers });
  deviceLog.write(entry);
  const events = await readEvents(response, 4);
  expect(events.map(({ id }) => id)).toEqual(["1", "2", "3", "4"]);
  await api.close();
});

test("a stream that missed more than is kept for replay is told of the gap", async () => {
  const { api, base, ports } = await open({ streamReplayEntriesMax: 3 });
  for (let round = 0; round < 10; round++) ports.deviceLog.write(entry);
  const events = await readEvents(await fetch(`${base}/api/v1/device-log/stream?afterId=1`, { headers }), 4);
  expect(events[0]).toMatchObject({ event: "gap", data: '{"afterId":1}' });
  expect(events.slice(1).map(({ id }) => id)).toEqual(["8", "9", "10"]);
  await api.close();
});

test("a reader that does not read is cut off and others are served on", async () => {
  const { api, base, ports } = await open({ streamBufferBytesMax: 10_000 });
  const slow = await fetch(`${base}/api/v1/device-log/stream`, { headers });
  const reason = "r".repeat(100_000);
  for (let round = 0; round < 200 && ports.deviceLog.followers.size > 0; round++) ports.deviceLog.write({ ...entry, reason });
  expect(ports.deviceLog.followers.size).toBe(0);
  await expect(slow.text()).rejects.toThrow();
  expect((await fetch(`${base}/healthz`)).status).toBe(200);
  await api.close();
});

test("HEAD on the stream opens none", async () => {
  const { api, base, ports } = await open();
  const answer = await fetch(`${base}/api/v1/device-log/stream`, { method: "HEAD", headers });
  expect([answer.status, ports.deviceLog.followers.size]).toEqual([405, 0]);
  await api.close();
});

test("streams are limited in number, and closing the server ends them", async () => {
  const { api, base } = await open({ followersMax: 1 });
  const first = await fetch(`${base}/api/v1/device-log/stream`, { headers });
  const second = await fetch(`${base}/api/v1/device-log/stream`, { headers });
  expect(second.status).toBe(429);
  expect(((await second.json()) as { error: { code: string } }).error.code).toBe("api.too_many_followers");
  const [text] = await Promise.all([first.text(), api.close()]);
  expect(text).toContain("thingstead");
});
