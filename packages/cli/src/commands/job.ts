import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { JobAnswer, JobTaskAnswer, Page } from "../answers.ts";
import { addPageOptions, type PageOptions, showPageLine, wholeNumber } from "../arguments.ts";
import { CliError } from "../cli-error.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";
import type { Output } from "../output.ts";
import type { Translate } from "../texts/index.ts";

interface CreateOptions {
  document: string;
  file?: string;
  description?: string;
  timeout?: number;
}

const timeoutMinutesMax = 525_600;

export function addJobCommands(program: Command, kit: CommandKit): void {
  const { t, open } = kit;
  const job = program.command("job").description(t("job.about"));

  job
    .command("create")
    .argument("<name>", t("argument.jobName"))
    .argument("<productKey/deviceName...>", t("argument.jobDevices"))
    .description(t("job.create"))
    .requiredOption("--document <json>", t("option.jobDocument"))
    .option("--file <path>", t("option.jobFile"))
    .option("--description <text>", t("option.description"))
    .option("--timeout <minutes>", t("option.jobTimeout"), wholeNumber(1, timeoutMinutesMax, t))
    .action(async (name: string, devices: string[], options: CreateOptions, command: Command) => {
      const { client, output } = open(command);
      const body = {
        name,
        description: options.description,
        document: parseDocument(options.document, t),
        devices: devices.map((device) => splitDevice(device, t)),
        timeoutMinutes: options.timeout,
        ...(options.file === undefined ? {} : { file: { contentBase64: (await readFile(options.file)).toString("base64") } }),
      };
      showJob(await client().call<JobAnswer>("POST", path("jobs"), { body }), output, t);
    });

  addPageOptions(job.command("list").description(t("job.list")), t).action(async ({ page, pageSize }: PageOptions, command: Command) => {
    const { client, output } = open(command);
    const answer = await client().call<Page<JobAnswer>>("GET", path("jobs"), { query: { page, pageSize } });
    if (output.isJson) return output.json(answer);
    output.table(
      [t("head.id"), t("head.name"), t("head.createdAt"), t("head.tasks")],
      answer.items.map((one) => [one.id, one.name, one.createdAt, showCounts(one)]),
    );
    showPageLine(output, answer, t);
  });

  addPageOptions(job.command("show").argument("<id>", t("argument.jobId")).description(t("job.show")), t).action(
    async (id: string, { page, pageSize }: PageOptions, command: Command) => {
      const { client, output } = open(command);
      const shown = await client().call<JobAnswer>("GET", path("jobs", id));
      const tasks = await client().call<Page<JobTaskAnswer>>("GET", path("jobs", id, "tasks"), { query: { page, pageSize } });
      if (output.isJson) return output.json({ ...shown, tasks });
      showJob(shown, output, t);
      output.table(
        [t("head.productKey"), t("head.deviceName"), t("head.status"), t("head.progress"), t("head.modifiedAt")],
        tasks.items.map((task) => [task.productKey, task.deviceName, task.status, task.progress, task.modifiedAt]),
      );
      showPageLine(output, tasks, t);
    },
  );

  job
    .command("cancel")
    .argument("<id>", t("argument.jobId"))
    .description(t("job.cancel"))
    .action(async (id: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      showJob(await client().call<JobAnswer>("POST", path("jobs", id, "cancel")), output, t);
    });

  job
    .command("delete")
    .argument("<id>", t("argument.jobId"))
    .description(t("job.delete"))
    .action(async (id: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      await client().call("DELETE", path("jobs", id));
      if (output.isJson) output.json({ id, isDeleted: true });
      else output.line(t("job.deleted", { id }));
    });
}

function splitDevice(device: string, t: Translate): { productKey: string; deviceName: string } {
  const slash = device.indexOf("/");
  if (slash <= 0 || slash === device.length - 1) throw new CliError("cli.usage", t("error.deviceInvalid", { received: device }), 2);
  return { productKey: device.slice(0, slash), deviceName: device.slice(slash + 1) };
}

function parseDocument(text: string, t: Translate): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError("cli.usage", t("error.jsonExpected", { received: text.slice(0, 80) }), 2);
  }
}

function showCounts({ counts }: JobAnswer): string {
  return Object.entries(counts)
    .map(([status, count]) => `${status} ${count}`)
    .join(", ");
}

function showJob(job: JobAnswer, output: Output, t: Translate): void {
  if (output.isJson) {
    output.json(job);
    return;
  }
  output.facts([
    [t("head.id"), job.id],
    [t("head.name"), job.name],
    [t("head.createdAt"), job.createdAt],
    [t("head.tasks"), showCounts(job)],
  ]);
}
