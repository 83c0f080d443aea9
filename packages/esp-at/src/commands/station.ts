/** Addresses and names of the station. [ESP-AT 5, 6.2] */
import { isIPv4 } from "node:net";
import { AtError } from "../at-error.ts";
import { type CommandDefinition, integer, optional, text } from "../command.ts";

const addressBytesMax = 15;
const hostNameBytesMax = 32;
const macPattern = /^[\da-fA-F]{2}(:[\da-fA-F]{2}){5}$/;
/** Bit 0 is the station, bit 1 the access point. */
const dhcpAll = 3;

export const stationCommands: readonly CommandDefinition[] = [
  {
    name: "+CWDHCP",
    query: ({ modem }) => modem.output.line(`+CWDHCP:${modem.nvs.number("dhcp", dhcpAll)}`),
    set: {
      parameters: [integer("operation", 0, 1), integer("mode", 1, dhcpAll)],
      run({ modem, parameters }) {
        const mode = parameters.integer("mode");
        const before = modem.nvs.number("dhcp", dhcpAll);
        modem.nvs.set("dhcp", parameters.integer("operation") === 1 ? before | mode : before & ~mode);
        if (parameters.integer("operation") === 1 && (mode & 1) === 1)
          for (const name of ["staticIp", "staticGateway", "staticNetmask"]) modem.nvs.clear(name);
      },
    },
  },
  {
    name: "+CIPSTAMAC",
    query: ({ modem }) => modem.output.line(`+CIPSTAMAC:"${modem.nvs.string("mac", modem.macAddress)}"`),
    set: {
      parameters: [text("mac", 17)],
      run({ modem, parameters }) {
        const mac = parameters.string("mac").toLowerCase();
        // The lowest bit of the first byte is for groups.
        if (!macPattern.test(mac) || (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1) throw new AtError("parameterRange", 0);
        modem.nvs.set("mac", mac);
      },
    },
  },
  {
    name: "+CIPSTA",
    query({ modem }) {
      const { ip, gateway, netmask } = modem.station.address;
      modem.output.line(`+CIPSTA:ip:"${ip}"`);
      modem.output.line(`+CIPSTA:gateway:"${gateway}"`);
      modem.output.line(`+CIPSTA:netmask:"${netmask}"`);
    },
    set: {
      parameters: [text("ip", addressBytesMax), text("gateway", addressBytesMax, optional), text("netmask", addressBytesMax, optional)],
      run({ modem, parameters }) {
        const ip = parameters.string("ip");
        const gateway = parameters.string("gateway", ip.replace(/\d+$/, "1"));
        const netmask = parameters.string("netmask", "255.255.255.0");
        const wrong = [ip, gateway, netmask].findIndex((address) => !isIPv4(address));
        if (wrong >= 0) throw new AtError("parameterRange", wrong);
        modem.nvs.set("staticIp", ip);
        modem.nvs.set("staticGateway", gateway);
        modem.nvs.set("staticNetmask", netmask);
        modem.nvs.set("dhcp", modem.nvs.number("dhcp", dhcpAll) & ~1);
      },
    },
  },
  {
    name: "+CWHOSTNAME",
    query: ({ modem }) => modem.output.line(`+CWHOSTNAME:${modem.nvs.string("hostName", "espressif")}`),
    set: {
      parameters: [text("name", hostNameBytesMax, { bytesMin: 1 })],
      run({ modem, parameters }) {
        if ((modem.nvs.number("wifiMode", 1) & 1) === 0) throw new AtError("failed");
        modem.nvs.keep("hostName", parameters.string("name"));
      },
    },
  },
  {
    name: "+CIFSR",
    execute({ modem }) {
      if ((modem.nvs.number("wifiMode", 1) & 1) === 0) return;
      modem.output.line(`+CIFSR:STAIP,"${modem.station.address.ip}"`);
      modem.output.line(`+CIFSR:STAMAC,"${modem.nvs.string("mac", modem.macAddress)}"`);
    },
  },
];
