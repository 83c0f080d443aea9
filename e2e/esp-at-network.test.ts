/** Sockets, passthrough and HTTP of the modem, against servers of Node. [ESP-AT 6, 7] */
import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { createModem, listenForHosts, type Modem, type ModemOptions } from "@thingstead/esp-at";
import { afterEach, expect, test } from "vitest";
import { type AtHost, createAtHost, playTranscript } from "./support/at-host.ts";
import { needProgram } from "./support/services.ts";
import { createTestPki } from "./support/test-pki.ts";
import { until } from "./support/until.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function start(options: Partial<ModemOptions> = {}): Promise<{ host: AtHost; modem: Modem }> {
  const host = createAtHost((bytes) => modem.write(bytes), 5_000);
  const modem = createModem({ ...options, output: (bytes) => host.receive(bytes) });
  cleanups.push(() => modem.close());
  await playTranscript(host, "<<\n<< ready\n>> ATE0\n<< ATE0\n<<\n<< OK");
  await playTranscript(host, '>> AT+CWJAP="ssid","password"\n<< WIFI CONNECTED\n<< WIFI GOT IP\n<<\n<< OK');
  return { host, modem };
}

/** A server whose connections are kept. */
async function listen(onSocket: (socket: Socket) => void = (socket) => socket.pipe(socket)) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { sockets, port: (server.address() as AddressInfo).port };
}

test("AT+CIPSTART, CIPSEND, CIPSTATE, CIPSTATUS, CIPCLOSE: one TCP link", async () => {
  const { port } = await listen();
  const { host } = await start();
  await playTranscript(
    host,
    `
    >> AT+CIPSTART="TCP","127.0.0.1",${port}
    << CONNECT
    <<
    << OK
    >> AT+CIPSEND=5
    <<
    << OK
    <<
    << >
    >>> hello
    <<
    << Recv 5 bytes
    <<
    << SEND OK
    <<
    `,
  );
  expect((await host.take(12)).toString()).toBe("+IPD,5:hello");
  const [state, ok] = await host.command("AT+CIPSTATE?");
  expect(state).toMatch(new RegExp(`^\\+CIPSTATE:0,"TCP","127.0.0.1",${port},\\d+,0$`));
  expect(ok).toBe("OK");
  expect((await host.command("AT+CIPSTATUS"))[0]).toBe("STATUS:3");
  await playTranscript(host, ">> AT+CIPCLOSE\n<< CLOSED\n<<\n<< OK\n>> AT+CIPCLOSE\n<<\n<< ERROR\n>> AT+CIPSEND=5\n<<\n<< ERROR");
  expect((await host.command("AT+CIPSTATUS"))[0]).toBe("STATUS:4");
});

test("AT+CIPMUX, CIPSTARTEX, CIPDINFO, CIPSENDEX, SYSMSG: several links with ids", async () => {
  const { port } = await listen();
  const { host } = await start();
  expect(await host.command("AT+CIPMUX=1")).toEqual(["OK"]);
  expect(await host.command(`AT+CIPSTART=4,"TCP","127.0.0.1",${port}`)).toEqual(["4,CONNECT", "OK"]);
  expect(await host.command("AT+CIPMUX=0")).toEqual(["ERROR"]);
  await host.command("AT+SYSMSG=2");
  const [connected] = await host.command(`AT+CIPSTARTEX="TCP","127.0.0.1",${port}`);
  expect(connected).toMatch(new RegExp(`^\\+LINK_CONN:0,0,"TCP",0,"127.0.0.1",${port},\\d+$`));
  await host.command("AT+CIPDINFO=1");
  expect(await host.command("AT+CIPDINFO?")).toEqual(["+CIPDINFO:true", "OK"]);
  await playTranscript(
    host,
    String.raw`
    >> AT+CIPSENDEX=4,100
    <<
    << OK
    <<
    << >
    >>> a\\0b\0
    <<
    << Recv 4 bytes
    <<
    << SEND OK
    <<`,
  );
  const head = `+IPD,4,4,"127.0.0.1",${port}:`;
  expect((await host.take(head.length + 4)).toString()).toBe(`${head}a\\0b`);
  await playTranscript(host, ">> AT+CIPCLOSE=5\n<< 0,CLOSED\n<< 4,CLOSED\n<<\n<< OK");
});

