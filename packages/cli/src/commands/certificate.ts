import type { Command } from "commander";
import type { CertificateAnswer } from "../answers.ts";
import { CliError } from "../cli-error.ts";
import { path } from "../client.ts";
import type { CommandContext, CommandKit } from "../context.ts";

export function addCertificateCommands(program: Command, { t, open }: CommandKit): void {
  const certificate = program.command("certificate").description(t("certificate.about"));
  const ofDevice = (command: Command) =>
    command.argument("<productKey>", t("argument.productKey")).argument("<deviceName>", t("argument.deviceName"));
  const placeOf = (productKey: string, deviceName: string) => path("products", productKey, "devices", deviceName, "certificates");

  ofDevice(certificate.command("list"))
    .description(t("certificate.list"))
    .action(async (productKey: string, deviceName: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      const answer = await client().call<{ items: CertificateAnswer[] }>("GET", placeOf(productKey, deviceName));
      if (output.isJson) return output.json(answer);
      output.table(
        [t("head.fingerprint"), t("head.serialNumber"), t("head.expiresAt"), t("head.createdAt")],
        answer.items.map((one) => [one.fingerprint, one.serialNumber, one.expiresAt, one.createdAt]),
      );
    });

  ofDevice(certificate.command("issue"))
    .description(t("certificate.issue"))
    .action(async (productKey: string, deviceName: string, _options: object, command: Command) => {
      const { client, output, io } = open(command);
      const answer = await client().call<CertificateAnswer>("POST", placeOf(productKey, deviceName), { body: {} });
      if (output.isJson) return output.json(answer);
      // As they are, so that the output can be cut into files.
      for (const pem of [answer.certificate, answer.privateKey, answer.ca]) if (pem !== undefined) io.stdout(`${pem.trim()}\n`);
      output.error(t("certificate.issued", { fingerprint: answer.fingerprint, expiresAt: answer.expiresAt }));
    });

  ofDevice(certificate.command("register"))
    .argument("<file>", t("argument.certificateFile"))
    .description(t("certificate.register"))
    .action(async (productKey: string, deviceName: string, file: string, _options: object, command: Command) => {
      const context = open(command);
      const { client, output } = context;
      const body = { certificate: readPem(file, context) };
      const answer = await client().call<CertificateAnswer>("POST", placeOf(productKey, deviceName), { body });
      if (output.isJson) output.json(answer);
      else output.line(t("certificate.registered", { fingerprint: answer.fingerprint, expiresAt: answer.expiresAt }));
    });

  ofDevice(certificate.command("withdraw"))
    .argument("<fingerprint>", t("argument.fingerprint"))
    .description(t("certificate.withdraw"))
    .action(async (productKey: string, deviceName: string, fingerprint: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      await client().call("DELETE", `${placeOf(productKey, deviceName)}/${encodeURIComponent(fingerprint)}`);
      if (output.isJson) output.json({ productKey, deviceName, fingerprint, isWithdrawn: true });
      else output.line(t("certificate.withdrawn", { fingerprint }));
    });
}

function readPem(file: string, { io, t }: CommandContext): string {
  try {
    return io.readFile(file).toString();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("cli.file_unreadable", t("error.fileUnreadable", { path: file, reason }));
  }
}
