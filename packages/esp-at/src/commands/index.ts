/** Every command there is, by family. */
import type { CommandDefinition } from "../command.ts";
import { isBefore, type ModemVersion } from "../profile.ts";
import { basicCommands } from "./basic.ts";
import { flashCommands } from "./flash.ts";
import { httpCommands } from "./http.ts";
import { listCommands } from "./list.ts";
import { mqttCommands } from "./mqtt.ts";
import { mqttConfigCommands } from "./mqtt-config.ts";
import { networkCommands } from "./network.ts";
import { sntpCommands } from "./sntp.ts";
import { socketSettingCommands } from "./socket-settings.ts";
import { socketCommands } from "./sockets.ts";
import { stationCommands } from "./station.ts";
import { systemCommands } from "./system.ts";
import { wifiCommands } from "./wifi.ts";

/** A family as the manual has it, and its commands in the order of AT+CMD?. */
export const commandFamilies: readonly { family: string; commands: readonly CommandDefinition[] }[] = [
  { family: "basic", commands: [...basicCommands, ...listCommands, ...systemCommands, ...flashCommands] },
  { family: "Wi-Fi", commands: [...wifiCommands, ...stationCommands] },
  { family: "TCP/IP", commands: [...sntpCommands, ...networkCommands, ...socketCommands, ...socketSettingCommands] },
  { family: "MQTT", commands: [...mqttConfigCommands, ...mqttCommands] },
  { family: "HTTP", commands: httpCommands },
];

export function commandsOf(version: ModemVersion): CommandDefinition[] {
  return commandFamilies.flatMap(({ commands }) => commands.filter(({ since }) => since === undefined || !isBefore(version, since)));
}
