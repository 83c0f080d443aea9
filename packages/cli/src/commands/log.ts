import { type Command, Option } from "commander";
import type { LogEntryAnswer } from "../answers.ts";
import { wholeNumber } from "../arguments.ts";
import { CliError } from "../cli-error.ts";
import { type ApiClient, path } from "../client.ts";
import type { CommandContext, CommandKit } from "../context.ts";
import { readEvents } from "../event-stream.ts";
import { type Output, showPlainly } from "../output.ts";
import type { Translate } from "../texts/index.ts";

interface LogOptions {
  follow?: boolean;
  device?: string;
  clientId?: string;
  kind?: string;
  failures?: boolean;
  since?: string;
  limit: number;
}

const kinds = ["connect", "refuse", "subscribe", "unsubscribe", "publish", "deliver", "forward", "disconnect", "drop", "auth"];
const reconnectMilliseconds = [500, 1_000, 2_000, 5_000];

export function addLogCommand(program: Command, { t, open }: CommandKit): void {
  program
    .command("log")
    .description(t("log.about"))
    .option("-f, --follow", t("option.follow"))
    .option("--device <productKey/deviceName>", t("option.device"))
    .addOption(new Option("--client-id <id>", t("option.logClientId")).conflicts("device"))
    .addOption(new Option("--kind <kind>", t("option.kind")).choices(kinds))
    .option("--failures", t("option.failures"))
    .option("--since <time>", t("option.since"))
    .option("--limit <n>", t("option.limit"), wholeNumber(1, 200, t), 50)
    .action(async (options: LogOptions, command: Command) => {
      const context = open(command);
      const { output } = context;
      const client = context.client();
      const isSuccess = options.failures === true ? false : undefined;
      const filter = { ...splitDevice(options.device, t), clientId: options.clientId, kind: options.kind, isSuccess };
      const query = { ...filter, since: options.since, limit: options.limit };
      const past = await client.call<{ items: LogEntryAnswer[] }>("GET", path("device-log"), { query });
      if (output.isJson && options.follow !== true) return output.json(past);
      const oldestFirst = past.items.toReversed();
      for (const entry of oldestFirst) showEntry(entry, output, t);
      if (options.follow === true) await follow(client, filter, oldestFirst.at(-1)?.id ?? 0, context);
    });
}

/** Until the command is ended: a broken stream is taken up again where it broke off; one refused at the start is an error. */
async function follow(
  client: ApiClient,
  filter: Readonly<Record<string, string | boolean | undefined>>,
  firstId: number,
  { io, output, t }: CommandContext,
): Promise<void> {
  let lastId = firstId;
  let failures = 0;
  let hasBegun = false;
  while (true) {
    try {
      const query = { ...filter, afterId: lastId };
      const answer = await client.open("GET", path("device-log", "stream"), { query, accept: "text/event-stream" });
      hasBegun = true;
      failures = 0;
      for await (const { event, data } of readEvents(answer.pieces)) {
        if (event === "gap") output.error(t("log.gap"));
        if (event !== "message") continue;
        const entry = JSON.parse(data) as LogEntryAnswer;
        lastId = entry.id;
        showEntry(entry, output, t);
      }
    } catch (error) {
      const isPassing = !(error instanceof CliError) || error.code === "cli.server_unreachable";
      if (!hasBegun || !isPassing) throw error;
    }
    output.error(t("log.reconnecting"));
    await io.sleep(reconnectMilliseconds[Math.min(failures, reconnectMilliseconds.length - 1)] ?? 0);
    failures += 1;
  }
}

function splitDevice(device: string | undefined, t: Translate): { productKey?: string; deviceName?: string } {
  if (device === undefined) return {};
  const slash = device.indexOf("/");
  if (slash <= 0 || slash === device.length - 1) throw new CliError("cli.usage", t("error.deviceInvalid", { received: device }), 2);
  return { productKey: device.slice(0, slash), deviceName: device.slice(slash + 1) };
}

function showEntry(entry: LogEntryAnswer, output: Output, t: Translate): void {
  if (output.isJson) {
    output.jsonLine(entry);
    return;
  }
  const device = entry.productKey === undefined ? (entry.clientId ?? entry.remoteAddress) : `${entry.productKey}/${entry.deviceName ?? ""}`;
  const parts = [
    output.paint("dim", entry.time),
    output.paint(entry.isSuccess ? "green" : "red", entry.kind.padEnd(11)),
    showPlainly(entry.code),
    showPlainly(device ?? "-"),
    showPlainly(entry.topic),
    entry.payloadBytes === undefined ? "" : t("log.bytes", { count: entry.payloadBytes }),
    showPlainly(entry.reason),
  ];
  output.line(parts.filter((part) => part !== "").join("  "));
  if (isNews(entry.received, entry)) output.line(`    ${t("log.received")}: ${showPlainly(entry.received)}`);
  if (isNews(entry.expected, entry)) output.line(`    ${t("log.expected")}: ${showPlainly(entry.expected)}`);
}

/** Reasons often quote what was received and expected; it is not said twice. */
function isNews(text: string | undefined, entry: LogEntryAnswer): boolean {
  return text !== undefined && entry.reason?.includes(text) !== true;
}