test("AT+CIPRECVMODE, CIPRECVLEN, CIPRECVDATA: the host fetches, and CLOSED waits for it", async () => {
  const { port, sockets } = await listen(() => {});
  const { host } = await start({ version: "v3.2" });
  await host.command("AT+CIPRECVMODE=1");
  expect(await host.command("AT+CIPRECVMODE?")).toEqual(["+CIPRECVMODE:1", "OK"]);
  await host.command(`AT+CIPSTART="TCP","127.0.0.1",${port}`);
  const socket = await until("connection", () => sockets[0]);
  socket.write("0123456789");
  await playTranscript(host, "<<\n<< +IPD,10");
  socket.end("rest");
  expect(await host.command("AT+CIPRECVDATA=4")).toEqual(["+CIPRECVDATA:4,0123", "OK"]);
  await until("the rest", async () => (await host.command("AT+CIPRECVLEN?")).includes("+CIPRECVLEN:10,0,0,0,0"));
  expect(await host.command("AT+CIPRECVDATA=100")).toEqual(["+CIPRECVDATA:10,456789rest", "OK"]);
  await playTranscript(host, "<< CLOSED");
});

test("AT+CIPMODE, CIPSEND, +++: passthrough there and back, and the link comes again when it breaks", async () => {
  const { port, sockets } = await listen();
  const { host } = await start();
  await host.command("AT+SYSMSG=1");
  await host.command("AT+CIPMODE=1");
  await host.command(`AT+CIPSTART="TCP","127.0.0.1",${port}`);
  await playTranscript(host, ">> AT+CIPSEND\n<<\n<< OK\n<<\n<< >");
  host.send("AT\r\n+++ is data\0");
  expect((await host.take(16)).toString()).toBe("AT\r\n+++ is data\0");
  sockets[0]?.destroy();
  await until("a new connection", () => sockets[1]);
  host.send("again");
  expect((await host.take(5)).toString()).toBe("again");
  await new Promise((resolve) => setTimeout(resolve, 50));
  host.send("+++");
  await playTranscript(host, "<< +QUITT\n>> AT\n<<\n<< OK\n>> AT+CIPCLOSE\n<< CLOSED\n<<\n<< OK");
});

test("AT+CIPSSLCCONF, CIPSSLCSNI, CIPSSLCALPN: SSL links verify, and send a certificate", async (context) => {
  needProgram(context, "openssl");
  const pki = createTestPki(["secure.example"]);
  cleanups.push(() => pki.remove());
  const seen: unknown[] = [];
  const tls = { cert: readFileSync(pki.serverCertFile), key: readFileSync(pki.serverKeyFile), ca: pki.ca };
  const server = createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ["demo"] }, (socket) => {
    seen.push([socket.servername, socket.alpnProtocol, socket.getPeerCertificate().subject.CN]);
    socket.pipe(socket);
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const certificates = [
    { use: "client", kind: "ca", pem: pki.ca },
    { use: "client", kind: "cert", pem: pki.deviceCert },
    { use: "client", kind: "key", pem: pki.deviceKey },
  ] as const;
  const { host } = await start({ certificates, hosts: { "10.0.0.9": { host: "127.0.0.1", port } } });
  expect(await host.command('AT+CIPSTART="SSL","10.0.0.9",443')).toEqual(["ERROR"]);
  await host.command("AT+CIPSSLCCONF=3,0,0");
  await host.command('AT+CIPSSLCALPN=1,"demo"');
  await host.command('AT+CIPSSLCSNI="secure.example"');
  await host.command("AT+CIPSNTPCFG=1,0");
  await host.line();
  expect(await host.command("AT+CIPSSLCCONF?")).toContain("+CIPSSLCCONF:0,3,0,0");
  expect(await host.command('AT+CIPSTART="SSL","10.0.0.9",443')).toEqual(["CONNECT", "OK"]);
  expect(seen).toEqual([["secure.example", "demo", "device"]]);
  await host.command("AT+CIPCLOSE");
  await host.command('AT+CIPSSLCSNI="other.example"');
  expect(await host.command('AT+CIPSTART="SSL","10.0.0.9",443')).toEqual(["ERROR"]);
});

