/**
 * The vendor's MQTT-TCP sample with its seven calls: construct, subscribe, publish, unsubscribe, yield, destroy, check state.
 * Sends one message to `data`, hears it back, and ends; with `--loop` it stays online.
 *
 *   node main.ts --product-key … --device-name … --device-secret … --host 127.0.0.1 [--tls --ca data/ca.crt] [--loop]
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
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
    tls: { type: "boolean", default: false },
    ca: { type: "string" },
    loop: { type: "boolean", default: false },
  },
});

// IOT_MQTT_Construct
const device = await connect({
  productKey: values["product-key"] ?? "",
  deviceName: values["device-name"] ?? "",
  deviceSecret: values["device-secret"] ?? "",
  mode: values.tls ? "tls" : "tcp",
  region: values.region,
  ...(values.host === undefined ? {} : { host: values.host }),
  port: Number(values.port),
  ...(values.ca === undefined ? {} : { ca: readFileSync(values.ca) }),
  signMethod: "hmacsha1",
});
// IOT_MQTT_CheckStateNormal
console.log(`state normal: ${device.isOnline}`);

// IOT_MQTT_Subscribe; IOT_MQTT_Yield has no counterpart: Node's event loop calls the handler.
const topicData = device.topic("data");
await device.subscribe(topicData, ({ topic, payload }) => console.log(`message arrive: ${topic} ${payload.toString()}`), { qos: 1 });
console.log("subscribe success");

// IOT_MQTT_Publish
const echo = once(device, "message");
await device.publish(topicData, "message: hello! start!", { qos: 1 });
console.log("publish success");
await echo;

if (!values.loop) {
  // IOT_MQTT_Unsubscribe, IOT_MQTT_Destroy
  await device.unsubscribe(topicData);
  console.log("unsubscribe success");
  await device.end();
  console.log(`state normal: ${device.isOnline}`);
}
