/** How links behave. [ESP-AT 6.3] */
import { AtError } from "../at-error.ts";
import { type CommandDefinition, flag, integer, optional, type Parameter, text } from "../command.ts";
import type { ModemParts } from "../modem-parts.ts";
import type { SslConfig } from "../socket-links.ts";
import { linkParameter } from "./sockets.ts";

const alpnsMax = 5;
/** Slots of certificates and CAs. */
const slotMax = 1;

const idsOf = ({ limits }: ModemParts): number[] => Array.from({ length: limits.socketsMax }, (_, id) => id);
const linkIfMultiple = (modem: ModemParts): Parameter[] => (modem.sockets.isMultiple ? [linkParameter(modem)] : []);

/** One TLS option of a link, or of the only one. */
function tlsOption(
  name: string,
  parameter: Parameter,
  change: (value: string) => Partial<SslConfig>,
  show: (config: SslConfig) => string,
): CommandDefinition {
  return {
    name,
    query({ modem }) {
      for (const id of idsOf(modem)) modem.output.line(`${name}:${id},${show(modem.sockets.sslConfig(id))}`);
    },
    set: {
      parameters: (modem) => [...linkIfMultiple(modem), parameter],
      run: ({ modem, parameters }) => modem.sockets.configureSsl(parameters.integer("link", 0), change(parameters.string(parameter.name))),
    },
  };
}

function receiveType(name: string, more: Partial<CommandDefinition> = {}): CommandDefinition {
  return {
    name,
    ...more,
    query({ modem }) {
      const types = idsOf(modem).map((id) => (modem.sockets.isPassive(id) ? 1 : 0));
      const shown = name === "+CIPRECVMODE" || !modem.sockets.isMultiple ? [types[0]] : types;
      modem.output.line(`${name}:${shown.join(",")}`);
    },
    set: {
      parameters: (modem, given) => [...(given.length > 1 ? linkIfMultiple(modem) : []), flag("isPassive")],
      run({ modem, parameters }) {
        const ids = parameters.has("link") ? [parameters.integer("link")] : idsOf(modem);
        for (const id of ids) modem.sockets.setPassive(id, parameters.integer("isPassive") === 1);
      },
    },
  };
}

export const socketSettingCommands: readonly CommandDefinition[] = [
  {
    name: "+CIPMUX",
    query: ({ modem }) => modem.output.line(`+CIPMUX:${modem.sockets.isMultiple ? 1 : 0}`),
    set: {
      parameters: [flag("isMultiple")],
      run({ modem, parameters }) {
        const isMultiple = parameters.integer("isMultiple") === 1;
        if (modem.sockets.links.length > 0 || (isMultiple && modem.sockets.isPassthrough)) throw new AtError("failed");
        modem.sockets.isMultiple = isMultiple;
      },
    },
  },
  {
    name: "+CIPMODE",
    query: ({ modem }) => modem.output.line(`+CIPMODE:${modem.sockets.isPassthrough ? 1 : 0}`),
    set: {
      parameters: [flag("isPassthrough")],
      run({ modem, parameters }) {
        const isPassthrough = parameters.integer("isPassthrough") === 1;
        if (isPassthrough && modem.sockets.isMultiple) throw new AtError("failed");
        modem.sockets.isPassthrough = isPassthrough;
      },
    },
  },
  {
    name: "+CIPDINFO",
    query: ({ modem }) => modem.output.open(`+CIPDINFO:${modem.sockets.showsPeer}`),
    set: {
      parameters: [flag("showsPeer")],
      run({ modem, parameters }) {
        modem.sockets.showsPeer = parameters.integer("showsPeer") === 1;
      },
    },
  },
  receiveType("+CIPRECVMODE"),
  receiveType("+CIPRECVTYPE", { since: "v4.1" }),
  {
    // Nobody can reach a modem that is a program: it is always off.
    name: "+CIPSERVER",
    query: ({ modem }) => modem.output.line("+CIPSERVER:0"),
    set: {
      parameters: [flag("isOn"), integer("port", 1, 65_535, optional)],
      run({ parameters }) {
        if (parameters.integer("isOn") === 1) throw new AtError("failed");
      },
    },
  },
  {
    name: "+CIPTCPOPT",
    set: {
      parameters: (modem) => [
        ...linkIfMultiple(modem),
        integer("linger", -1, 7_200, optional),
        flag("noDelay", optional),
        integer("sendTimeout", 0, 2_147_483_647, optional),
        integer("keepAlive", 0, 7_200, optional),
      ],
      // Links never linger and always send at once.
      run: () => undefined,
    },
  },
  {
    name: "+CIPRECONNINTV",
    query: ({ modem }) => modem.output.line(`+CIPRECONNINTV:${modem.nvs.number("reconnectTenths", 1)}`),
    set: {
      parameters: [integer("tenths", 1, 36_000)],
      run: ({ modem, parameters }) => modem.nvs.set("reconnectTenths", parameters.integer("tenths")),
    },
  },
  {
    name: "+CIPSSLCCONF",
    query({ modem }) {
      for (const id of idsOf(modem)) {
        const { auth, certificateSlot, caSlot } = modem.sockets.sslConfig(id);
        modem.output.line(`+CIPSSLCCONF:${id},${auth},${certificateSlot},${caSlot}`);
      }
    },
    set: {
      parameters: (modem) => [
        ...linkIfMultiple(modem),
        integer("auth", 0, 3),
        integer("certificateSlot", 0, slotMax, optional),
        integer("caSlot", 0, slotMax, optional),
      ],
      run({ modem, parameters }) {
        modem.sockets.configureSsl(parameters.integer("link", 0), {
          auth: parameters.integer("auth"),
          certificateSlot: parameters.integer("certificateSlot", 0),
          caSlot: parameters.integer("caSlot", 0),
        });
      },
    },
  },
  tlsOption(
    "+CIPSSLCSNI",
    text("sni", 64),
    (serverName) => ({ serverName }),
    ({ serverName }) => `"${serverName ?? ""}"`,
  ),
  tlsOption(
    "+CIPSSLCCN",
    text("commonName", 64),
    (serverName) => ({ serverName }),
    ({ serverName }) => `"${serverName ?? ""}"`,
  ),
  {
    name: "+CIPSSLCALPN",
    query({ modem }) {
      for (const id of idsOf(modem)) {
        const { alpn } = modem.sockets.sslConfig(id);
        modem.output.line(`+CIPSSLCALPN:${[id, ...alpn.map((each) => `"${each}"`)].join(",")}`);
      }
    },
    set: {
      parameters: (modem) => [
        ...linkIfMultiple(modem),
        integer("count", 0, alpnsMax),
        text("alpn", 255, { ...optional, isRepeated: true }),
      ],
      run({ modem, parameters }) {
        const alpn = parameters.strings();
        if (alpn.length !== parameters.integer("count"))
          throw new AtError("parameterCount", parameters.integer("count") * 256 + alpn.length);
        modem.sockets.configureSsl(parameters.integer("link", 0), { alpn });
      },
    },
  },
];
