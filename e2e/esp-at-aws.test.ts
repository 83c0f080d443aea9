/** Seed 004 and the transcripts of the manual, against a mosquitto that demands certificates as AWS does. [ESP-AT 8] */
import { type Certificate, createModem, type Modem, type ModemOptions } from "@thingstead/esp-at";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type AtHost, createAtHost, playTranscript } from "./support/at-host.ts";
import { type Mosquitto, startMosquitto } from "./support/mosquitto.ts";
import { needProgram } from "./support/services.ts";
import { createTestPki, type TestPki } from "./support/test-pki.ts";

const endpoint = "xxx-ats.iot.us-east-2.amazonaws.com";
let pki: TestPki;
let broker: Mosquitto;
const modems: Modem[] = [];

beforeAll(async () => {
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

test("seed 004: the lines of the vendor's document, in their order, by mutual TLS", async (context) => {
  needProgram(context, "mosquitto");
  const { host } = await start();
  await playTranscript(host, seed, { endpoint });
  expect(host.rest()).toBe("");
  expect(broker.output()).toMatch(/as esp32 \(p2, c1, k120, u'device'\)/);
});
