/**
 * The ESP8266 demo that reports over TLS: gets the time, asks the authentication host for a token, opens TLS on port 1883
 * of the host it was told, subscribes `data` and `relay`, greets, then publishes a temperature again and again. `data`
 * echoes (its class allows both directions); a rule forwards it to `relay`.
 *
 *   node main.ts --product-key ymXuzyfmuQb --device-name esp8266_test001 --device-secret … \
 *     --host 127.0.0.1 --preauth-port 8443 --ca data/ca.crt
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Device } from "@thingstead/device";

const { values } = parseArgs({
  options: {
    "product-key": { type: "string" },
    "device-name": { type: "string" },
    "device-secret": { type: "string" },
    region: { type: "string", default: "cn-shanghai" },
    host: { type: "string" },
    port: { type: "string", default: "1883" },
    "preauth-port": { type: "string", default: "443" },
    ca: { type: "string" },
    /** Seconds between two reports. */
    interval: { type: "string", default: "5" },
    /** Reports to send before ending; 0 = for ever. */
    count: { type: "string", default: "0" },
  },
});

const earliestSaneTime = Date.UTC(2017, 0, 1);
const log = (line: string) => console.log(line);
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Certificates cannot be checked by a clock that stands in 1970: the firmware waits for SNTP, we for the system's clock.
while (Date.now() < earliestSaneTime) {
  log("did not get a valid time from sntp server");
  await sleep(1_000);
}
log(`current time : ${new Date().toUTCString()}`);
log("[ALIYUN] MQTT client example begin");

const device = new Device({
  productKey: values["product-key"] ?? "",
  deviceName: values["device-name"] ?? "",
  deviceSecret: values["device-secret"] ?? "",
  mode: "preauth",
  region: values.region,
  ...(values.host === undefined ? {} : { host: values.host }),
  port: Number(values.port),
  preAuthPort: Number(values["preauth-port"]),
  ...(values.ca === undefined ? {} : { ca: readFileSync(values.ca) }),
  isCleanSession: true,
});
device.on("state", (state) => log(`state: ${state}`));
device.on("trouble", (error) => log(`trouble: ${error.code} ${error.message}`));

await device.connect();
const topicData = device.topic("data");
const topicRelay = device.topic("relay");

for (const topic of [topicData, topicRelay]) {
  await device.subscribe(
    topic,
    (message) => {
      log("----");
      log(`Topic: '${message.topic}' (Length: ${message.topic.length})`);
      log(`Payload: '${message.payload.toString()}' (Length: ${message.payload.length})`);
      log("----");
    },
    { qos: 1 },
  );
  log(`subscribe success, topic=${topic}`);
}

await device.publish(topicData, "message: hello! start!", { qos: 1 });
log("publish success, topic msg=message: hello! start!");

const count = Number(values.count);
for (let sent = 0; count === 0 || sent < count; sent++) {
  const payload = `{"attr_name":"temperature", "attr_value":"${sent}"}`;
  await device.publish(topicData, payload, { qos: 1 });
  log(`publish success, topic msg=${payload}`);
  await sleep(Number(values.interval) * 1_000);
}
await device.end();
