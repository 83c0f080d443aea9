// A device with a thing model, made of the vendor's SDK, unmodified. Arguments: broker URL, product key, device name, secret.
// Posts a property and an event, takes settings, answers the asynchronous service `blink` and the synchronous one `measure`.
import { createRequire } from "node:module";

const [brokerUrl, productKey, deviceName, deviceSecret] = process.argv.slice(2);
const sdk = createRequire(import.meta.url)("alibabacloud-iot-device-sdk");
const print = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));
const device = sdk.device({ productKey, deviceName, deviceSecret, brokerUrl });
device.on("error", (error) => print("error", { message: String(error) }));
device.onProps((command) => {
  print("set", { params: command.params });
  device.postProps(command.params, (reply) => print("posted", { reply }));
});
device.onService("blink", (request, reply) => {
  print("blink", { params: request.params });
  reply({ id: request.id, code: 200, data: { times: 3 } });
});
device.onService("measure", (request, reply) => {
  print("measure", { params: request.params });
  reply({ id: request.id, code: 200, data: { result: 42 } }, "sync");
});
device.on("connect", () => {
  print("connect");
  device.postProps({ LightSwitch: 1, Level: 30 }, (reply) => print("properties", { reply }));
  device.postEvent("alarm", { value: { code: 7 }, time: Date.now() }, (reply) => print("alarm", { reply }));
});
process.stdin.resume();
process.stdin.on("end", () => device.end(false, () => process.exit(0)));
