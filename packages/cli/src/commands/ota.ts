import { createHash } from "node:crypto";
import { basename } from "node:path";
import { type Command, Option } from "commander";
import type { FirmwareFileAnswer, OtaJobAnswer, OtaPackageAnswer, Page } from "../answers.ts";
import { addPageOptions, nameList, type PageOptions, showPageLine, wholeNumber } from "../arguments.ts";
import { CliError } from "../cli-error.ts";
import { path } from "../client.ts";
import type { CommandContext, CommandKit } from "../context.ts";
import type { FilePieces } from "../io.ts";
import type { Output } from "../output.ts";
import { createProgressBar } from "../progress-bar.ts";
import type { Translate } from "../texts/index.ts";
import { addOtaBatchCommands, showJob, watchJob } from "./ota-batch.ts";

interface UploadOptions {
  product: string;
  /** `--version` is the command's own. */
  firmwareVersion: string;
  name?: string;
  module?: string;
  diffFrom?: string;
  sha256?: boolean;
  userInfo?: string;
  digestSign?: string;
  verification: boolean;
}

interface VerifyOptions {
  devices: string[];
  timeout?: number;
  watch?: boolean;
}

export function addOtaCommands(program: Command, kit: CommandKit): void {
  const { t, open } = kit;
  const ota = program.command("ota").description(t("ota.about"));
  const id = wholeNumber(1, Number.MAX_SAFE_INTEGER, t);

  ota
    .command("upload")
    .argument("<file>", t("argument.firmwareFile"))
    .description(t("ota.upload"))
    .requiredOption("--product <productKey>", t("argument.productKey"))
    .requiredOption("--firmware-version <version>", t("option.firmwareVersion"))
    .option("--name <name>", t("option.packageName"))
    .option("--module <module>", t("option.module"))
    .option("--diff-from <version>", t("option.diffFrom"))
    .option("--sha256", t("option.sha256"))
    .option("--user-info <text>", t("option.userInfo"))
    .option("--digest-sign <text>", t("option.digestSign"))
    .option("--no-verification", t("option.noVerification"))
    .action(async (file: string, options: UploadOptions, command: Command) => {
      const context = open(command);
      const uploaded = await upload(file, context);
      const name = options.name ?? `${basename(file)} ${options.firmwareVersion}`;
      const body = {
        productKey: options.product,
        name,
        module: options.module,
        version: options.firmwareVersion,
        ...(options.diffFrom === undefined ? {} : { kind: "differential", sourceVersion: options.diffFrom }),
        signMethod: options.sha256 === true ? "SHA256" : "MD5",
        files: [{ id: uploaded.id, name: basename(file) }],
        userInfo: options.userInfo,
        digestSign: options.digestSign,
        needsVerification: options.verification,
      };
      showPackage(await context.client().call<OtaPackageAnswer>("POST", path("ota", "packages"), { body }), context.output, t);
    });

  addPageOptions(
    ota.command("packages").description(t("ota.packages")).option("--product <productKey>", t("argument.productKey")),
    t,
  ).action(async (options: PageOptions & { product?: string }, command: Command) => {
    const { client, output } = open(command);
    const query = { page: options.page, pageSize: options.pageSize, productKey: options.product };
    const answer = await client().call<Page<OtaPackageAnswer>>("GET", path("ota", "packages"), { query });
    if (output.isJson) return output.json(answer);
    output.table(
      [t("head.id"), t("head.productKey"), t("head.name"), t("head.module"), t("head.version"), t("head.status"), t("head.createdAt")],
      answer.items.map((one) => [one.id, one.productKey, one.name, one.module, one.version, one.status, one.createdAt]),
    );
    showPageLine(output, answer, t);
  });

  ota
    .command("delete")
    .argument("<packageId>", t("argument.packageId"), id)
    .description(t("ota.delete"))
    .action(async (packageId: number, _options: object, command: Command) => {
      const { client, output } = open(command);
      await client().call("DELETE", path("ota", "packages", packageId));
      if (output.isJson) output.json({ id: packageId, isDeleted: true });
      else output.line(t("ota.deleted", { id: packageId }));
    });

  ota
    .command("verify")
    .argument("<packageId>", t("argument.packageId"), id)
    .description(t("ota.verify"))
    .addOption(new Option("--devices <names>", t("option.testDevices")).argParser(nameList).makeOptionMandatory())
    .option("--timeout <minutes>", t("option.otaTimeout"), wholeNumber(1, 1_440, t))
    .option("--watch", t("option.watch"))
    .action(async (packageId: number, options: VerifyOptions, command: Command) => {
      const context = open(command);
      const body = { deviceNames: options.devices, timeoutMinutes: options.timeout };
      const job = await context.client().call<OtaJobAnswer>("POST", path("ota", "packages", packageId, "verify"), { body });
      if (options.watch === true) await watchJob(job.id, context);
      else showJob(job, context.output, t);
    });

  ota
    .command("versions")
    .argument("<productKey>", t("argument.productKey"))
    .description(t("ota.versions"))
    .option("--module <module>", t("option.module"))
    .action(async (productKey: string, options: { module?: string }, command: Command) => {
      const { client, output } = open(command);
      const place = path("products", productKey, "ota", "versions");
      const answer = await client().call<{ items: { version: string; deviceCount: number }[] }>("GET", place, { query: { ...options } });
      if (output.isJson) return output.json(answer);
      output.table(
        [t("head.version"), t("head.devices")],
        answer.items.map((one) => [one.version, one.deviceCount]),
      );
    });

  addOtaBatchCommands(ota, kit);
}

/** The digests of what was read must be those of what arrived. */
async function upload(file: string, { io, client, t }: CommandContext): Promise<FirmwareFileAnswer> {
  let opened: FilePieces;
  try {
    opened = io.openFile(file);
  } catch (error) {
    throw new CliError(
      "cli.file_unreadable",
      t("error.fileUnreadable", { path: file, reason: (error as NodeJS.ErrnoException).code ?? String(error) }),
    );
  }
  const bar = createProgressBar(io);
  const sha256 = createHash("sha256");
  async function* pieces(): AsyncGenerator<Uint8Array> {
    let sent = 0;
    for await (const piece of opened.pieces) {
      sha256.update(piece);
      yield piece;
      sent += piece.length;
      bar.show(sent, opened.bytes);
    }
  }
  try {
    const headers = { "content-type": "application/octet-stream", "content-length": String(opened.bytes) };
    const answer = await client().call<FirmwareFileAnswer>("POST", path("ota", "files"), { stream: pieces(), headers });
    if (answer.sha256 !== sha256.digest("hex")) throw new CliError("cli.upload_damaged", t("error.uploadDamaged", { path: file }));
    return answer;
  } finally {
    bar.end();
  }
}

function showPackage(pack: OtaPackageAnswer, output: Output, t: Translate): void {
  if (output.isJson) {
    output.json(pack);
    return;
  }
  output.facts([
    [t("head.id"), pack.id],
    [t("head.productKey"), pack.productKey],
    [t("head.name"), pack.name],
    [t("head.module"), pack.module],
    [t("head.version"), pack.version],
    [t("head.status"), pack.status],
    ["MD5", pack.files[0]?.md5],
    ["SHA256", pack.files[0]?.sha256],
    [t("head.bytes"), pack.files[0]?.bytes],
  ]);
}
