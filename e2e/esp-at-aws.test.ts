/** Seed 004 against our server, and with the transcripts of the manual against a mosquitto that demands certificates as AWS does. [ESP-AT 8] */
import { join } from "node:path";
import { type Certificate, createModem, type Modem, type ModemOptions } from "@thingstead/esp-at";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type AtHost, createAtHost, playTranscript } from "./support/at-host.ts";
import { startAwsFixture } from "./support/aws-fixture.ts";
import { freePort } from "./support/free-port.ts";
import { type Mosquitto, startMosquitto } from "./support/mosquitto.ts";
import { runNode } from "./support/server-process.ts";
import { hasProgram, needProgram } from "./support/services.ts";
import { createTestPki, type TestPki } from "./support/test-pki.ts";
import { until } from "./support/until.ts";

const endpoint = "xxx-ats.iot.us-east-2.amazonaws.com";
let pki: TestPki;
let broker: Mosquitto;
const modems: Modem[] = [];

beforeEach((context) => {
  for (const program of ["mosquitto", "openssl"]) needProgram(context, program);
});
beforeAll(async () => {
  if (!hasProgram("mosquitto") || !hasProgram("openssl")) return;
  pki = createTestPki([endpoint, "broker.example.com", "localhost"]);
  const tls = `certfile ${pki.serverCertFile}\nkeyfile ${pki.serverKeyFile}\ncafile ${pki.caFile}`;
  broker = await startMosquitto([
    `${tls}\nrequire_certificate true\nuse_identity_as_username true`,
    `${tls}\nallow_anonymous true`,
    "allow_anonymous true",
    "allow_anonymous true\nprotocol websockets",
    `${tls}\nallow_anonymous true\nprotocol websockets`,
  ]);
});
afterEach(() => {
  for (const modem of modems.splice(0)) modem.close();
});
afterAll(async () => {
  await broker?.stop();
  pki?.remove();
});

const port = (index: number) => broker.ports[index] ?? 0;
const own = (): Certificate[] => [
  { use: "mqtt", kind: "ca", pem: pki.ca },
  { use: "mqtt", kind: "cert", pem: pki.deviceCert },
  { use: "mqtt", kind: "key", pem: pki.deviceKey },
];

/** Switched on, echo off. */
async function start(options: Partial<ModemOptions> = {}): Promise<{ host: AtHost; modem: Modem }> {
  const hosts = { [endpoint]: { host: "127.0.0.1", port: port(0) }, "broker.example.com": { host: "127.0.0.1", port: port(1) } };
  const host = createAtHost((bytes) => modem.write(bytes));
  const modem = createModem({ hosts, certificates: own(), ...options, output: (bytes) => host.receive(bytes) });
  modems.push(modem);
  await playTranscript(host, "<<\n<< ready\n>> ATE0\n<< ATE0\n<<\n<< OK");
  return { host, modem };
}

const seed = `
>> AT+CWMODE=1
<<
<< OK
>> AT+CWJAP="ssid","password"
<< WIFI CONNECTED
<< WIFI GOT IP
<<
<< OK
>> AT+CIPSNTPCFG=1,8,"pool.ntp.org"
<<
<< OK
<< +TIME_UPDATED
>> AT+CIPSNTPTIME?
<< +CIPSNTPTIME:<asctime>
<< OK
>> AT+MQTTUSERCFG=0,5,"esp32","espressif","1234567890",0,0,""
<<
<< OK
>> AT+MQTTCONN=0,"{endpoint}",8883,1
<< +MQTTCONNECTED:0,5,"{endpoint}","8883","",1
<<
<< OK
>> AT+MQTTSUB=0,"topic/esp32at",1
<<
<< OK
>> AT+MQTTPUB=0,"topic/esp32at","hello aws!",1,0
<< +MQTTSUBRECV:0,"topic/esp32at",10,hello aws!
<<
<< OK
`;

test.each([
  { version: "v2.2", transcript: seed.replace("<< +TIME_UPDATED\n", "") },
  { version: "v3.2", transcript: seed },
  { version: "v4.1", transcript: seed },
] as const)("seed 004 on $version: the lines of the vendor's document, in their order, by mutual TLS", async ({ version, transcript }) => {
  const { host } = await start({ version });
  await playTranscript(host, transcript, { endpoint });
  expect(host.rest()).toBe("");
  await until("the user is that of the certificate", () => broker.output().includes("as esp32 (p2, c1, k120, u'device')"));
});

