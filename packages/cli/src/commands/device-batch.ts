import { isUtf8 } from "node:buffer";
import type { Command } from "commander";
import type { DeviceAnswer } from "../answers.ts";
import { nameList, wholeNumber } from "../arguments.ts";
import { CliError } from "../cli-error.ts";
import { type ApiClient, path } from "../client.ts";
import type { CommandKit } from "../context.ts";
import { parseCsv } from "../csv.ts";
import type { Output } from "../output.ts";
import type { Translate } from "../texts/index.ts";

/** As many as the server takes in one batch; a larger file goes in several, each all or nothing. */
const batchDevicesMax = 10_000;

interface ImportedDevice {
  deviceName?: string;
  deviceSecret?: string;
  iotId?: string;
  nickname?: string;
}

interface BatchAnswer {
  items: DeviceAnswer[];
  total: number;
}

const importedMembers = ["deviceName", "deviceSecret", "iotId", "nickname"] as const;

export function addDeviceBatchCommands(device: Command, { t, open }: CommandKit): void {
  device
    .command("batch")
    .argument("<productKey>", t("argument.productKey"))
    .description(t("device.batch"))
    .option("--count <n>", t("option.count"), wholeNumber(1, batchDevicesMax, t))
    .option("--names <a,b,c>", t("option.names"), nameList)
    .option("--csv", t("option.csv"))
    .action(async (productKey: string, options: { count?: number; names?: string[]; csv?: boolean }, command: Command) => {
      const { client, output, io } = open(command);
      const { count, names } = options;
      if ((count === undefined) === (names === undefined)) throw new CliError("cli.usage", t("error.countOrNames"), 2);
      const body = count === undefined ? { deviceNames: names } : { count };
      const place = path("products", productKey, "device-batches");
      if (options.csv === true && !output.isJson) {
        io.stdout(await (await client().open("POST", place, { body, accept: "text/csv", query: { format: "csv" } })).text());
        return;
      }
      showBatch(await client().call<BatchAnswer>("POST", place, { body }), output, t);
    });

  device
    .command("import")
    .argument("<productKey>", t("argument.productKey"))
    .argument("<file>", t("argument.importFile"))
    .description(t("device.import"))
    .action(async (productKey: string, file: string, _options: object, command: Command) => {
      const { client, output, io } = open(command);
      let bytes: Buffer;
      try {
        bytes = io.readFile(file);
      } catch (error) {
        const reason = (error as NodeJS.ErrnoException).code ?? String(error);
        throw new CliError("cli.file_unreadable", t("error.fileUnreadable", { path: file, reason }));
      }
      // Spreadsheets of Chinese systems save GBK unless told otherwise: names would become something else without a word.
      if (!isUtf8(bytes)) throw new CliError("cli.import_invalid", t("error.fileNotUtf8", { path: file }));
      const devices = readDevices(bytes.toString("utf8"), productKey, file, t);
      showBatch(await sendBatches(client(), productKey, devices, t), output, t);
    });
}

async function sendBatches(client: ApiClient, productKey: string, devices: ImportedDevice[], t: Translate): Promise<BatchAnswer> {
  const items: DeviceAnswer[] = [];
  for (let at = 0; at < devices.length; at += batchDevicesMax) {
    const body = { devices: devices.slice(at, at + batchDevicesMax) };
    try {
      items.push(...(await client.call<BatchAnswer>("POST", path("products", productKey, "device-batches"), { body })).items);
    } catch (error) {
      if (items.length === 0 || !(error instanceof CliError)) throw error;
      throw new CliError(error.code, t("error.importStopped", { done: items.length, reason: error.message }));
    }
  }
  return { items, total: items.length };
}

/** JSON (an array, or an object with `devices` or `items`) or CSV with a header line. */
function readDevices(text: string, productKey: string, file: string, t: Translate): ImportedDevice[] {
  const rows = /^\s*[[{]/.test(text) ? readJsonRows(text, file, t) : readCsvRows(text, file, t);
  if (rows.length === 0) throw new CliError("cli.import_empty", t("error.importEmpty", { path: file }));
  return rows.map((row, index) => {
    const place = t("import.row", { path: file, row: index + 1 });
    if (typeof row !== "object" || row === null) {
      throw new CliError("cli.import_invalid", t("error.importRow", { place, expected: importedMembers.join(", ") }));
    }
    const members = new Map(Object.entries(row));
    const otherKey = members.get("productKey");
    if (typeof otherKey === "string" && otherKey !== "" && otherKey !== productKey) {
      throw new CliError("cli.import_invalid", t("error.importProduct", { place, received: otherKey, expected: productKey }));
    }
    const device: ImportedDevice = {};
    for (const name of importedMembers) {
      const value = members.get(name);
      if (value === undefined || value === "") continue;
      if (typeof value !== "string") throw new CliError("cli.import_invalid", t("error.importText", { place, name }));
      device[name] = value;
    }
    return device;
  });
}

function readJsonRows(text: string, file: string, t: Translate): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CliError("cli.import_invalid", t("error.fileNotJson", { path: file, reason: (error as Error).message }));
  }
  if (Array.isArray(value)) return value;
  const { devices, items } = value as { devices?: unknown; items?: unknown };
  const rows = devices ?? items;
  if (!Array.isArray(rows)) throw new CliError("cli.import_invalid", t("error.importShape", { path: file }));
  return rows;
}

function readCsvRows(text: string, file: string, t: Translate): Record<string, string>[] {
  const parsed = parseCsv(text);
  if ("problem" in parsed) {
    throw new CliError("cli.import_invalid", t("error.csv", { path: file, line: parsed.line, problem: t(`csv.${parsed.problem}`) }));
  }
  const first = parsed.rows[0];
  if (first !== undefined && !("deviceName" in first)) {
    throw new CliError("cli.import_invalid", t("error.importShape", { path: file }));
  }
  return parsed.rows;
}

function showBatch(answer: BatchAnswer, output: Output, t: Translate): void {
  if (output.isJson) {
    output.json(answer);
    return;
  }
  output.table(
    [t("head.deviceName"), t("head.deviceSecret"), t("head.iotId")],
    answer.items.map((one) => [one.deviceName, one.deviceSecret, one.iotId]),
  );
  output.line(t("device.batchDone", { total: answer.total }));
}
