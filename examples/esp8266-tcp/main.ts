/**
 * The ESP8266 on plain TCP: signs CONNECT itself with the station's MAC as client id and a random timestamp, publishes a
 * random number to `update` every ten seconds and prints what the cloud sends to `get`.
 *
 *   node main.ts --product-key a11ozGcYRSq --device-name smartLight --device-secret … --host 127.0.0.1
 */
import { randomInt } from "node:crypto";
import { networkInterfaces } from "node:os";
import { parseArgs } from "node:util";
import { connect } from "@thingstead/device";

const { values } = parseArgs({
  options: {
    "product-key": { type: "string" },
    "device-name": { type: "string" },
    "device-secret": { type: "string" },
    region: { type: "string", default: "cn-shanghai" },
    host: { type: "string" },
    port: { type: "string", default: "1883" },
    /** Twelve hex digits; default the machine's own. */
    mac: { type: "string" },
    interval: { type: "string", default: "10" },
    count: { type: "string", default: "0" },
  },
});

/** The first hardware address, lower-case hex without separators, as the firmware prints it. */
function stationMac(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const address = addresses.find((candidate) => !candidate.internal && candidate.mac !== "00:00:00:00:00:00");
  return (address?.mac ?? "a4:cf:12:00:00:01").replaceAll(":", "");
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const mac = values.mac ?? stationMac();
const timestamp = String(randomInt(1_000));
console.log(` MacAdress: ${mac}`);
console.log(` client_id -> ${mac}|securemode=3,signmethod=hmacsha1,timestamp=${timestamp}|`);

const device = await connect({
  productKey: values["product-key"] ?? "",
  deviceName: values["device-name"] ?? "",
  deviceSecret: values["device-secret"] ?? "",
  mode: "tcp",
  region: values.region,
  ...(values.host === undefined ? {} : { host: values.host }),
  port: Number(values.port),
  clientId: mac,
  signMethod: "hmacsha1",
  timestamp,
  keepAliveSeconds: 60,
});
console.log("MQTT: Connected");
device.on("trouble", (error) => console.log(`trouble: ${error.code} ${error.message}`));
await device.subscribe(device.topic("get"), ({ topic, payload }) => console.log(`Receive topic: ${topic}, data: ${payload.toString()}`), {
  qos: 1,
});
console.log("subscribed get");

const count = Number(values.count);
for (let sent = 0; count === 0 || sent < count; sent++) {
  const number = String(randomInt(100));
  await device.publish(device.topic("update"), number);
  console.log(`WenDu:${number}`);
  await sleep(Number(values.interval) * 1_000);
}
await device.end();
