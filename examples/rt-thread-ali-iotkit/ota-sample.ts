/**
 * `ali_ota_test start | stop`: tells the version that runs, waits for a package, downloads and checks it, and ends by itself.
 * Nothing is burned. For LinkPlatform the new version is told at once; for LinkDevelop it is told by the next
 * `ali_ota_test start`, as it would be after a restart.
 */
import { createHash } from "node:crypto";
import { type Device, DeviceError, type Upgrade } from "@thingstead/device";
import { board, constructClient, destroyClient, log } from "./board.ts";

/** What the sample's buffer takes at a time. */
const otaBufferBytes = 512;

interface Run {
  abort: AbortController;
  /** Resolves when the sample ended. */
  end: Promise<void>;
}

let running: Run | undefined;

async function start(): Promise<void> {
  if (running !== undefined) return log("ali_ota_main :: the sample runs already");
  log("ali_ota_main :: OTA sample");
  const device = await constructClient();
  const { productKey, deviceName } = device;
  // The MID report of the 2.x SDKs: who made the module and the chip. Nobody answers.
  const mid = { id: "0", params: { _sys_device_mid: "example.demo.module-id", _sys_device_pid: "example.demo.partner-id" } };
  await device.publish(`/sys/${productKey}/${deviceName}/thing/status/update`, JSON.stringify(mid));
  log(`[dbg] iotx_mc_report_mid: MID Report: topic name = '/sys/${productKey}/${deviceName}/thing/status/update'`);
  const abort = new AbortController();
  const { promise: offered, resolve, reject } = Promise.withResolvers<Upgrade>();
  abort.signal.addEventListener("abort", () => reject(abort.signal.reason));
  await device.ota.onUpgrade(resolve);
  log(`[inf] iotx_mc_subscribe: mqtt subscribe success,topic = /ota/device/upgrade/${productKey}/${deviceName}!`);
  await device.ota.inform(board.firmwareVersion);
  log(`mqtt_client :: OTA FW version: ${board.firmwareVersion}`);
  log("mqtt_client :: wait ota upgrade command....");
  const waiting = setInterval(() => log("mqtt_client :: wait ota upgrade command...."), board.waitSeconds * 1_000);
  const end = offered
    .then((upgrade) => {
      clearInterval(waiting);
      return take(device, upgrade, abort.signal);
    })
    .catch((error: unknown) => {
      if (!abort.signal.aborted) log(`mqtt_client :: ${error instanceof DeviceError ? error.message : String(error)}`);
    })
    .then(async () => {
      clearInterval(waiting);
      running = undefined;
      await destroyClient(device);
    });
  running = { abort, end };
}

async function take(device: Device, upgrade: Upgrade, signal: AbortSignal): Promise<void> {
  const [file] = upgrade.files;
  if (file === undefined) return;
  const hash = createHash(file.signMethod.toLowerCase());
  let isFirst = true;
  try {
    await upgrade.download(
      (piece) => {
        if (isFirst) log("mqtt_client :: Here write OTA data to file....");
        isFirst = false;
        hash.update(piece);
      },
      { pieceBytesMax: otaBufferBytes, signal },
    );
  } catch (error) {
    const isOther = error instanceof DeviceError && error.code === "device.file_mismatch";
    if (isOther) log("mqtt_client :: The firmware is invalid!");
    await upgrade.fail(isOther ? "verify" : "download", error instanceof DeviceError ? error.code : String(error));
    throw error;
  }
  log(`[dbg] IOT_OTA_Ioctl: origin=${file.digest}, now=${hash.digest("hex")}`);
  log("mqtt_client :: The firmware is valid! Download firmware successfully.");
  await upgrade.report(100);
  board.firmwareVersion = upgrade.version;
  log(`mqtt_client :: OTA FW version: ${upgrade.version}`);
  if (board.platform === "LinkPlatform") await device.ota.inform(upgrade.version);
}

async function stop(): Promise<void> {
  if (running === undefined) return log("ali_ota_main :: the sample does not run");
  const { abort, end } = running;
  abort.abort(new Error("stopped"));
  await end;
}

/** Until the sample ended by itself. */
async function wait(): Promise<void> {
  await running?.end;
}

export const otaIsRunning = () => running !== undefined;

export const otaCommands: Readonly<Record<string, () => Promise<void>>> = {
  "ali_ota_test start": start,
  "ali_ota_test stop": stop,
  "ali_ota_test wait": wait,
};
