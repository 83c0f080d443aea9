/** What menuconfig sets on the board: credentials, platform, and how much of TLS fits into memory. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { connect, type Device, type ReceivedMessage } from "@thingstead/device";

/** Thing model messages, or a topic of the user's own. */
export type PlatformStyle = "LinkDevelop" | "LinkPlatform";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    platform: { type: "string", default: "LinkDevelop" },
    "product-key": { type: "string" },
    "device-name": { type: "string" },
    "device-secret": { type: "string" },
    region: { type: "string", default: "cn-shanghai" },
    host: { type: "string" },
    port: { type: "string", default: "1883" },
    ca: { type: "string" },
    /** "Maximum fragment length in bytes" of mbed TLS; below 8K a cloud that sends larger records fails with -0x7200. */
    "frame-bytes": { type: "string", default: "8192" },
    /** Version of the firmware that runs. */
    "firmware-version": { type: "string", default: "v9" },
    /** Seconds between two lines that say that nothing came yet. */
    interval: { type: "string", default: "2" },
  },
});

if (values.platform !== "LinkDevelop" && values.platform !== "LinkPlatform") {
  throw new Error(`--platform is ${values.platform}: expected LinkDevelop or LinkPlatform`);
}

export const board = {
  platform: values.platform as PlatformStyle,
  waitSeconds: Number(values.interval),
  /** What the flash holds: it changes with an upgrade. */
  firmwareVersion: values["firmware-version"],
  /** Commands of the command line; without any there is a shell. */
  script: positionals,
};

export const log = (line: string) => console.log(line);

/** Construct: device info, TLS, MQTT. The samples print their way. */
export async function constructClient(): Promise<Device> {
  log("[inf] iotx_device_info_init: device_info created successfully!");
  const device = await connect({
    productKey: values["product-key"] ?? "",
    deviceName: values["device-name"] ?? "",
    deviceSecret: values["device-secret"] ?? "",
    mode: "tls",
    region: values.region,
    ...(values.host === undefined ? {} : { host: values.host }),
    port: Number(values.port),
    ...(values.ca === undefined ? {} : { ca: readFileSync(values.ca) }),
    tlsRecordBytesMax: Number(values["frame-bytes"]),
    signMethod: "hmacsha1",
  });
  device.on("trouble", (error) => log(`[err] ${error.code}: ${error.message}`));
  device.on("offline", () => log("[inf] iotx_mc_cycle: network is disconnected!"));
  log("[inf] iotx_mc_connect: mqtt connect success!");
  return device;
}

/** The same on the way out. */
export async function destroyClient(device: Device): Promise<void> {
  await device.end();
  log("[inf] iotx_mc_disconnect: mqtt disconnect!");
  log("[inf] iotx_mc_release: mqtt release!");
  log("mqtt_client :: out of sample!");
}

/** The samples' message handler. */
export function printMessage({ topic, payload }: ReceivedMessage): void {
  log("_demo_message_arrive :: ----");
  log(`_demo_message_arrive :: Topic: '${topic}' (Length: ${Buffer.byteLength(topic)})`);
  log(`_demo_message_arrive :: Payload: '${payload.toString()}' (Length: ${payload.length})`);
  log("_demo_message_arrive :: ----");
}
