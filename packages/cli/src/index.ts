/** The `thingstead` command as a function: arguments in, exit code out. */
import { Command, CommanderError } from "commander";
import { CliError } from "./cli-error.ts";
import { addCertificateCommands } from "./commands/certificate.ts";
import { addConfigCommands } from "./commands/config.ts";
import { addDeviceCommands } from "./commands/device.ts";
import { addDeviceLogCommands } from "./commands/device-log.ts";
import { addFilesCommands } from "./commands/files.ts";
import { addGroupCommands } from "./commands/group.ts";
import { addJobCommands } from "./commands/job.ts";
import { addLogCommand } from "./commands/log.ts";
import { addModemCommand } from "./commands/modem.ts";
import { addMqttUserCommands } from "./commands/mqtt-user.ts";
import { addOtaCommands } from "./commands/ota.ts";
import { addProductCommands } from "./commands/product.ts";
import { addPropertyCommands } from "./commands/property.ts";
import { addPublishCommand } from "./commands/publish.ts";
import { addRuleCommands } from "./commands/rule.ts";
import { addServiceCommands } from "./commands/service.ts";
import { addShadowCommands } from "./commands/shadow.ts";
import { addStartCommand } from "./commands/start.ts";
import { addStatusCommand } from "./commands/status.ts";
import { addSubDeviceCommands } from "./commands/sub-device.ts";
import { addTagCommands } from "./commands/tag.ts";
import { addThingCommands } from "./commands/thing.ts";
import { addTopicCommands } from "./commands/topic.ts";
import { addTslCommands } from "./commands/tsl.ts";
import { createCommandKit } from "./context.ts";
import { type CliIo, createProcessIo } from "./io.ts";
import { createOutput, showPlainly } from "./output.ts";
import { chooseLanguage, createTranslate, type Language, type Translate } from "./texts/index.ts";
import { readVersion } from "./version.ts";

/**
 * Runs one command.
 *
 * @param argv without node and script
 * @returns 0 done, 1 refused or failed, 2 wrong usage
 * @example process.exitCode = await runThingstead(["product", "list", "--json"])
 */
export async function runThingstead(argv: readonly string[], io: CliIo = createProcessIo()): Promise<0 | 1 | 2> {
  const language = chooseLanguage(argv, io.environment);
  const t = createTranslate(language);
  const program = createProgram(io, language, t);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const output = createOutput({ ...io, isTerminal: io.isErrorTerminal }, false);
    const { code, message } = describeFailure(error, language);
    output.error(`${output.paint("red", t("error.label"))} [${showPlainly(code)}] ${showPlainly(message)}`);
    return error instanceof CliError ? error.exitCode : 1;
  }
}

function createProgram(io: CliIo, language: Language, t: Translate): Command {
  const program = new Command("thingstead");
  const titles: Readonly<Record<string, string>> = {
    "Usage:": t("help.usage"),
    "Arguments:": t("help.arguments"),
    "Options:": t("help.options"),
    "Commands:": t("help.commands"),
    "Global Options:": t("help.globalOptions"),
  };
  program
    .description(t("program.about"))
    .version(readVersion(), "-V, --version", t("option.version"))
    .helpOption("-h, --help", t("option.help"))
    .helpCommand("help [command]", t("help.command"))
    .option("--server <url>", t("option.server"))
    .option("--key <id:secret>", t("option.key"))
    .option("--data-dir <folder>", t("option.dataDir"))
    .option("--json", t("option.json"))
    .option("--lang <language>", t("option.lang"))
    .configureHelp({ showGlobalOptions: true, styleTitle: (title) => titles[title] ?? title })
    .configureOutput({
      writeOut: (text) => io.stdout(text),
      writeErr: (text) => io.stderr(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(`${t("error.label")} [cli.usage] ${text.replace(/^error: /, "")}`),
    })
    .showHelpAfterError(t("help.hint"))
    .exitOverride();
  const kit = createCommandKit(io, language, t);
  addStartCommand(program, kit);
  addStatusCommand(program, kit);
  addProductCommands(program, kit);
  addDeviceCommands(program, kit);
  addSubDeviceCommands(program, kit);
  addCertificateCommands(program, kit);
  addGroupCommands(program, kit);
  addTagCommands(program, kit);
  addThingCommands(program, kit);
  addTopicCommands(program, kit);
  addMqttUserCommands(program, kit);
  addRuleCommands(program, kit);
  addPublishCommand(program, kit);
  addTslCommands(program, kit);
  addOtaCommands(program, kit);
  addPropertyCommands(program, kit);
  addServiceCommands(program, kit);
  addJobCommands(program, kit);
  addLogCommand(program, kit);
  addModemCommand(program, kit);
  addDeviceLogCommands(program, kit);
  addShadowCommands(program, kit);
  addConfigCommands(program, kit);
  addFilesCommands(program, kit);
  localise(program, t);
  return program;
}

/** Subcommands copy the settings of their parent when they are made, but not their help option's text. */
function localise(command: Command, t: Translate): void {
  for (const child of command.commands) {
    child.helpOption("-h, --help", t("option.help"));
    if (child.commands.length > 0) child.helpCommand("help [command]", t("help.command"));
    localise(child, t);
  }
}

/** Errors of the platform carry a code and texts in both languages. */
function describeFailure(error: unknown, language: Language): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: "cli.failed", message: String(error) };
  const { code, text } = error as Error & { code?: unknown; text?: unknown };
  const message = typeof text === "function" ? String(text.call(error, language)) : error.message;
  return { code: typeof code === "string" ? code : "cli.failed", message };
}
