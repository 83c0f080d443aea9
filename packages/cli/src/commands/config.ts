import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";

interface VersionAnswer {
  id: number;
  bytes: number;
  sha256: string;
  createdAt: string;
}

interface StateAnswer {
  isEnabled: boolean;
  current?: VersionAnswer;
}

export function addConfigCommands(program: Command, { t, open }: CommandKit): void {
  const config = program.command("config").description(t("config.about"));

  config
    .command("show")
    .argument("<productKey>", t("argument.productKey"))
    .description(t("config.show"))
    .action(async (productKey: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      const state = await client().call<StateAnswer>("GET", path("products", productKey, "config"));
      const { current, isEnabled } = state;
      const place = current && path("products", productKey, "config", "versions", current.id);
      const content = place === undefined ? undefined : (await client().call<{ content: string }>("GET", place)).content;
      if (output.isJson) return output.json({ ...state, content });
      output.facts([
        [t("head.isEnabled"), t(isEnabled ? "config.on" : "config.off")],
        [t("head.id"), current?.id],
        [t("head.bytes"), current?.bytes],
        [t("head.createdAt"), current?.createdAt],
      ]);
      output.line(content ?? t("config.none", { productKey }));
    });

  config
    .command("publish")
    .argument("<productKey>", t("argument.productKey"))
    .argument("<file>", t("argument.configFile"))
    .description(t("config.publish"))
    .action(async (productKey: string, file: string, _options: object, command: Command) => {
      const { client, output, io } = open(command);
      let content: Buffer;
      try {
        content = io.readFile(file);
      } catch (error) {
        const { code = "", message } = error as NodeJS.ErrnoException;
        throw new CliError("cli.file_unreadable", t("error.fileUnreadable", { path: file, reason: code || message }));
      }
      const place = path("products", productKey, "config");
      const version = await client().call<VersionAnswer>("PUT", place, { body: { payloadBase64: content.toString("base64") } });
      await client().call("PATCH", place, { body: { isEnabled: true } });
      if (output.isJson) output.json(version);
      else output.line(t("config.published", { id: version.id, productKey }));
    });

  config
    .command("push")
    .argument("<productKey>", t("argument.productKey"))
    .description(t("config.push"))
    .action(async (productKey: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      const version = await client().call<VersionAnswer>("POST", path("products", productKey, "config", "push"));
      if (output.isJson) output.json(version);
      else output.line(t("config.pushed", { id: version.id, productKey }));
    });
}
