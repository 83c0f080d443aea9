/** Names, addresses, and whether somebody is there. [ESP-AT 6.2] */
import { isIPv4 } from "node:net";
import { AtError } from "../at-error.ts";
import { type CommandDefinition, flag, integer, optional, text } from "../command.ts";

const factoryDns = ["208.67.222.222", "8.8.8.8", "0.0.0.0"];
const families = [0, 4, 6] as const;

export const networkCommands: readonly CommandDefinition[] = [
  {
    name: "+CIPDOMAIN",
    set: {
      // Networks: 1 prefers IPv4, 2 takes IPv4 only, 3 IPv6 only.
      parameters: [
        text("name", 128, { bytesMin: 1 }),
        integer("network", 1, 3, optional),
        integer("timeout", 1, 60_000, optional),
        flag("all", optional),
      ],
      async run({ modem, parameters }) {
        const family = families[parameters.integer("network", 1) - 1] ?? 0;
        const found = await modem.network.lookup(parameters.string("name"), family);
        const shown =
          parameters.integer("all", 0) === 1 ? found : [...found].sort((a, b) => Number(isIPv4(b)) - Number(isIPv4(a))).slice(0, 1);
        for (const address of shown) modem.output.line(`+CIPDOMAIN:"${address}"`);
      },
    },
  },
  {
    name: "+CIPDNS",
    query({ modem }) {
      const custom = modem.nvs.string("dns", "");
      const servers = custom === "" ? factoryDns : custom.split(",");
      modem.output.line(`+CIPDNS:${[custom === "" ? 0 : 1, ...servers.map((server) => `"${server}"`)].join(",")}`);
    },
    set: {
      // Names are found by the computer, whatever servers are named here.
      parameters: [flag("isManual"), ...["dns1", "dns2", "dns3"].map((name) => text(name, 39, optional))],
      run({ modem, parameters }) {
        if (parameters.integer("isManual") === 0) return modem.nvs.clear("dns");
        const servers = ["dns1", "dns2", "dns3"].flatMap((name) => (parameters.has(name) ? [parameters.string(name)] : []));
        const wrong = servers.findIndex((server) => !isIPv4(server));
        if (wrong >= 0) throw new AtError("parameterRange", wrong + 1);
        return modem.nvs.set("dns", (servers.length > 0 ? servers : factoryDns).join(","));
      },
    },
  },
  {
    name: "+PING",
    set: {
      parameters: [text("host", 128, { bytesMin: 1 })],
      async run({ modem, parameters }) {
        try {
          modem.output.line(`+PING:${await modem.network.ping(parameters.string("host"), modem.limits.networkMilliseconds)}`);
        } catch {
          modem.output.line("+PING:TIMEOUT");
          throw new AtError("failed");
        }
      },
    },
  },
  {
    name: "+CIPV6",
    query: ({ modem }) => modem.output.line(`+CIPV6:${modem.nvs.number("ipv6", 0)}`),
    set: { parameters: [flag("isOn")], run: ({ modem, parameters }) => modem.nvs.set("ipv6", parameters.integer("isOn")) },
  },
];
