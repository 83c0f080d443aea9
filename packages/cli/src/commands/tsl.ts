import { formatProblem, inspectThingModel, typesOf } from "@thingstead/thing-model";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";
import type { CliIo } from "../io.ts";
import type { Translate } from "../texts/index.ts";

interface ImportOptions {
  publish?: boolean;
  modelVersion?: string;
  description?: string;
}

interface ExportOptions {
  published?: boolean;
  modelVersion?: string;
  module?: string;
}

interface Tsl {
  functionBlockId?: string;
}

export function addTslCommands(program: Command, kit: CommandKit): void {
  const tsl = program.command("tsl").description(kit.t("tsl.about"));
  addTypesCommand(tsl, kit);
  addImportCommand(tsl, kit);
  addExportCommand(tsl, kit);
}

function readTsl(io: CliIo, file: string, t: Translate): string {
  try {
    return io.readFile(file).toString("utf8");
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CliError("cli.file_unreadable", t("error.fileUnreadable", { path: file, reason }));
  }
}

/** Works offline: a file of the vendor's console in, text out. */
function addTypesCommand(tsl: Command, { t, language, open }: CommandKit): void {
  tsl
    .command("types")
    .description(t("tsl.types"))
    .argument("<file>", t("argument.tslFile"))
    .option("--name <name>", t("option.typeName"))
    .action((file: string, options: { name?: string }, command: Command) => {
      const { io, output } = open(command);
      const text = readTsl(io, file, t);
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

/** The file goes to the server as it is; only what makes it unusable is told before. */
function addImportCommand(tsl: Command, { t, language, open }: CommandKit): void {
  tsl
    .command("import")
    .description(t("tsl.import"))
    .argument("<productKey>", t("argument.productKey"))
    .argument("<file>", t("argument.tslFile"))
    .option("--publish", t("option.publishModel"))
    .option("--model-version <version>", t("option.modelVersion"))
    .option("--description <text>", t("option.description"))
    .action(async (productKey: string, file: string, options: ImportOptions, command: Command) => {
      const { io, output, client } = open(command);
      const text = readTsl(io, file, t);
      const { model, problems } = inspectThingModel(text);
      const lines = problems.map((problem) => formatProblem(problem, language));
      if (model === undefined) throw new CliError(problems[0]?.code ?? "thing_model.not_json", lines.join("\n"));
      for (const line of lines) output.error(line);
      const api = client();
      await api.call("PUT", path("products", productKey, "thing-model"), { body: JSON.parse(text) as object });
      const module = model.functionBlockId ?? "";
      if (options.publish !== true) {
        if (output.isJson) output.json({ productKey, functionBlockId: module, isPublished: false });
        else output.line(t("tsl.imported", { productKey, module: module || t("tsl.defaultModule") }));
        return;
      }
      const body = { version: options.modelVersion, description: options.description };
      const answer = await api.call<{ version: string }>("POST", path("products", productKey, "thing-model", "publish"), { body });
      if (output.isJson) output.json({ productKey, functionBlockId: module, isPublished: true, version: answer.version });
      else output.line(t("tsl.published", { productKey, version: answer.version }));
    });
}

function addExportCommand(tsl: Command, { t, open }: CommandKit): void {
  tsl
    .command("export")
    .description(t("tsl.export"))
    .argument("<productKey>", t("argument.productKey"))
    .option("--published", t("option.published"))
    .option("--model-version <version>", t("option.exportVersion"))
    .option("--module <functionBlockId>", t("option.module"))
    .action(async (productKey: string, { published, modelVersion: version, module }: ExportOptions, command: Command) => {
      const { output, client } = open(command);
      const isPublished = published === true || version !== undefined;
      const place = path("products", productKey, "thing-model", ...(isPublished ? ["published"] : []));
      const { modules } = await client().call<{ modules: Tsl[] }>("GET", place, { query: { version } });
      const wished = modules.find((one) => one.functionBlockId === module);
      if (wished === undefined)
        throw new CliError("cli.module_missing", t("error.moduleMissing", { productKey, module: module ?? t("tsl.defaultModule") }));
      output.json(wished);
      const others = modules.flatMap(({ functionBlockId }) => (functionBlockId === undefined ? [] : [functionBlockId]));
      if (module === undefined && others.length > 0) output.error(t("tsl.otherModules", { modules: others.join(", ") }));
    });
}
