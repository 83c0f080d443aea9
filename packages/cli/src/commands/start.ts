import { type Command, Option } from "commander";
import { CliError } from "../cli-error.ts";
import type { CommandKit } from "../context.ts";
import type { StartRequest } from "../io.ts";
import type { TextKey } from "../texts/index.ts";

/** Flags and the settings they set. Further settings are reached by `--set path=value`. */
const flags = [
  { flag: "--listen-device <entries>", option: "listenDevice", path: "listen.device", about: "option.listenDevice" },
  { flag: "--listen-http <entries>", option: "listenHttp", path: "listen.http", about: "option.listenHttp" },
  { flag: "--host <name>", option: "host", path: "host", about: "option.host" },
  { flag: "--access-key-id <id>", option: "accessKeyId", path: "accessKey.id", about: "option.accessKeyId" },
  { flag: "--access-key-secret <secret>", option: "accessKeySecret", path: "accessKey.secret", about: "option.accessKeySecret" },
  { flag: "--admin-password <text>", option: "adminPassword", path: "adminPassword", about: "option.adminPassword" },
  { flag: "--store <store>", option: "store", path: "store", about: "option.store" },
  { flag: "--log-level <level>", option: "logLevel", path: "log.level", about: "option.logLevel" },
] as const satisfies readonly { flag: string; option: string; path: string; about: TextKey }[];

export function addStartCommand(program: Command, { t, open }: CommandKit): void {
  const start = program.command("start").description(t("start.about"));
  for (const { flag, about } of flags) start.option(flag, t(about));
  start
    .addOption(new Option("--plain <mode>", t("option.plain")).choices(["off", "users", "anonymous"]))
    .option("--config <file>", t("option.config"))
    .option("--set <path=value>", t("option.set"), (text: string, before: string[] = []) => [...before, text])
    .action(async (_options: object, command: Command) => {
      const { io } = open(command);
      const options = command.optsWithGlobals<Record<string, unknown>>();
      const given: Record<string, string> = {};
      for (const assignment of (options.set as string[] | undefined) ?? []) {
        const equals = assignment.indexOf("=");
        if (equals <= 0) throw new CliError("cli.usage", t("error.setInvalid", { received: assignment }), 2);
        given[assignment.slice(0, equals)] = assignment.slice(equals + 1);
      }
      for (const { option, path } of [...flags, { option: "plain", path: "plain" }, { option: "dataDir", path: "dataDir" }]) {
        const value = options[option];
        if (typeof value === "string") given[path] = value;
      }
      const request: StartRequest = { flags: given, environment: io.environment };
      if (typeof options.config === "string") request.configFile = options.config;
      await io.startServer(request);
    });
}
