/**
 * RT-Thread's ali-iotkit samples with their shell commands. Without commands there is a shell; with them they run one after
 * the other, and the program ends.
 *
 *   node main.ts --product-key a1HETlEuvri --device-name RGB-LED-DEV-1 --device-secret … --host 127.0.0.1 --ca data/ca.crt
 *   node main.ts … "ali_mqtt_test start" "ali_mqtt_test pub open" "ali_mqtt_test stop"
 */
import { createInterface } from "node:readline";
import { DeviceError } from "@thingstead/device";
import { board, log } from "./board.ts";
import { mqttCommands, mqttIsRunning } from "./mqtt-sample.ts";
import { otaCommands, otaIsRunning } from "./ota-sample.ts";

const commands = { ...mqttCommands, ...otaCommands };

/** False when the command failed. */
async function run(line: string): Promise<boolean> {
  const name = line.trim().replace(/\s+/g, " ");
  if (name === "") return true;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    log(`${name}: command not found. There are: ${Object.keys(commands).join(", ")}`);
    return false;
  }
  // A second connection of the same device would end the first one, and the two would fight for it.
  const rivals = { "ali_ota_test start": mqttIsRunning, "ali_mqtt_test start": otaIsRunning };
  if (Object.entries(rivals).some(([start, isRivalRunning]) => start === name && isRivalRunning())) {
    log("a device has one connection: first stop the other sample");
    return false;
  }
  try {
    await command();
    return true;
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    log(`[err] ${error.code}: ${error.message}`);
    return false;
  }
}

/** What still runs is stopped, so that the program can end. */
async function stopAll(): Promise<void> {
  if (mqttIsRunning()) await run("ali_mqtt_test stop");
  if (otaIsRunning()) await run("ali_ota_test stop");
}

if (board.script.length > 0) {
  let isDone = true;
  for (const line of board.script) {
    log(`msh />${line}`);
    isDone = (await run(line)) && isDone;
  }
  await stopAll();
  process.exitCode = isDone ? 0 : 1;
} else {
  // Of a pipe only the commands are wanted, no prompt between the lines.
  const isTerminal = process.stdin.isTTY === true;
  const shell = createInterface({ input: process.stdin, output: process.stdout, prompt: isTerminal ? "msh />" : "", terminal: isTerminal });
  // A pipe may end while its last command runs: there is nothing to ask for any more.
  let isOpen = true;
  shell.once("close", () => {
    isOpen = false;
  });
  shell.prompt();
  for await (const line of shell) {
    await run(line);
    if (isOpen) shell.prompt();
  }
  await stopAll();
}