test("seed 004 against our server: no SNI, a policy of the least rights, the lines in their order", async () => {
  const devicePort = await freePort();
  const aws = await startAwsFixture({
    environment: {
      THINGSTEAD_LISTEN_DEVICE: `127.0.0.1:${devicePort}`,
      // As on 8883: who names no host there is asked for a certificate.
      THINGSTEAD_TLS_CLIENT_CERTIFICATES: "auto",
      THINGSTEAD_TLS_CERTIFICATE_PORTS: String(devicePort),
    },
  });
  try {
    const device = await aws.createDevice({
      thingName: "esp32",
      statements: [
        { Effect: "Allow", Action: "iot:Connect", Resource: aws.arn("client/esp32") },
        { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: aws.arn("topic/topic/esp32at") },
        { Effect: "Allow", Action: "iot:Subscribe", Resource: aws.arn("topicfilter/topic/esp32at") },
      ],
    });
    const certificates: Certificate[] = [
      { use: "mqtt", kind: "ca", pem: aws.server.ca },
      { use: "mqtt", kind: "cert", pem: Buffer.from(device.certificatePem) },
      { use: "mqtt", kind: "key", pem: Buffer.from(device.privateKeyPem) },
    ];
    const hosts = { [endpoint]: { host: "127.0.0.1", port: devicePort } };
    for (const version of ["v2.2", "v3.2", "v4.1"] as const) {
      const { host, modem } = await start({ version, certificates, hosts });
      await playTranscript(host, version === "v2.2" ? seed.replace("<< +TIME_UPDATED\n", "") : seed, { endpoint });
      expect(host.rest()).toBe("");
      modem.close();
    }
  } finally {
    await aws.remove();
  }
});

async function joinWifi(host: AtHost): Promise<void> {
  await playTranscript(host, '>> AT+CWJAP="ssid","password"\n<< WIFI CONNECTED\n<< WIFI GOT IP\n<<\n<< OK');
}

test("[ESP-AT 8.2] a plain broker: connect, subscribe, publish with escapes, unsubscribe, clean", async () => {
  const { host } = await start({ hosts: { "192.168.3.102": { host: "127.0.0.1", port: port(2) } } });
  await joinWifi(host);
  await playTranscript(
    host,
    String.raw`
    >> AT+MQTTUSERCFG=0,1,"publisher","espressif","123456789",0,0,""
    <<
    << OK
    >> AT+MQTTCONN=0,"192.168.3.102",1883,0
    << +MQTTCONNECTED:0,1,"192.168.3.102","1883","",0
    <<
    << OK
    >> AT+MQTTCONN?
    << +MQTTCONN:0,4,1,"192.168.3.102","1883","",0
    <<
    << OK
    >> AT+MQTTSUB=0,"topic",1
    <<
    << OK
    >> AT+MQTTSUB?
    << +MQTTSUB:0,6,"topic",1
    <<
    << OK
    >> AT+MQTTPUB=0,"topic","\"{\"t\":1\,\"h\":2}\"",0,0
    <<
    << OK
    << +MQTTSUBRECV:0,"topic",15,"{"t":1,"h":2}"
    >> AT+MQTTUNSUB=0,"topic"
    <<
    << OK
    >> AT+MQTTCONN?
    << +MQTTCONN:0,5,1,"192.168.3.102","1883","",0
    <<
    << OK
    >> AT+MQTTCLEAN=0
    <<
    << OK
    >> AT+MQTTCONN?
    << +MQTTCONN:0,0,0,"","","",0
    <<
    << OK`,
  );
});

test("[ESP-AT 8.3] the server is verified with a CA stored at run time, and hears the last will", async () => {
  const { host, modem } = await start({ certificates: [] });
  const watcher = await start({ hosts: { "192.168.3.102": { host: "127.0.0.1", port: port(1) } }, certificates: [] });
  await joinWifi(host);
  await joinWifi(watcher.host);
  await watcher.host.command('AT+MQTTUSERCFG=0,2,"watcher","","",0,0,""');
  await watcher.host.command('AT+MQTTCONN=0,"192.168.3.102",8883,0');
  expect(await watcher.host.command('AT+MQTTSUB=0,"dev/lwt",1')).toEqual(["OK"]);
  await playTranscript(
    host,
    `
    >> AT+SYSMFG=2,"mqtt_ca","mqtt_ca",8,{length}
    <<
    << OK
    <<
    << >`,
    { length: String(pki.ca.length) },
  );
  host.send(pki.ca);
  await playTranscript(
    host,
    `
    <<
    << OK
    >> AT+CIPSNTPCFG=1,0,"pool.ntp.org"
    <<
    << OK
    << +TIME_UPDATED
    >> AT+MQTTUSERCFG=0,3,"dev1","user","pass",0,0,""
    <<
    << OK
    >> AT+MQTTCONNCFG=0,60,0,"dev/lwt","offline",1,0
    <<
    << OK
    >> AT+MQTTCONN=0,"broker.example.com",8883,1
    << +MQTTCONNECTED:0,3,"broker.example.com","8883","",1
    <<
    << OK`,
  );
  modem.close();
  await playTranscript(watcher.host, '<< +MQTTSUBRECV:0,"dev/lwt",7,offline');
});

