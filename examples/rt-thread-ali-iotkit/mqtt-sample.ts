/**
 * `ali_mqtt_test start | pub open | pub close | stop`: an RGB LED. For LinkDevelop it speaks the thing model; for LinkPlatform
 * the same JSON goes to the user's own topic `data`, which sends it back.
 */
import type { Device } from "@thingstead/device";
import { board, constructClient, destroyClient, log, printMessage } from "./board.ts";

/** As `thingstead tsl types` writes it for the product of the sample. */
interface RgbLed {
  properties: { LightSwitch: 0 | 1; RGBColor: { Red: number; Green: number; Blue: number } };
  writable: "LightSwitch" | "RGBColor";
  events: Record<never, never>;
  services: Record<never, never>;
}

const color = { Red: 247, Green: 60, Blue: 74 };
let running: { device: Device; filters: readonly string[] } | undefined;

function topicsOf(device: Device): readonly string[] {
  const sys = `/sys/${device.productKey}/${device.deviceName}`;
  const thing = [`${sys}/thing/service/property/set`, `${sys}/thing/event/property/post_reply`];
  return board.platform === "LinkDevelop" ? thing : [device.topic("data")];
}

async function start(): Promise<void> {
  if (running !== undefined) return log("ali_mqtt_main :: the sample runs already");
  log("ali_mqtt_main :: MQTT sample for an RGB LED");
  const device = await constructClient();
  const filters = topicsOf(device);
  running = { device, filters };
  for (const filter of filters) {
    await device.subscribe(filter, printMessage, { qos: 1 });
    log(`[inf] iotx_mc_subscribe: mqtt subscribe success,topic = ${filter}!`);
  }
  if (board.platform === "LinkDevelop") {
    await device.thing<RgbLed>().onPropertySet(({ LightSwitch }) => {
      if (LightSwitch !== undefined) log(`RGB LED is ${LightSwitch === 1 ? "on" : "off"}`);
    });
  }
}

async function publish(LightSwitch: 0 | 1): Promise<void> {
  if (running === undefined) return log("ali_mqtt_test_pub :: first: ali_mqtt_test start");
  const { device } = running;
  if (board.platform === "LinkDevelop") {
    const remarks = await device.thing<RgbLed>().report({ RGBColor: color, LightSwitch });
    log("event_handle :: publish success, code = 200");
    for (const [name, remark] of Object.entries(remarks)) log(`event_handle :: ${name}: ${remark}`);
    return;
  }
  const topic = device.topic("data");
  const payload = `{"id" : "1","version":"1.0","params" : {"RGBColor" : {"Red":247,"Green":60,"Blue":74},"LightSwitch" : ${LightSwitch}},"method":"thing.event.property.post"}`;
  log("ali_mqtt_test_pub :: publish message:");
  log(`topic: ${topic}`);
  log(`payload: ${payload}`);
  await device.publish(topic, payload, { qos: 1 });
  log("event_handle :: publish success");
}

async function stop(): Promise<void> {
  if (running === undefined) return log("ali_mqtt_main :: the sample does not run");
  const { device, filters } = running;
  running = undefined;
  for (const filter of filters) {
    await device.unsubscribe(filter);
    log(`[inf] iotx_mc_unsubscribe: mqtt unsubscribe success,topic = ${filter}!`);
  }
  await destroyClient(device);
}

export const mqttIsRunning = () => running !== undefined;

export const mqttCommands: Readonly<Record<string, () => Promise<void>>> = {
  "ali_mqtt_test start": start,
  "ali_mqtt_test pub open": () => publish(1),
  "ali_mqtt_test pub close": () => publish(0),
  "ali_mqtt_test stop": stop,
};