test('AT+CIPSTART="UDP": datagrams to the peer, and to another', async () => {
  const echo = createSocket("udp4");
  echo.on("message", (bytes, from) => echo.send(bytes, from.port, from.address));
  await new Promise<void>((resolve) => echo.bind(0, "127.0.0.1", resolve));
  cleanups.push(() => echo.close());
  const { port } = echo.address();
  const { host } = await start();
  expect(await host.command('AT+CIPSTART="UDP","127.0.0.1",9')).toEqual(["CONNECT", "OK"]);
  await playTranscript(host, `>> AT+CIPSEND=4,"127.0.0.1",${port}\n<<\n<< OK\n<<\n<< >\n>>> ping\n<<\n<< Recv 4 bytes\n<<\n<< SEND OK\n<<`);
  expect((await host.take(11)).toString()).toBe("+IPD,4:ping");
});

test("AT+CIPDOMAIN and AT+PING follow the map; CIPSERVER stays off", async () => {
  const { port } = await listen();
  const { host } = await start({ hosts: { "cloud.example": { host: "127.0.0.1", port }, "gone.example": { host: "nowhere.invalid" } } });
  expect(await host.command('AT+CIPDOMAIN="cloud.example"')).toEqual(['+CIPDOMAIN:"127.0.0.1"', "OK"]);
  expect(await host.command('AT+CIPDOMAIN="gone.example"')).toEqual(["ERROR"]);
  expect(await host.command('AT+PING="cloud.example"')).toEqual([expect.stringMatching(/^\+PING:\d+$/), "OK"]);
  expect(await host.command('AT+PING="gone.example"')).toEqual(["+PING:TIMEOUT", "ERROR"]);
  expect(await host.command("AT+CIPSERVER=1,80")).toEqual(["ERROR"]);
  expect(await host.command("AT+CIPSERVER=0")).toEqual(["OK"]);
});