test("[ESP-AT 8.4] refusals show their codes, and the state is told", async () => {
  const { host } = await start({ hosts: { "192.168.3.102": { host: "127.0.0.1", port: 1 } } });
  await joinWifi(host);
  await playTranscript(
    host,
    `
    >> AT+SYSLOG=1
    <<
    << OK
    >> AT+MQTTPUB=0,"t","x",0,0
    << ERR CODE:0x010a6006
    <<
    << ERROR
    >> AT+MQTTUSERCFG=0,1,"dev1","user","wrong",0,0,""
    <<
    << OK
    >> AT+MQTTCONN=0,"192.168.3.102",1883,1
    << +MQTTDISCONNECTED:0
    << ERR CODE:0x010a600b
    <<
    << ERROR
    >> AT+MQTTCONN?
    << +MQTTCONN:0,2,1,"","","",0
    <<
    << OK
    >> AT+MQTTPUB=0,"t","x",0,0
    << ERR CODE:0x010a6006
    <<
    << ERROR
    >> AT+FAKE
    << ERR CODE:0x01090000
    <<
    << ERROR`,
  );
});

test("[ESP-AT 8.5] the broker restarts: the modem comes back by itself and subscribes to nothing", async () => {
  let own = await startMosquitto(["allow_anonymous true"]);
  try {
    const { host } = await start({
      hosts: { "192.168.3.102": { host: "127.0.0.1", port: own.ports[0] ?? 0 } },
      limits: { mqttReconnectMilliseconds: 200 },
    });
    await joinWifi(host);
    await host.command('AT+MQTTUSERCFG=0,1,"dev1","","",0,0,""');
    await host.command('AT+MQTTCONN=0,"192.168.3.102",1883,1');
    await host.command('AT+MQTTSUB=0,"topic",1');
    const { ports } = own;
    await own.stop();
    await playTranscript(host, "<< +MQTTDISCONNECTED:0");
    expect(await host.command('AT+MQTTPUB=0,"topic","x",1,0')).toEqual(["ERROR"]);
    own = await startMosquitto(["allow_anonymous true"], "", ports);
    await playTranscript(
      host,
      `
      << +MQTTCONNECTED:0,1,"192.168.3.102","1883","",1
      >> AT+MQTTSUB?
      << +MQTTSUB:0,4,"",0
      <<
      << OK
      >> AT+MQTTSUB=0,"topic",1
      <<
      << OK`,
    );
  } finally {
    await own.stop();
  }
});

test("[ESP-AT 8.6] MQTTPUBRAW takes any bytes, and a long message comes in pieces of the module's buffer", async () => {
  const { host } = await start({ hosts: { "192.168.3.102": { host: "127.0.0.1", port: port(2) } } });
  await joinWifi(host);
  await host.command('AT+MQTTUSERCFG=0,1,"raw","","",0,0,""');
  await host.command('AT+MQTTCONN=0,"192.168.3.102",1883,0');
  const payload = Buffer.from(Array.from({ length: 427 }, (_, index) => index % 256));
  await playTranscript(host, '>> AT+MQTTPUBRAW=0,"topic",427,0,0\n<<\n<< OK\n<<\n<< >');
  host.send(payload);
  await playTranscript(host, "<< +MQTTPUB:OK");
  await host.command('AT+MQTTSUB=0,"topic",1');
  await playTranscript(host, '>> AT+MQTTPUBRAW=0,"topic",2000,1,0\n<<\n<< OK\n<<\n<< >');
  const long = Buffer.alloc(2000, "\r\n");
  host.send(long);
  // Fixed header 3, topic 2 + 5, packet id 2: 1012 bytes of the first 1024 are payload.
  for (const bytes of [1012, 988]) {
    const head = `+MQTTSUBRECV:0,"topic",${bytes},`;
    expect((await host.take(head.length)).toString()).toBe(head);
    expect(await host.take(bytes)).toEqual(long.subarray(0, bytes));
    expect(await host.line()).toBe("");
  }
  await playTranscript(host, "<< +MQTTPUB:OK");
});

