// Every call of the vendor's SDK that sends something, once. Arguments: broker URL. Ends with its standard input.
import { createRequire } from "node:module";

const [brokerUrl] = process.argv.slice(2);
const sdk = createRequire(import.meta.url)("alibabacloud-iot-device-sdk");
const device = sdk.device({ productKey: "pk", deviceName: "vendor", deviceSecret: "secret", brokerUrl });
const gateway = sdk.gateway({ productKey: "pk", deviceName: "vendor_gateway", deviceSecret: "secret", brokerUrl });
const nothing = () => {};
const sub = { productKey: "subPk", deviceName: "sub1", deviceSecret: "subSecret" };
const names = { productKey: "subPk", deviceName: "sub1" };

device.on("connect", () => {
  device.postProps({ LightSwitch: 1 }, nothing);
  device.postEvent("alarm", { value: { code: 7 }, time: 1524448722000 }, nothing);
  device.postTags([{ attrKey: "room", attrValue: "12" }], nothing);
  device.deleteTags(["room"], nothing);
  device.getConfig(nothing);
  device.getShadow();
  device.postShadow({ color: "red" });
  device.deleteShadow(["color"]);
  device.deleteShadow();
});
gateway.on("connect", () => {
  gateway.regiestSubDevice([names], nothing);
  gateway.addTopo([sub], nothing);
  gateway.getTopo(nothing);
  gateway.removeTopo([names], nothing);
  gateway.login({ ...sub }, nothing);
  gateway.logout(names, nothing);
  console.log("sent");
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
