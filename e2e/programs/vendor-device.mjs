// A device made of a vendor SDK, unmodified. Arguments: package, broker URL, product key, device name, secret, topic to echo on.
// Prints one JSON line per event. Runs in a process of its own so that NODE_EXTRA_CA_CERTS can name our CA.
import { createRequire } from "node:module";

const [name, brokerUrl, productKey, deviceName, deviceSecret, topic] = process.argv.slice(2);
const sdk = createRequire(import.meta.url)(name);
const print = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));
const device = sdk.device({ productKey, deviceName, deviceSecret, brokerUrl });
device.on("error", (error) => print("error", { message: String(error) }));
device.on("close", () => print("close"));
device.on("message", (from, payload) => print("message", { topic: from, payload: payload.toString() }));
device.on("connect", () => {
  print("connect");
  device.subscribe(topic, { qos: 1 }, (error, granted) => {
    print("subscribed", { error: error ? String(error) : undefined, granted });
    device.publish(topic, '{"attr_name":"temperature", "attr_value":"0"}', { qos: 1 }, (failure) =>
      print("published", { error: failure ? String(failure) : undefined }),
    );
  });
});
process.stdin.resume();
process.stdin.on("end", () => device.end(false, () => process.exit(0)));
