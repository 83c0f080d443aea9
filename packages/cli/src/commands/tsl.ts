import { formatProblem, inspectThingModel, typesOf } from "@thingstead/thing-model";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import type { CommandKit } from "../context.ts";

/** Works offline: a file of the vendor's console in, text out. */
export function addTslCommands(program: Command, { t, language, open }: CommandKit): void {
  const tsl = program.command("tsl").description(t("tsl.about"));
  tsl
    .command("types")
    .description(t("tsl.types"))
    .argument("<file>", t("argument.tslFile"))
    .option("--name <name>", t("option.typeName"))
    .action((file: string, options: { name?: string }, command: Command) => {
      const { io, output } = open(command);
      let text: string;
      try {
        text = io.readFile(file).toString("utf8");
      } catch (error) {
        const reason = (error as NodeJS.ErrnoException).code ?? String(error);
        throw new CliError("cli.file_unreadable", t("error.fileUnreadable", { path: file, reason }));
      }
      const { model, problems } = inspectThingModel(text);
      const lines = problems.map((problem) => formatProblem(problem, language));
      if (model === undefined) throw new CliError(problems[0]?.code ?? "thing_model.not_json", lines.join("\n"));
      // Warnings only: the model is usable.
      for (const line of lines) output.error(line);
      const types = typesOf(model, options.name === undefined ? {} : { name: options.name });
      if (output.isJson) return output.json({ types });
      io.stdout(types.endsWith("\n") ? types : `${types}\n`);
    });
}