test("AT+HTTPCLIENT, HTTPCGET, HTTPGETSIZE, HTTPCPOST, HTTPCPUT, HTTPURLCFG, HTTPCHEAD: requests arrive as they are told", async () => {
  const seen: { method: string | undefined; url: string | undefined; headers: Record<string, unknown>; body: string }[] = [];
  const server = createHttpServer((request, response) => {
    let body = "";
    request.setEncoding("latin1").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      seen.push({ method: request.method, url: request.url, headers: request.headers, body });
      response.statusCode = request.url === "/missing" ? 404 : 200;
      response.end(request.url === "/long" ? "x".repeat(5000) : `answer to ${request.method}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { host } = await start({ hosts: { "api.example": { host: "127.0.0.1", port } } });
  expect(await host.command('AT+HTTPCLIENT=2,0,"http://api.example/get",,,1')).toEqual(["+HTTPCLIENT:13,answer to GET", "OK"]);
  expect(await host.command('AT+HTTPCLIENT=3,1,,"api.example","/post",1,"{\\"a\\":1}","x-own: 1"')).toEqual([
    "+HTTPCLIENT:14,answer to POST",
    "OK",
  ]);
  expect(seen[1]).toMatchObject({
    method: "POST",
    url: "/post",
    body: '{"a":1}',
    headers: { "content-type": "application/json", "x-own": "1" },
  });
  await host.command("AT+SYSLOG=1");
  expect(await host.command('AT+HTTPCGET="http://api.example/missing"')).toEqual(["ERR CODE:0x010a7194", "ERROR"]);
  expect(await host.command('AT+HTTPCGET="http://api.example/long"')).toEqual([
    ...[2048, 2048, 904].map((size) => `+HTTPCGET:${size},${"x".repeat(size)}`),
    "OK",
  ]);
  expect(await host.command('AT+HTTPGETSIZE="http://api.example/size"')).toEqual(["+HTTPGETSIZE:13", "OK"]);
  await playTranscript(
    host,
    `
    >> AT+HTTPURLCFG=23
    <<
    << OK
    <<
    << >
    >>> http://api.example/long
    <<
    << SET OK
    >> AT+HTTPCHEAD=8
    <<
    << OK
    <<
    << >
    >>> x-all: 2
    <<
    << OK
    >> AT+HTTPCPOST="http://api.example/up",4
    <<
    << OK
    <<
    << >
    >>> data
    << +HTTPCPOST:14,answer to POST
    <<
    << SEND OK
    >> AT+HTTPCPUT="http://api.example/missing",4,1,"content-type: text/plain"
    <<
    << OK
    <<
    << >
    >>> more
    <<
    << SEND FAIL`,
  );
  expect(seen.at(-2)).toMatchObject({ method: "POST", body: "data", headers: { "x-all": "2" } });
  expect(seen.at(-1)).toMatchObject({ method: "PUT", body: "more", headers: { "x-all": "2", "content-type": "text/plain" } });
  expect((await host.command('AT+HTTPCGET=""')).at(-1)).toBe("OK");
  expect(seen.at(-1)).toMatchObject({ method: "GET", url: "/long" });
});

test("a slow link delays both ways and keeps the order", async () => {
  const { port } = await listen();
  const { host } = await start({ faults: { linkDelayMilliseconds: 40, linkBytesPerSecond: 20_000 } });
  await host.command(`AT+CIPSTART="TCP","127.0.0.1",${port}`);
  const before = performance.now();
  const text = Array.from({ length: 1000 }, (_, index) => String.fromCharCode(33 + (index % 90))).join("");
  await playTranscript(host, `>> AT+CIPSEND=1000\n<<\n<< OK\n<<\n<< >\n>>> ${text}\n<<\n<< Recv 1000 bytes`);
  let received = "";
  while (received.length < 1000) {
    const line = (await host.take(1)).toString();
    if (line !== "+") continue;
    let head = "";
    while (!head.endsWith(":")) head += (await host.take(1)).toString();
    received += (await host.take(Number(/,(\d+):/.exec(head)?.[1]))).toString();
  }
  expect(received).toBe(text);
  // 40 ms each way, and 50 ms for 1,000 bytes each way.
  expect(performance.now() - before).toBeGreaterThan(140);
});

test("passthrough over a TCP port: a host that is faster than the network is held back, and nothing is lost", async () => {
  const total = 8 * 1024 * 1024;
  const sum = createHash("sha256");
  let received = 0;
  const { port } = await listen((socket) => {
    socket.on("data", (bytes: Buffer) => {
      sum.update(bytes);
      received += bytes.length;
      socket.pause();
      setTimeout(() => socket.resume(), 2);
    });
  });
  const logged: string[] = [];
  const door = await listenForHosts({ port: 0, create: () => (streams) => createModem({ ...streams, log: (text) => logged.push(text) }) });
  cleanups.push(() => door.close());
  const socket = connect({ host: door.host, port: door.port });
  const host = createAtHost((bytes) => socket.write(bytes));
  socket.on("data", (bytes: Buffer) => host.receive(bytes));
  cleanups.push(() => socket.destroy());
  await host.command("ATE0");
  await host.command('AT+CWJAP="a","b"');
  await host.command("AT+CIPMODE=1");
  await host.command(`AT+CIPSTART="TCP","127.0.0.1",${port}`);
  await playTranscript(host, ">> AT+CIPSEND\n<<\n<< OK\n<<\n<< >");
  const data = randomBytes(total);
  host.send(data);
  await until("everything", () => received >= total, 30_000);
  expect(sum.digest("hex")).toBe(createHash("sha256").update(data).digest("hex"));
  expect(logged).toEqual([]);
});
