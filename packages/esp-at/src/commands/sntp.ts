/** The time. [ESP-AT 6.1] */
import { AtError } from "../at-error.ts";
import { type CommandDefinition, flag, integer, optional, text } from "../command.ts";
import { formatAsctime, zoneMinutesOf } from "../modem-time.ts";
import { defaultTimeServers } from "../time-sync.ts";

const serverBytesMax = 128;

export const sntpCommands: readonly CommandDefinition[] = [
  {
    name: "+CIPSNTPCFG",
    query({ modem }) {
      const { isEnabled, zone, servers } = modem.sync.config;
      const shown = isEnabled ? [1, zone, ...servers.map((server) => `"${server}"`)] : [0, zone];
      modem.output.line(`+CIPSNTPCFG:${shown.join(",")}`);
    },
    set: {
      parameters: [
        flag("isEnabled"),
        integer("zone", -1259, 1459, optional),
        ...["server1", "server2", "server3"].map((name) => text(name, serverBytesMax, optional)),
      ],
      run({ modem, parameters }) {
        const zone = parameters.integer("zone", modem.sync.config.zone);
        const zoneMinutes = zoneMinutesOf(zone);
        if (zoneMinutes === undefined) throw new AtError("parameterRange", 1);
        const named = ["server1", "server2", "server3"].flatMap((name) => (parameters.has(name) ? [parameters.string(name)] : []));
        const servers = named.length > 0 ? named : defaultTimeServers;
        modem.sync.configure({ isEnabled: parameters.integer("isEnabled") === 1, zone, zoneMinutes, servers });
      },
    },
  },
  {
    name: "+CIPSNTPTIME",
    query: ({ modem }) => modem.output.open(`+CIPSNTPTIME:${formatAsctime(modem.time.now(), modem.sync.config.zoneMinutes)}`),
  },
  {
    name: "+CIPSNTPINTV",
    since: "v3.2",
    query: ({ modem }) => modem.output.line(`+CIPSNTPINTV:${modem.sync.intervalSeconds}`),
    set: {
      parameters: [integer("seconds", 15, 4_294_967)],
      run({ modem, parameters }) {
        modem.sync.intervalSeconds = parameters.integer("seconds");
      },
    },
  },
];
