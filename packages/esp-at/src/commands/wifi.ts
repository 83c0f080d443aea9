/** Joining, leaving and looking for networks. [ESP-AT 5] */
import { AtError } from "../at-error.ts";
import { type Call, type CommandDefinition, flag, integer, optional, text } from "../command.ts";
import { type AccessPoint, joinFailures, stationStates } from "../wifi-station.ts";

const ssidBytesMax = 32;
const passwordBytesMax = 64;
const bssidBytesMax = 17;
/** All eleven fields of +CWLAP. */
const scanMaskAll = 0x7ff;

function needStationMode({ modem }: Call): void {
  if ((modem.nvs.number("wifiMode", 1) & 1) === 0) throw new AtError("failed");
}

async function join(call: Call, ssid: string, password: string, bssid: string): Promise<boolean> {
  const { station, output } = call.modem;
  const failure = await station.join(ssid, password, bssid);
  if (failure === undefined) return true;
  output.line(`+CWJAP:${joinFailures[failure]}`);
  throw new AtError("failed");
}

export const wifiCommands: readonly CommandDefinition[] = [
  {
    name: "+CWINIT",
    query: ({ modem }) => modem.output.line(`+CWINIT:${modem.nvs.number("wifiInit", 1)}`),
    set: {
      parameters: [flag("isOn")],
      run({ modem, parameters }) {
        modem.nvs.keep("wifiInit", parameters.integer("isOn"));
        if (parameters.integer("isOn") === 0) modem.station.leave();
      },
    },
  },
  {
    name: "+CWMODE",
    query: ({ modem }) => modem.output.line(`+CWMODE:${modem.nvs.number("wifiMode", 1)}`),
    set: {
      // Access points of our own have nobody to serve: modes 2 and 3 are taken, and no station ever comes.
      parameters: [integer("mode", 0, 3), flag("autoConnect", optional)],
      run({ modem, parameters }) {
        const mode = parameters.integer("mode");
        if ((mode & 1) === 0) modem.station.leave();
        modem.nvs.set("wifiMode", mode);
      },
    },
  },
  {
    name: "+CWSTATE",
    query({ modem }) {
      const { state, accessPoint } = modem.station;
      modem.output.line(`+CWSTATE:${stationStates.indexOf(state)},"${accessPoint?.ssid ?? ""}"`);
    },
  },
  {
    name: "+CWJAP",
    query({ modem }) {
      const { accessPoint, isOnline } = modem.station;
      if (!isOnline || accessPoint === undefined) return;
      const { ssid, bssid, channel, rssiDbm } = accessPoint;
      const [reconnectSeconds = 1] = modem.nvs.numbers("wifiReconnect", [1, 0]);
      modem.output.line(`+CWJAP:"${ssid}","${bssid}",${channel},${rssiDbm},0,${reconnectSeconds},3,0,1`);
    },
    set: {
      parameters: [
        text("ssid", ssidBytesMax, optional),
        text("password", passwordBytesMax, optional),
        text("bssid", bssidBytesMax, optional),
        integer("pciEnabled", 0, 16, optional),
        integer("reconnectSeconds", 0, 7200, optional),
        integer("listenInterval", 1, 100, optional),
        flag("scanMode", optional),
        integer("timeoutSeconds", 3, 600, optional),
        integer("pmf", 0, 3, optional),
      ],
      run(call) {
        const { modem, parameters } = call;
        needStationMode(call);
        const ssid = parameters.string("ssid", modem.nvs.string("ssid", ""));
        const password = parameters.string("password", "");
        const bssid = parameters.string("bssid", "");
        return join(call, ssid, password, bssid).then(() => {
          modem.nvs.set("ssid", ssid);
          modem.nvs.set("password", password);
          modem.nvs.set("bssid", bssid);
          if (parameters.has("reconnectSeconds")) modem.nvs.set("wifiReconnect", [parameters.integer("reconnectSeconds"), 0]);
        });
      },
    },
    execute(call) {
      needStationMode(call);
      const { nvs } = call.modem;
      return join(call, nvs.string("ssid", ""), nvs.string("password", ""), nvs.string("bssid", ""));
    },
  },
  {
    name: "+CWRECONNCFG",
    query: ({ modem }) => modem.output.line(`+CWRECONNCFG:${modem.nvs.numbers("wifiReconnect", [1, 0]).join(",")}`),
    set: {
      parameters: [integer("intervalSeconds", 0, 7200), integer("attempts", 0, 1000), flag("now", optional)],
      run: ({ modem, parameters }) =>
        modem.nvs.set("wifiReconnect", [parameters.integer("intervalSeconds"), parameters.integer("attempts")]),
    },
  },
  {
    name: "+CWLAPOPT",
    set: {
      parameters: [
        integer("reserved", 0, 1),
        integer("mask", 0, scanMaskAll),
        integer("rssiMin", -100, 40, optional),
        integer("securityMask", 0, 0xffff, optional),
      ],
      run: ({ modem, parameters }) => modem.nvs.keep("scanOptions", [parameters.integer("mask"), parameters.integer("rssiMin", -100)]),
    },
  },
  {
    name: "+CWLAP",
    set: {
      parameters: [
        text("ssid", ssidBytesMax, optional),
        text("mac", bssidBytesMax, optional),
        integer("channel", 0, 14, optional),
        integer("scanType", 0, 1, optional),
        integer("timeMin", 0, 1500, optional),
        integer("timeMax", 0, 1500, optional),
      ],
      run(call) {
        const { parameters } = call;
        return scan(
          call,
          (each) =>
            (!parameters.has("ssid") || each.ssid === parameters.string("ssid")) &&
            (!parameters.has("mac") || each.bssid === parameters.string("mac").toLowerCase()) &&
            (!parameters.has("channel") || each.channel === parameters.integer("channel")),
        );
      },
    },
    execute: (call) => scan(call, () => true),
  },
  {
    name: "+CWQAP",
    execute: ({ modem }) => modem.station.leave(),
  },
  {
    name: "+CWAUTOCONN",
    query: ({ modem }) => modem.output.line(`+CWAUTOCONN:${modem.nvs.number("autoConnect", 1)}`),
    set: { parameters: [flag("isOn")], run: ({ modem, parameters }) => modem.nvs.store("autoConnect", parameters.integer("isOn")) },
  },
];

async function scan(call: Call, isWanted: (accessPoint: AccessPoint) => boolean): Promise<void> {
  needStationMode(call);
  const { modem } = call;
  const [mask = scanMaskAll, rssiMin = -100] = modem.nvs.numbers("scanOptions", [scanMaskAll, -100]);
  for (const found of await modem.station.scan()) {
    if (isWanted(found) && found.rssiDbm >= rssiMin) modem.output.line(`+CWLAP:(${formatScanned(found, mask)})`);
  }
}

/** Security 3 is WPA2, 0 open; ciphers 4 are CCMP; protocols 7 are b, g and n. */
function formatScanned({ ssid, bssid, channel, rssiDbm, password }: AccessPoint, mask: number): string {
  const isOpen = password === undefined;
  const fields = [isOpen ? 0 : 3, `"${ssid}"`, rssiDbm, `"${bssid}"`, channel, -1, -1, isOpen ? 0 : 4, isOpen ? 0 : 4, 7, 0];
  return fields.filter((_field, bit) => (mask & (1 << bit)) !== 0).join(",");
}
