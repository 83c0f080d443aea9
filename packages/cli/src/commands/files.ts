import type { Command } from "commander";
import type { Page } from "../answers.ts";
import { addPageOptions, type PageOptions, showPageLine } from "../arguments.ts";
import { CliError } from "../cli-error.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";

interface FileAnswer {
  uploadId: string;
  name: string;
  bytes: number;
  isComplete: boolean;
  createdAt: string;
}

/** Files that devices uploaded. */
export function addFilesCommands(program: Command, { t, open }: CommandKit): void {
  const files = program.command("files").description(t("files.about"));
  const place = (productKey: string, deviceName: string, ...rest: string[]) =>
    path("products", productKey, "devices", deviceName, "files", ...rest);
  const command = (name: string) =>
    files.command(name).argument("<productKey>", t("argument.productKey")).argument("<deviceName>", t("argument.deviceName"));

  addPageOptions(command("list").description(t("files.list")), t).action(
    async (productKey: string, deviceName: string, { page, pageSize }: PageOptions, ran: Command) => {
      const { client, output } = open(ran);
      const answer = await client().call<Page<FileAnswer>>("GET", place(productKey, deviceName), { query: { page, pageSize } });
      if (output.isJson) return output.json(answer);
      output.table(
        [t("head.id"), t("head.name"), t("head.bytes"), t("head.isComplete"), t("head.createdAt")],
        answer.items.map((file) => [file.uploadId, file.name, file.bytes, file.isComplete, file.createdAt]),
      );
      showPageLine(output, answer, t);
    },
  );

  command("download")
    .argument("<uploadId>", t("argument.uploadId"))
    .requiredOption("--output <file>", t("option.output"))
    .description(t("files.download"))
    .action(async (productKey: string, deviceName: string, uploadId: string, options: { output: string }, ran: Command) => {
      const { client, output, io } = open(ran);
      const answer = await client().open("GET", place(productKey, deviceName, uploadId, "content"), { accept: "*/*" });
      try {
        await io.writeFile(options.output, answer.pieces);
      } catch (error) {
        const { code = "", message } = error as NodeJS.ErrnoException;
        throw new CliError("cli.file_unwritable", t("error.fileUnwritable", { path: options.output, reason: code || message }));
      }
      if (output.isJson) output.json({ uploadId, path: options.output });
      else output.line(t("files.saved", { path: options.output }));
    });

  command("delete")
    .argument("<uploadId>", t("argument.uploadId"))
    .description(t("files.delete"))
    .action(async (productKey: string, deviceName: string, uploadId: string, _options: object, ran: Command) => {
      const { client, output } = open(ran);
      await client().call("DELETE", place(productKey, deviceName, uploadId));
      if (output.isJson) output.json({ uploadId, isDeleted: true });
      else output.line(t("files.deleted", { uploadId }));
    });
}
