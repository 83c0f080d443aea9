/** Memory, time, storing, messages, the serial port. [ESP-AT 3] */
import { type CommandDefinition, flag, integer, optional, type Parameter } from "../command.ts";

const secondsMax = 0xffffffff;
const factoryUart = [115_200, 8, 1, 0, 0];
const uartParameters: readonly Parameter[] = [
  integer("baud", 80, 5_000_000),
  integer("dataBits", 5, 8),
  integer("stopBits", 1, 3),
  integer("parity", 0, 2),
  integer("flowControl", 0, 3),
];

/** Speed means nothing to a stream of bytes; the host reads back what it set. */
function uartCommand(name: string, isStored: boolean): CommandDefinition {
  const setting = isStored ? "uart" : "uartNow";
  return {
    name,
    query({ modem }) {
      const stored = modem.nvs.numbers("uart", factoryUart);
      modem.output.line(`${name}:${(isStored ? stored : modem.nvs.numbers("uartNow", stored)).join(",")}`);
    },
    set: {
      parameters: uartParameters,
      run({ modem, parameters }) {
        const values = uartParameters.map((parameter) => parameters.integer(parameter.name));
        if (isStored) modem.nvs.store(setting, values);
        modem.nvs.keep("uartNow", values);
      },
    },
  };
}

export const systemCommands: readonly CommandDefinition[] = [
  {
    name: "+SYSRAM",
    query: ({ modem }) => modem.output.open(`+SYSRAM:${modem.heap.bytesFree},${modem.heap.bytesFreeMin}`),
  },
  {
    name: "+SYSTIMESTAMP",
    since: "v3.2",
    query: ({ modem }) => modem.output.open(`+SYSTIMESTAMP:${Math.floor(modem.time.now() / 1000)}`),
    set: {
      parameters: [integer("seconds", 0, secondsMax)],
      run: ({ modem, parameters }) => modem.time.set(parameters.integer("seconds") * 1000),
    },
  },
  {
    name: "+SYSSTORE",
    query: ({ modem }) => modem.output.line(`+SYSSTORE:${modem.nvs.isStoring ? 1 : 0}`),
    set: {
      parameters: [flag("stores")],
      run({ modem, parameters }) {
        const stores = parameters.integer("stores");
        modem.nvs.store("sysStore", stores);
        modem.nvs.isStoring = stores === 1;
      },
    },
  },
  {
    name: "+SYSLOG",
    query: ({ modem }) => modem.output.line(`+SYSLOG:${modem.output.showsErrorCodes ? 1 : 0}`),
    set: {
      parameters: [flag("shows")],
      run({ modem, parameters }) {
        modem.output.showsErrorCodes = parameters.integer("shows") === 1;
      },
    },
  },
  {
    name: "+SYSMSG",
    query: ({ modem }) => modem.output.line(`+SYSMSG:${modem.system.messageMask}`),
    set: {
      parameters: [integer("mask", 0, 7)],
      run({ modem, parameters }) {
        modem.system.messageMask = parameters.integer("mask");
        modem.nvs.set("messageMask", modem.system.messageMask);
      },
    },
  },
  {
    name: "+RFPOWER",
    query: ({ modem }) => modem.output.line(`+RFPOWER:${modem.nvs.numbers("rfPower", [78, 0, 0, 0]).join(",")}`),
    set: {
      parameters: [
        integer("wifi", 40, 84, optional),
        integer("advertising", 0, 11, optional),
        integer("scan", 0, 11, optional),
        integer("connection", 0, 11, optional),
      ],
      run({ modem, parameters }) {
        const [wifi = 78, ...rest] = modem.nvs.numbers("rfPower", [78, 0, 0, 0]);
        const names = ["advertising", "scan", "connection"];
        modem.nvs.keep("rfPower", [
          parameters.integer("wifi", wifi),
          ...names.map((name, index) => parameters.integer(name, rest[index] ?? 0)),
        ]);
      },
    },
  },
  uartCommand("+UART", true),
  uartCommand("+UART_CUR", false),
  uartCommand("+UART_DEF", true),
];
