import { type Command, Option } from "commander";
import type { OtaJobAnswer, OtaTaskAnswer, Page } from "../answers.ts";
import { addPageOptions, nameList, type PageOptions, showPageLine, wholeNumber } from "../arguments.ts";
import { CliError } from "../cli-error.ts";
import { path } from "../client.ts";
import type { CommandContext, CommandKit } from "../context.ts";
import { readEvents } from "../event-stream.ts";
import type { Output } from "../output.ts";
import { createProgressBar } from "../progress-bar.ts";
import type { Translate } from "../texts/index.ts";

interface CreateOptions {
  dynamic?: boolean;
  devices?: string[];
  gray?: number;
  group?: string;
  from?: string[];
  rate?: number;
  timeout?: number;
  retry?: number;
  retryInterval?: number;
  overwrite?: boolean;
  confirm?: boolean;
  push: boolean;
  multiModule?: boolean;
  protocol?: string;
  start?: string;
  end?: string;
  stopPercent?: number;
  stopCount?: number;
  tag?: Record<string, string>;
  watch?: boolean;
}

const taskStatuses = ["CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "CANCELED"];
const taskIdsMax = 200;
/** Waits before a broken stream is opened again. */
const reconnectMilliseconds = [1_000, 2_000, 5_000, 10_000, 20_000];

export function addOtaBatchCommands(ota: Command, { t, open }: CommandKit): void {
  const id = wholeNumber(1, Number.MAX_SAFE_INTEGER, t);
  const batch = ota.command("batch").description(t("ota.batch"));
  const count = (maximum: number) => wholeNumber(0, maximum, t);

  function percent(text: string): number {
    const value = /^\d{1,3}(\.\d{1,2})?$/.test(text) ? Number(text) : Number.NaN;
    if (!(value > 0 && value <= 100)) throw new CliError("cli.usage", t("error.percentExpected", { received: text }), 2);
    return value;
  }

  function addTag(text: string, tags: Record<string, string> = {}): Record<string, string> {
    const at = text.indexOf("=");
    if (at <= 0) throw new CliError("cli.usage", t("error.tagExpected", { received: text }), 2);
    return { ...tags, [text.slice(0, at)]: text.slice(at + 1) };
  }

  batch
    .command("create")
    .argument("<packageId>", t("argument.packageId"), id)
    .description(t("ota.batchCreate"))
    .option("--dynamic", t("option.dynamic"))
    .option("--devices <names>", t("option.devices"), nameList)
    .option("--gray <percent>", t("option.gray"), percent)
    .option("--group <groupId>", t("option.group"))
    .option("--from <versions>", t("option.from"), nameList)
    .option("--rate <n>", t("option.rate"), count(10_000))
    .option("--timeout <minutes>", t("option.otaTimeout"), wholeNumber(1, 1_440, t))
    .option("--retry <n>", t("option.retries"), count(5))
    .option("--retry-interval <minutes>", t("option.retryInterval"), count(1_440))
    .option("--overwrite", t("option.overwrite"))
    .option("--confirm", t("option.confirm"))
    .option("--no-push", t("option.noPush"))
    .option("--multi-module", t("option.multiModule"))
    .addOption(new Option("--protocol <protocol>", t("option.protocol")).choices(["https", "mqtt"]))
    .option("--start <time>", t("option.start"))
    .option("--end <time>", t("option.end"))
    .option("--stop-percent <percent>", t("option.stopPercent"), percent)
    .option("--stop-count <n>", t("option.stopCount"), wholeNumber(1, 100_000, t), 10)
    .option("--tag <key=value>", t("option.tag"), addTag)
    .option("--watch", t("option.watch"))
    .action(async (packageId: number, options: CreateOptions, command: Command) => {
      const context = open(command);
      const body = jobBody(options, t);
      const job = await context.client().call<OtaJobAnswer>("POST", path("ota", "packages", packageId, "jobs"), { body });
      if (options.watch === true) await watchJob(job.id, context);
      else showJob(job, context.output, t);
    });

  addPageOptions(
    batch.command("list").description(t("ota.batchList")).option("--package <packageId>", t("argument.packageId"), id),
    t,
  ).action(async (options: PageOptions & { package?: number }, command: Command) => {
    const { client, output } = open(command);
    const query = { page: options.page, pageSize: options.pageSize, packageId: options.package };
    const answer = await client().call<Page<OtaJobAnswer>>("GET", path("ota", "jobs"), { query });
    if (output.isJson) return output.json(answer);
    output.table(
      [t("head.id"), t("head.packageId"), t("head.kind"), t("head.version"), t("head.status"), t("head.createdAt")],
      answer.items.map((one) => [one.id, one.packageId, `${one.kind} ${one.selection}`, one.version, one.status, one.createdAt]),
    );
    showPageLine(output, answer, t);
  });

  batch
    .command("show")
    .argument("<jobId>", t("argument.jobId"), id)
    .description(t("ota.batchShow"))
    .action(async (jobId: number, _options: object, command: Command) => {
      const { client, output } = open(command);
      showJob(await client().call<OtaJobAnswer>("GET", path("ota", "jobs", jobId)), output, t);
    });

  batch
    .command("cancel")
    .argument("<jobId>", t("argument.jobId"), id)
    .description(t("ota.batchCancel"))
    .option("--in-progress", t("option.inProgress"))
    .action(async (jobId: number, options: { inProgress?: boolean }, command: Command) => {
      const { client, output } = open(command);
      const body = options.inProgress === true ? { statuses: taskStatuses.slice(0, 4) } : {};
      showJob(await client().call<OtaJobAnswer>("POST", path("ota", "jobs", jobId, "cancel"), { body }), output, t);
    });

  batch
    .command("confirm")
    .argument("<jobId>", t("argument.jobId"), id)
    .description(t("ota.batchConfirm"))
    .action(async (jobId: number, _options: object, command: Command) => {
      const { client, output } = open(command);
      let confirmed = 0;
      // Those that were confirmed are in the list no more: its first page is always the next one.
      for (;;) {
        const query = { jobId, status: "CONFIRM", pageSize: taskIdsMax };
        const { items } = await client().call<Page<OtaTaskAnswer>>("GET", path("ota", "tasks"), { query });
        if (items.length === 0) break;
        await client().call("POST", path("ota", "tasks", "confirm"), { body: { taskIds: items.map((task) => task.id) } });
        confirmed += items.length;
      }
      if (output.isJson) output.json({ jobId, confirmed });
      else output.line(t("ota.confirmed", { count: confirmed }));
    });

  addPageOptions(
    ota
      .command("tasks")
      .argument("<jobId>", t("argument.jobId"), id)
      .description(t("ota.tasks"))
      .addOption(new Option("--status <status>", t("option.taskStatus")).choices(taskStatuses)),
    t,
  ).action(async (jobId: number, options: PageOptions & { status?: string }, command: Command) => {
    const { client, output } = open(command);
    const query = { jobId, page: options.page, pageSize: options.pageSize, status: options.status };
    const answer = await client().call<Page<OtaTaskAnswer>>("GET", path("ota", "tasks"), { query });
    if (output.isJson) return output.json(answer);
    output.table(
      [t("head.id"), t("head.deviceName"), t("head.status"), t("head.progress"), t("head.version"), t("head.reason")],
      answer.items.map((one) => [
        one.id,
        one.deviceName,
        one.status,
        `${one.progress} %`,
        `${one.sourceVersion ?? "?"} > ${one.version}`,
        one.reason ?? one.description,
      ]),
    );
    showPageLine(output, answer, t);
  });

  ota
    .command("watch")
    .argument("<jobId>", t("argument.jobId"), id)
    .description(t("ota.watch"))
    .action(async (jobId: number, _options: object, command: Command) => watchJob(jobId, open(command)));
}

function targetOf({ devices, gray, group }: CreateOptions, t: Translate): object {
  const targets = [
    ...(devices === undefined ? [] : [{ kind: "specific", deviceNames: devices }]),
    ...(gray === undefined ? [] : [{ kind: "gray", percent: gray }]),
    ...(group === undefined ? [] : [{ kind: "group", groupId: group }]),
  ];
  if (targets.length > 1) throw new CliError("cli.usage", t("error.oneTarget"), 2);
  return targets[0] ?? { kind: "all" };
}

function jobBody(options: CreateOptions, t: Translate): object {
  const { stopPercent, stopCount } = options;
  return {
    selection: options.dynamic === true ? "dynamic" : "static",
    target: targetOf(options, t),
    sourceVersions: options.from,
    pushesPerMinuteMax: options.rate,
    timeoutMinutes: options.timeout,
    retryCount: options.retry,
    retryIntervalMinutes: options.retryInterval,
    isOverwriting: options.overwrite,
    needsConfirm: options.confirm,
    isPushed: options.push,
    isMultiModule: options.multiModule,
    protocol: options.protocol,
    scheduledAt: options.start,
    scheduledEndAt: options.end,
    ...(stopPercent === undefined ? {} : { failureStop: { failedPercent: stopPercent, endedCountMin: stopCount } }),
    tags: options.tag,
  };
}

export function showJob(job: OtaJobAnswer, output: Output, t: Translate): void {
  if (output.isJson) {
    output.json(job);
    return;
  }
  output.facts([
    [t("head.id"), job.id],
    [t("head.packageId"), job.packageId],
    [t("head.kind"), `${job.kind} ${job.selection}`],
    [t("head.version"), job.version],
    [t("head.status"), job.status],
    [t("head.reason"), job.reason],
    [t("head.tasks"), tasksText(job)],
    [t("head.createdAt"), job.createdAt],
  ]);
}

function tasksText({ tasks = {} }: OtaJobAnswer): string {
  return Object.entries(tasks)
    .filter(([name, number]) => number > 0 || name === "total")
    .map(([name, number]) => `${name} ${number}`)
    .join(", ");
}

function isEnded({ status }: OtaTaskAnswer): boolean {
  return status === "SUCCEEDED" || status === "FAILED" || status === "CANCELED";
}

/** Until the job has ended: one line for each task that changes, a bar for all of them. */
export async function watchJob(jobId: number, { client, output, io, t }: CommandContext): Promise<void> {
  const bar = createProgressBar(io);
  const place = path("ota", "jobs", jobId);
  const load = () => client().call<OtaJobAnswer>("GET", place);
  const show = (job: OtaJobAnswer): boolean => {
    const { total = 0, SUCCEEDED = 0, FAILED = 0, CANCELED = 0 } = job.tasks ?? {};
    bar.show(SUCCEEDED + FAILED + CANCELED, total);
    return job.status === "COMPLETED" || job.status === "CANCELED";
  };
  /** By task, what was told of it last. */
  const told = new Map<number, string>();
  const tell = (task: OtaTaskAnswer): void => {
    told.set(task.id, task.status);
    if (output.isJson) output.jsonLine(task);
    else output.line(`${task.deviceName}  ${task.status}  ${task.progress} %  ${task.reason ?? task.description}`.trimEnd());
  };
  /** The job may be over before the stream has said so of each task: of those that were told of, the end is. */
  const tellEnds = async (): Promise<void> => {
    for (const [id, status] of [...told]) {
      const task = await client().call<OtaTaskAnswer>("GET", path("ota", "tasks", id));
      if (task.status !== status) tell(task);
    }
  };
  const follow = async (): Promise<OtaJobAnswer> => {
    // Following begins before the state is read, so that nothing falls between the two.
    const answer = await client().open("GET", path("ota", "stream"), { query: { jobId }, accept: "text/event-stream" });
    let job = await load();
    if (show(job)) return job;
    for await (const { event, data } of readEvents(answer.pieces)) {
      if (event === "task" || event === "progress") {
        const task = JSON.parse(data) as OtaTaskAnswer;
        tell(task);
        // What ended needs no second look.
        if (isEnded(task)) told.delete(task.id);
      }
      if (event === "progress") continue;
      job = await load();
      if (show(job)) break;
    }
    return job;
  };
  // A job that is not there is told before a stream is open, which would keep the command.
  let job = await load();
  let failures = 0;
  while (!show(job)) {
    try {
      job = await follow();
      if (show(job)) break;
      failures = 0;
    } catch (error) {
      // A server that restarts: the job goes on, and so does the watching.
      if (error instanceof CliError && error.code !== "cli.server_unreachable") throw error;
      if (failures === reconnectMilliseconds.length) throw error;
    }
    output.error(t("log.reconnecting"));
    await io.sleep(reconnectMilliseconds[failures] ?? 0);
    failures += 1;
  }
  await tellEnds();
  bar.end();
  if (output.isJson) output.jsonLine(job);
  else showJob(job, output, t);
}
