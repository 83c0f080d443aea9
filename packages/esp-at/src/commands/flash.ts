/** Certificates and user data in flash. [ESP-AT 4] */
import { AtError } from "../at-error.ts";
import { type Call, type CommandDefinition, integer, optional, type Parameter, text } from "../command.ts";
import { itemTypes } from "../flash.ts";
import type { ParameterValue } from "../line/parameters.ts";

/** NVS keys and namespaces. */
const nameBytesMax = 15;
const sizeMax = 0xffffffff;

const namespace = text("namespace", nameBytesMax, { bytesMin: 1 });
const key = text("key", nameBytesMax, { bytesMin: 1 });
const operationOf = (given: readonly ParameterValue[]) => (given[0]?.kind === "integer" ? given[0].value : undefined);

const sysmfgParameters: Readonly<Record<number, readonly Parameter[]>> = {
  0: [integer("operation", 0, 2), namespace, { ...key, ...optional }],
  1: [
    integer("operation", 0, 2),
    { ...namespace, ...optional },
    { ...key, ...optional },
    integer("offset", 0, sizeMax, optional),
    integer("length", 1, sizeMax, optional),
  ],
  2: [integer("operation", 0, 2), namespace, key, integer("type", 1, 8), integer("value", -0x80000000, sizeMax)],
};

const sysflashParameters: Readonly<Record<number, readonly Parameter[]>> = {
  0: [integer("operation", 0, 2), text("partition", 16), integer("offset", 0, sizeMax, optional), integer("length", 0, sizeMax, optional)],
  1: [integer("operation", 0, 2), text("partition", 16), integer("offset", 0, sizeMax), integer("length", 1, sizeMax)],
  2: [integer("operation", 0, 2), text("partition", 16), integer("offset", 0, sizeMax), integer("length", 1, sizeMax)],
};

export const flashCommands: readonly CommandDefinition[] = [
  {
    name: "+SYSFLASH",
    query({ modem }) {
      for (const { name, type, subtype, address, bytes } of modem.flash.partitions)
        modem.output.line(`+SYSFLASH:"${name}",${type},${subtype},0x${address.toString(16)},0x${bytes.toString(16)}`);
    },
    set: {
      parameters: (_modem, given) => sysflashParameters[operationOf(given) ?? 0] ?? [],
      run(call) {
        const { modem, parameters } = call;
        const partition = parameters.string("partition");
        const offset = parameters.integer("offset", 0);
        switch (parameters.integer("operation")) {
          case 0:
            if (parameters.has("offset") !== parameters.has("length")) throw new AtError("parameterCount", 0x404);
            modem.flash.erasePartition(partition, offset, parameters.has("length") ? parameters.integer("length") : undefined);
            return undefined;
          case 1:
            return writePartition(call, partition, offset, parameters.integer("length"));
          default: {
            const content = modem.flash.readPartition(partition, offset, parameters.integer("length"));
            modem.output.data(`+SYSFLASH:${content.length},`, content);
            return undefined;
          }
        }
      },
    },
  },
  {
    name: "+SYSMFG",
    since: "v3.2",
    query: listNamespaces,
    set: {
      parameters: (_modem, given) => sysmfgParameters[operationOf(given) ?? 0] ?? [],
      run(call) {
        const { modem, parameters } = call;
        switch (parameters.integer("operation")) {
          case 0: {
            const wasThere = modem.flash.eraseItems(
              parameters.string("namespace"),
              parameters.has("key") ? parameters.string("key") : undefined,
            );
            if (!wasThere) throw new AtError("failed");
            return undefined;
          }
          case 1:
            return readItems(call);
          default:
            return writeItem(call);
        }
      },
    },
  },
];

function listNamespaces({ modem }: Call): void {
  for (const name of modem.flash.namespaces()) modem.output.line(`+SYSMFG:"${name}"`);
}

function readItems(call: Call): void {
  const { modem, parameters } = call;
  if (!parameters.has("namespace")) listNamespaces(call);
  else if (parameters.has("key")) readItem(call, parameters.string("namespace"), parameters.string("key"));
  else {
    const name = parameters.string("namespace");
    const keys = modem.flash.keys(name);
    if (keys.length === 0) throw new AtError("failed");
    for (const each of keys) modem.output.line(`+SYSMFG:"${name}","${each.key}",${each.type}`);
  }
}

function readItem({ modem, parameters }: Call, name: string, itemKey: string): void {
  const item = modem.flash.item(name, itemKey);
  if (item === undefined) throw new AtError("failed");
  const offset = parameters.integer("offset", 0);
  if (offset > item.value.length) throw new AtError("parameterRange", 3);
  const value = item.value.subarray(offset, offset + parameters.integer("length", item.value.length));
  modem.output.data(`+SYSMFG:"${name}","${itemKey}",${item.type},${value.length},`, value);
}

function writeItem(call: Call): Promise<void> | undefined {
  const { modem, parameters } = call;
  const name = parameters.string("namespace");
  const itemKey = parameters.string("key");
  const type = parameters.integer("type");
  const value = parameters.integer("value");
  if (type < itemTypes.string) {
    modem.flash.saveNumber(name, itemKey, type, value);
    return undefined;
  }
  if (value < 1 || value > modem.limits.flashItemBytesMax) throw new AtError("parameterRange", 4);
  return writeTypedItem(call, name, itemKey, type, value);
}

async function writeTypedItem(call: Call, name: string, itemKey: string, type: number, bytes: number): Promise<void> {
  call.modem.flash.saveItem(name, itemKey, type, await call.prompt(bytes));
}

/** Flash is not touched before all bytes are there. */
async function writePartition(call: Call, partition: string, offset: number, bytes: number): Promise<void> {
  const { flash, limits } = call.modem;
  flash.checkPartition(partition, offset, bytes);
  if (bytes > limits.promptBytesMax) throw new AtError("parameterRange", 3);
  flash.writePartition(partition, offset, await call.prompt(bytes));
}
