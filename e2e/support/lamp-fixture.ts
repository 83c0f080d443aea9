/** A product with the thing model of a lamp, and one device. */
import type { restClient } from "./rest-client.ts";

export interface LampDevice {
  productKey: string;
  deviceName: string;
  deviceSecret: string;
  iotId: string;
}

const number = (identifier: string) => ({ identifier, name: identifier, dataType: { type: "int", specs: { min: "0", max: "100" } } });

export const lampModel = {
  schema: "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json",
  profile: { version: "1.0", productKey: "a1HETlEuvri" },
  properties: [
    {
      identifier: "LightSwitch",
      name: "switch",
      accessMode: "rw",
      required: false,
      dataType: { type: "bool", specs: { "0": "off", "1": "on" } },
    },
    { ...number("Level"), accessMode: "rw", required: false },
    { ...number("Hours"), accessMode: "r", required: false },
  ],
  events: [
    { identifier: "alarm", name: "Alarm", type: "alert", required: false, method: "thing.event.alarm.post", outputData: [number("code")] },
  ],
  services: [
    {
      identifier: "blink",
      name: "blink",
      required: false,
      callType: "async",
      method: "thing.service.blink",
      inputData: [number("seconds")],
      outputData: [number("times")],
    },
    {
      identifier: "measure",
      name: "measure",
      required: false,
      callType: "sync",
      method: "thing.service.measure",
      inputData: [],
      outputData: [number("result")],
    },
  ],
};

let counter = 0;

export async function createLamp(rest: ReturnType<typeof restClient>, product: object = {}): Promise<LampDevice> {
  counter += 1;
  const created = async (path: string, body: object): Promise<Record<string, string>> => {
    const answer = await rest("POST", path, body);
    if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  };
  const { productKey = "" } = await created("/products", { name: `lamp ${process.pid}-${counter}`, ...product });
  const model = await rest("PUT", `/products/${productKey}/thing-model`, { ...lampModel, profile: { version: "1.0", productKey } });
  if (model.status !== 204) throw new Error(JSON.stringify(model));
  await created(`/products/${productKey}/thing-model/publish`, {});
  const { deviceName = "", deviceSecret = "", iotId = "" } = await created(`/products/${productKey}/devices`, { deviceName: "lamp1" });
  return { productKey, deviceName, deviceSecret, iotId };
}
