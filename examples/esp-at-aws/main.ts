/**
 * The vendor's document "MQTT AT examples for cloud", line by line: an ESP-AT module reaches an AWS-style endpoint by mutual TLS,
 * subscribes, publishes and hears itself.
 *
 *   node main.ts --endpoint xxx-ats.iot.us-east-2.amazonaws.com --ca Amazon-root-CA-1.pem --cert device.pem.crt --key private.pem.key
 *                [--address 127.0.0.1:8883] [--tcp 127.0.0.1:2323]
 *
 * `--address` is where the endpoint's name leads; without it the name is looked up. `--tcp` plays it on a modem that is already there,
 * a real one behind a serial server or `thingstead modem --listen 2323`; its certificates are in its flash.
 */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { parseArgs } from "node:util";
import { createModem } from "@thingstead/esp-at";

const { values } = parseArgs({
  options: {
    endpoint: { type: "string", default: "xxx-ats.iot.us-east-2.amazonaws.com" },
    address: { type: "string" },
    ca: { type: "string" },
    cert: { type: "string" },
    key: { type: "string" },
    tcp: { type: "string" },
    ssid: { type: "string", default: "ssid" },
    password: { type: "string", default: "password" },
  },
});

const steps: readonly { command: string; until: RegExp }[] = [
  { command: "ATE0", until: /\r\nOK\r\n/ },
  // 1. Station mode.
  { command: "AT+CWMODE=1", until: /\r\nOK\r\n/ },
  // 2. The access point.
  { command: `AT+CWJAP="${values.ssid}","${values.password}"`, until: /\r\nOK\r\n/ },
  // 3. The time server: certificates are judged by the module's clock.
  { command: 'AT+CIPSNTPCFG=1,8,"pool.ntp.org"', until: /\+TIME_UPDATED\r\n/ },
  // 4. The time.
  { command: "AT+CIPSNTPTIME?", until: /\r\nOK\r\n/ },
  // 5. Mutual TLS; AWS looks at the certificate and not at the user.
  { command: 'AT+MQTTUSERCFG=0,5,"esp32","espressif","1234567890",0,0,""', until: /\r\nOK\r\n/ },
  // 6. The endpoint.
  { command: `AT+MQTTCONN=0,"${values.endpoint}",8883,1`, until: /\r\nOK\r\n/ },
  // 7. Subscribe.
  { command: 'AT+MQTTSUB=0,"topic/esp32at",1', until: /\r\nOK\r\n/ },
  // 8. Publish, and hear it.
  { command: 'AT+MQTTPUB=0,"topic/esp32at","hello aws!",1,0', until: /\+MQTTSUBRECV:0,"topic\/esp32at",10,hello aws!\r\n.*OK\r\n/s },
];

const stepMilliseconds = 20_000;
let received = "";
let wake = () => {};
const receive = (bytes: Uint8Array) => {
  received += Buffer.from(bytes).toString();
  process.stdout.write(bytes);
  wake();
};
const port = values.tcp === undefined ? openModem() : openSocket(values.tcp);

await expectAnswer("ready", /ready\r\n|$/);
for (const { command, until } of steps) {
  received = "";
  port.write(`${command}\r\n`);
  await expectAnswer(command, until);
}
port.close();

function openModem() {
  const [host = "", digits] = values.address?.split(":") ?? [];
  const certificates = (["ca", "cert", "key"] as const).flatMap((kind) => {
    const file = values[kind];
    return file === undefined ? [] : [{ use: "mqtt" as const, kind, pem: readFileSync(file) }];
  });
  const modem = createModem({
    output: receive,
    log: (text) => console.error(text),
    certificates,
    ...(values.address === undefined
      ? {}
      : { hosts: { [values.endpoint]: { host, ...(digits === undefined ? {} : { port: Number(digits) }) } } }),
  });
  return { write: (text: string) => modem.write(Buffer.from(text)), close: () => modem.close() };
}

function openSocket(address: string) {
  const [host = "127.0.0.1", digits] = address.split(":");
  const socket = connect({ host, port: Number(digits) });
  socket.on("data", receive);
  return { write: (text: string) => void socket.write(text), close: () => void socket.end() };
}

async function expectAnswer(command: string, until: RegExp): Promise<void> {
  const deadline = performance.now() + stepMilliseconds;
  while (!until.test(received)) {
    const left = deadline - performance.now();
    if (left <= 0 || received.includes("\r\nERROR\r\n")) {
      console.error(`\n${command}: ${left <= 0 ? "no answer" : "refused"}`);
      process.exit(1);
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, left);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
