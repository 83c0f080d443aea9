/** Life, restart, sleep, version. [ESP-AT 3] */
import { AtError } from "../at-error.ts";
import { type CommandDefinition, flag, integer, optional } from "../command.ts";

/** Longest sleep that the hardware's timer takes. */
const sleepMillisecondsMax = 2_147_483_647;

export const basicCommands: readonly CommandDefinition[] = [
  { name: "", execute: () => undefined },
  {
    name: "E0",
    execute({ modem }) {
      modem.system.echoes = false;
    },
  },
  {
    name: "E1",
    execute({ modem }) {
      modem.system.echoes = true;
    },
  },
  {
    name: "+RST",
    execute: ({ modem }) => modem.restart(),
    set: {
      parameters: [flag("mode")],
      run({ modem, parameters }) {
        // Mode 1 starts the boot loader, which has no AT port to answer on.
        if (!modem.profile.hasResetMode || parameters.integer("mode") === 1) throw new AtError("failed");
        modem.restart();
      },
    },
  },
  {
    name: "+GMR",
    execute({ modem }) {
      for (const line of modem.profile.identity) modem.output.line(line);
    },
  },
  {
    name: "+GSLP",
    set: {
      parameters: [integer("milliseconds", 0, sleepMillisecondsMax)],
      run({ modem, parameters }) {
        const milliseconds = parameters.integer("milliseconds");
        modem.output.line(String(milliseconds));
        modem.restart(milliseconds);
      },
    },
  },
  {
    name: "+RESTORE",
    execute({ modem }) {
      modem.nvs.restore();
      modem.restart();
    },
  },
  {
    name: "+SLEEP",
    query: ({ modem }) => modem.output.line(`+SLEEP:${modem.system.sleepMode}`),
    set: {
      parameters: [integer("mode", 0, 3)],
      run({ modem, parameters }) {
        modem.system.sleepMode = parameters.integer("mode");
      },
    },
  },
  {
    name: "+USERDOCS",
    since: "v3.2",
    query({ modem }) {
      for (const language of ["en", "zh_CN"])
        modem.output.line(`+USERDOCS:"https://docs.espressif.com/projects/esp-at/${language}/latest/esp32/index.html"`);
    },
  },
  {
    name: "+USERRAM",
    query: ({ modem }) => modem.output.line(`+USERRAM:${modem.system.userRam.length}`),
    set: {
      // 0 frees, 1 allocates, 2 writes, 3 reads, 4 clears.
      parameters: [integer("operation", 0, 4), integer("size", 0, 0xffffffff, optional), integer("offset", 0, 0xffffffff, optional)],
      async run(call) {
        const { modem, parameters } = call;
        const { system, limits } = modem;
        const size = parameters.integer("size", 0);
        const offset = parameters.integer("offset", 0);
        switch (parameters.integer("operation")) {
          case 0:
            system.userRam = Buffer.alloc(0);
            return;
          case 1:
            if (system.userRam.length > 0 || size < 1 || size > limits.userRamBytesMax) throw new AtError("parameterRange", 1);
            system.userRam = Buffer.alloc(size);
            return;
          case 2: {
            if (size < 1 || offset + size > system.userRam.length) throw new AtError("parameterRange", 1);
            (await call.prompt(size)).copy(system.userRam, offset);
            return;
          }
          case 3:
            if (size < 1 || offset + size > system.userRam.length) throw new AtError("parameterRange", 1);
            modem.output.data(`+USERRAM:${size},`, system.userRam.subarray(offset, offset + size));
            return;
          default:
            if (system.userRam.length === 0) throw new AtError("failed");
            system.userRam.fill(0);
        }
      },
    },
  },
];
