// A gateway made of the vendor's SDK, unmodified. Argument: a JSON object with broker URL, gateway and sub-product.
// Prints one JSON line per event. Obeys lines on standard input: `tag`, `logout`, `post`, `remove`; ends with it.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { brokerUrl, gateway: triple, sub: wanted } = JSON.parse(process.argv[2]);
const sdk = createRequire(import.meta.url)("alibabacloud-iot-device-sdk");
const print = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));
const gateway = sdk.gateway({ ...triple, brokerUrl });
let sub;
gateway.on("error", (error) => print("error", { message: String(error) }));
gateway.on("message", (topic, payload) => print("message", { topic, payload: payload.toString() }));
const ask = (call) => new Promise((resolve) => call(resolve));

gateway.on("connect", async () => {
  // Subscriptions of the SDK have gone out by then; the answers need them.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const registered = await ask((done) => gateway.regiestSubDevice([wanted], done));
  print("registered", registered);
  if (registered.code !== 200) return;
  const { productKey, deviceName, deviceSecret } = registered.data[0];
  const device = { productKey, deviceName, deviceSecret };
  print("added", await ask((done) => gateway.addTopo([device], done)));
  print("topology", await ask((done) => gateway.getTopo(done)));
  sub = gateway.login(device, (answer) => print("login", answer));
  sub.on("error", (error) => print("sub-error", error));
  sub.on("connect", async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    sub.onProps((request) => print("set", request));
    print("posted", await ask((done) => sub.postProps({ LightSwitch: 1 }, done)));
  });
});

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { productKey, deviceName } = sub.model;
  if (line === "logout") print("logout", await ask((done) => gateway.logout({ productKey, deviceName }, done)));
  if (line === "post") sub.postProps({ LightSwitch: 0 }, (answer) => print("posted", answer));
  if (line === "tag") sub.postTags([{ attrKey: "room", attrValue: "12" }], (answer) => print("tagged", answer));
  if (line === "remove") print("removed", await ask((done) => gateway.removeTopo([{ productKey, deviceName }], done)));
});
process.stdin.on("end", () => gateway.end(false, () => process.exit(0)));