test("[ESP-AT 8.7] busy while it scans, and unknown commands", async () => {
  const accessPoints = [{ ssid: "lab", password: "secret-pass", bssid: "18:fe:34:00:00:01", channel: 6, rssiDbm: -62 }];
  const { host } = await start({ wifi: { accessPoints, scanMilliseconds: 200 } });
  await playTranscript(
    host,
    `
    >> AT+CWLAP
    >> AT
    <<
    << busy p...
    << +CWLAP:(3,"lab",-62,"18:fe:34:00:00:01",6,-1,-1,4,4,7,0)
    <<
    << OK
    >> AT+FAKE
    <<
    << ERROR`,
  );
});

test("[ESP-AT 8.8] a restart finds the network it knew", async () => {
  const { host } = await start();
  await joinWifi(host);
  await host.command("ATE1");
  await playTranscript(host, "\n>> AT+RST\n<< AT+RST\n<<\n<< OK\n<< WIFI DISCONNECT\n<<\n<< ready\n<< WIFI CONNECTED\n<< WIFI GOT IP");
});

test.each([
  { scheme: 1, listener: 2, path: "" },
  { scheme: 2, listener: 1, path: "" },
  { scheme: 3, listener: 1, path: "" },
  { scheme: 4, listener: 0, path: "" },
  { scheme: 5, listener: 0, path: "" },
  { scheme: 6, listener: 3, path: "mqtt" },
  { scheme: 7, listener: 4, path: "mqtt" },
  { scheme: 8, listener: 4, path: "mqtt" },
  { scheme: 9, listener: 4, path: "mqtt" },
  { scheme: 10, listener: 4, path: "mqtt" },
])("[ESP-AT 2.2, 8.9] scheme $scheme connects and hears itself", async ({ scheme, listener, path }) => {
  const { host } = await start({ hosts: { "broker.example.com": { host: "127.0.0.1", port: port(listener) } } });
  await joinWifi(host);
  await host.command('AT+CIPSNTPCFG=1,0,"pool.ntp.org"');
  await host.line();
  await host.command(`AT+MQTTUSERCFG=0,${scheme},"s${scheme}","","",0,0,"${path}"`);
  const shownPath = path === "" ? "" : `/${path}`;
  expect(await host.command('AT+MQTTCONN=0,"broker.example.com",8081,1')).toEqual([
    `+MQTTCONNECTED:0,${scheme},"broker.example.com","8081","${shownPath}",1`,
    "OK",
  ]);
  await host.command(`AT+MQTTSUB=0,"own/${scheme}",1`);
  expect(await host.command(`AT+MQTTPUB=0,"own/${scheme}","hello",1,0`)).toEqual([`+MQTTSUBRECV:0,"own/${scheme}",5,hello`, "OK"]);
});

const failure = ["+MQTTDISCONNECTED:0", "ERR CODE:0x010a600b", "ERROR"];
test.each([
  { name: "the clock is in 1970", options: { faults: { hasNoTimeServer: true } }, expected: failure },
  { name: "the server's issuer is unknown", options: { faults: { tls: "untrusted-server" } }, expected: failure },
  { name: "no client certificate is sent", options: { faults: { tls: "no-client-certificate" } }, expected: failure },
  {
    name: "the client certificate is damaged",
    options: { faults: { tls: "damaged-client-certificate" } },
    expected: ["+MQTTDISCONNECTED:0", "ERR CODE:0x010a6009", "ERROR"],
  },
  {
    name: "the certificate is of a stranger",
    options: { stranger: true },
    expected: failure,
  },
  {
    name: "there is no certificate",
    options: { certificates: [] },
    expected: ["NO CA FOUND", "+MQTTDISCONNECTED:0", "ERR CODE:0x010a6022", "ERROR"],
  },
  {
    name: "memory is short",
    options: { limits: { heapBytes: 30_000 } },
    expected: ["+MQTTDISCONNECTED:0", "ERR CODE:0x010a6005", "ERROR"],
  },
  { name: "the Wi-Fi is away", options: { startsOutOfRange: true }, expected: failure },
] as const)("mutual TLS fails when $name", async ({ options, expected }) => {
  const stranger: Certificate[] = [
    { use: "mqtt", kind: "ca", pem: pki.ca },
    { use: "mqtt", kind: "cert", pem: pki.strangerCert },
    { use: "mqtt", kind: "key", pem: pki.strangerKey },
  ];
  const { host } = await start("stranger" in options ? { certificates: stranger } : options);
  await host.command("AT+SYSLOG=1");
  await host.command('AT+CWJAP="ssid","password"');
  await host.command('AT+CIPSNTPCFG=1,8,"pool.ntp.org"');
  await host.command('AT+MQTTUSERCFG=0,5,"esp32","","",0,0,""');
  const lines = await host.command(`AT+MQTTCONN=0,"${endpoint}",8883,1`);
  expect(lines.filter((line) => line !== "+TIME_UPDATED")).toEqual(expected);
});

