// A device made of the vendor's SDK, unmodified. Arguments: broker URL, product key, device name, secret.
// Lines on standard input: `postShadow {"a":1}`, `getShadow`, `deleteShadow "a"`, `postTags […]`, `deleteTags ["a"]`, `getConfig`.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [brokerUrl, productKey, deviceName, deviceSecret] = process.argv.slice(2);
const sdk = createRequire(import.meta.url)("alibabacloud-iot-device-sdk");
const print = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));
const device = sdk.device({ productKey, deviceName, deviceSecret, brokerUrl });
const answered = { postTags: true, deleteTags: true, getConfig: true };
device.on("error", (error) => print("error", { message: String(error) }));
device.onShadow((message) => print("shadow", { message }));
device.onConfig((message) => print("config", { message }));
device.on("connect", () => {
  // The SDK's own documentation subscribes to pushes of the configuration by hand.
  device.subscribe(`/sys/${productKey}/${deviceName}/thing/config/push`, () => print("ready"));
});
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [, name, json] = /^(\w+) ?(.*)$/.exec(line) ?? [];
    const values = json === "" ? [] : [JSON.parse(json)];
    if (answered[name]) values.push((reply) => print(name, { reply }));
    device[name](...values);
  })
  .on("close", () => device.end(false, () => process.exit(0)));
