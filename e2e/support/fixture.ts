/** A product in the style of the seeds, with one device, a `data` and a `relay` class and the forwarding rule. */
import type { restClient } from "./rest-client.ts";

export interface Fixture {
  productKey: string;
  deviceName: string;
  deviceSecret: string;
  topic(shortName: string): string;
}

let counter = 0;

export async function createFixture(rest: ReturnType<typeof restClient>, options: { withRule?: boolean } = {}): Promise<Fixture> {
  counter += 1;
  const created = await rest("POST", "/products", { name: `ESP8266 ${process.pid}-${counter}`, topicStyle: "legacy" });
  if (created.status !== 201) throw new Error(JSON.stringify(created));
  const productKey: string = created.body.productKey;
  const device = await rest("POST", `/products/${productKey}/devices`, { deviceName: "esp8266_test001" });
  if (device.status !== 201) throw new Error(JSON.stringify(device));
  await rest("POST", `/products/${productKey}/topics`, { topic: "data", operation: "ALL" });
  await rest("POST", `/products/${productKey}/topics`, { topic: "relay", operation: "SUB" });
  if (options.withRule === true) {
    const rule = await rest("POST", "/rules", {
      isRunning: true,
      name: `forward ${productKey}`,
      sql: `SELECT * FROM "/${productKey}/+/data"`,
      actions: [{ type: "republish", topic: `/${productKey}/esp8266_test001/relay` }],
    });
    if (rule.status !== 201) throw new Error(JSON.stringify(rule));
  }
  return {
    productKey,
    deviceName: "esp8266_test001",
    deviceSecret: device.body.deviceSecret,
    topic: (shortName) => `/${productKey}/esp8266_test001/${shortName}`,
  };
}