test("a certificate for another name is refused, and taken by those who do not look", async () => {
  const hosts = { "elsewhere.example": { host: "127.0.0.1", port: port(1) } };
  for (const checksServerName of [true, false]) {
    const { host } = await start({ hosts, checksServerName });
    await joinWifi(host);
    await host.command("AT+SYSLOG=1");
    await host.command('AT+CIPSNTPCFG=1,8,"pool.ntp.org"');
    await host.line();
    await host.command('AT+MQTTUSERCFG=0,3,"name","","",0,0,""');
    const lines = await host.command('AT+MQTTCONN=0,"elsewhere.example",8883,1');
    if (checksServerName) expect(lines).toEqual(["+MQTTDISCONNECTED:0", "ERR CODE:0x010a6052", "ERROR"]);
    else expect(lines.at(-1)).toBe("OK");
    if (!checksServerName) continue;
    await host.command('AT+MQTTSNI=0,"broker.example.com"');
    await host.command('AT+MQTTALPN=0,1,"mqtt"');
    expect((await host.command('AT+MQTTCONN=0,"elsewhere.example",8883,1')).at(-1)).toBe("OK");
  }
});

test("the client id, user name and password: typed after a prompt, or in the line as older firmware does", async () => {
  const { host } = await start({ hosts: { "broker.example.com": { host: "127.0.0.1", port: port(2) } } });
  await joinWifi(host);
  await host.command('AT+MQTTUSERCFG=0,1,"","","",0,0,""');
  const long = "c".repeat(600);
  for (const [name, value] of [
    ["MQTTLONGCLIENTID", long],
    ["MQTTLONGUSERNAME", "long user"],
    ["MQTTLONGPASSWORD", "p".repeat(1024)],
  ] as const) {
    await playTranscript(host, `>> AT+${name}=0,${value.length}\n<<\n<< OK\n<<\n<< >\n>>> ${value}\n<<\n<< OK`);
  }
  expect((await host.command('AT+MQTTCONN=0,"broker.example.com",1883,0')).at(-1)).toBe("OK");
  await until("long values", () => broker.output().includes(`as ${long} (p2, c1, k120, u'long user')`));
  await host.command("AT+MQTTCLEAN=0");
  await host.command('AT+MQTTUSERCFG=0,1,"","","",0,0,""');
  await host.command('AT+MQTTCLIENTID=0,"short"');
  await host.command('AT+MQTTUSERNAME=0,"short user"');
  await host.command('AT+MQTTPASSWORD=0,"short password"');
  expect((await host.command('AT+MQTTCONN=0,"broker.example.com",1883,0')).at(-1)).toBe("OK");
  await until("short values", () => broker.output().includes("as short (p2, c1, k120, u'short user')"));
});

test("[ESP-AT 2.9] ten topics and no more; [ESP-AT 2.6] a link lost without reconnect needs MQTTCLEAN", async () => {
  const own = await startMosquitto(["allow_anonymous true"]);
  const { host } = await start({ hosts: { "broker.example.com": { host: "127.0.0.1", port: own.ports[0] ?? 0 } } });
  await joinWifi(host);
  await host.command('AT+MQTTUSERCFG=0,1,"ten","","",0,0,""');
  await host.command('AT+MQTTCONN=0,"broker.example.com",1883,0');
  for (let topic = 0; topic < 10; topic += 1) expect(await host.command(`AT+MQTTSUB=0,"t/${topic}",${topic % 3}`)).toEqual(["OK"]);
  expect(await host.command('AT+MQTTSUB=0,"t/10",1')).toEqual(["ERROR"]);
  expect(await host.command('AT+MQTTSUB=0,"t/3",1')).toEqual(["OK"]);
  expect(await host.command('AT+MQTTUNSUB=0,"none"')).toEqual(["OK"]);
  // The broker passes a message of QoS 2 on when it is released.
  await playTranscript(host, '>> AT+MQTTPUB=0,"t/2","exactly once",2,0\n<<\n<< OK\n<< +MQTTSUBRECV:0,"t/2",12,exactly once');
  const { ports } = own;
  await own.stop();
  await playTranscript(host, "<< +MQTTDISCONNECTED:0");
  const again = await startMosquitto(["allow_anonymous true"], "", ports);
  try {
    expect(await host.command('AT+MQTTCONN=0,"broker.example.com",1883,0')).toEqual(["ERROR"]);
    await host.command("AT+MQTTCLEAN=0");
    await host.command('AT+MQTTUSERCFG=0,1,"ten","","",0,0,""');
    expect((await host.command('AT+MQTTCONN=0,"broker.example.com",1883,0')).at(-1)).toBe("OK");
  } finally {
    await again.stop();
  }
});

test("the Wi-Fi is lost and found: the link is told, and comes back", async () => {
  const { host, modem } = await start({
    hosts: { "broker.example.com": { host: "127.0.0.1", port: port(2) } },
    limits: { mqttReconnectMilliseconds: 1500 },
  });
  await joinWifi(host);
  await host.command('AT+MQTTUSERCFG=0,1,"roam","","",0,0,""');
  await host.command('AT+MQTTCONN=0,"broker.example.com",1883,1');
  modem.loseWifi();
  await playTranscript(host, "<< WIFI DISCONNECT\n<< +MQTTDISCONNECTED:0");
  modem.findWifi();
  await playTranscript(host, '<< WIFI CONNECTED\n<< WIFI GOT IP\n<< +MQTTCONNECTED:0,1,"broker.example.com","1883","",1');
});

test("examples/esp-at-aws: the same lines, as a program", async () => {
  const files = { ca: pki.caFile, cert: join(pki.folder, "device.crt"), key: join(pki.folder, "device.key") };
  const flags = Object.entries({ endpoint, address: `127.0.0.1:${port(0)}`, ...files }).flatMap(([name, value]) => [`--${name}`, value]);
  const { code, stdout, stderr } = await runNode(["examples/esp-at-aws/main.ts", ...flags]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain(`+MQTTCONNECTED:0,5,"${endpoint}","8883","",1\r\n\r\nOK\r\n`);
  expect(stdout).toMatch(/\+MQTTSUBRECV:0,"topic\/esp32at",10,hello aws!\r\n\r\nOK\r\n$/);
});

test("[ESP-AT 4.1] the three AWS files are put into the module without building firmware", async () => {
  const { host } = await start({ certificates: [] });
  for (const [name, pem] of [
    ["mqtt_ca", pki.ca],
    ["mqtt_cert", pki.deviceCert],
    ["mqtt_key", pki.deviceKey],
  ] as const) {
    await playTranscript(host, `>> AT+SYSMFG=2,"${name}","${name}",8,${pem.length}\n<<\n<< OK\n<<\n<< >`);
    host.send(pem);
    await playTranscript(host, "<<\n<< OK");
  }
  await playTranscript(host, seed, { endpoint });
});

test("[ESP-AT 4.2] and into the partitions of older firmware", async () => {
  const { host } = await start({ certificates: [], version: "v2.2" });
  for (const [type, name, pem] of [
    [1, "mqtt_ca", pki.ca],
    [2, "mqtt_cert", pki.deviceCert],
    [3, "mqtt_key", pki.deviceKey],
  ] as const) {
    const item = Buffer.concat([Buffer.from([type, 0, pem.length & 0xff, pem.length >> 8]), pem]);
    const container = Buffer.concat([Buffer.from([0xf1, 0xf1, 1, 0, item.length & 0xff, item.length >> 8, 0, 0]), item]);
    expect(await host.command(`AT+SYSFLASH=0,"${name}"`)).toEqual(["OK"]);
    await playTranscript(host, `>> AT+SYSFLASH=1,"${name}",0,${container.length}\n<<\n<< OK\n<<\n<< >`);
    host.send(container);
    await playTranscript(host, "<<\n<< OK");
  }
  await playTranscript(host, seed.replace("<< +TIME_UPDATED\n", ""), { endpoint });
});
