import { type Command, Option } from "commander";
import { CliError } from "../cli-error.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";

interface PublishOptions {
  qos: string;
  base64?: boolean;
  file?: string;
}

export function addPublishCommand(program: Command, { t, open }: CommandKit): void {
  program
    .command("publish")
    .argument("<topic>", t("argument.topic"))
    .argument("[payload]", t("argument.payload"))
    .description(t("publish.about"))
    .addOption(new Option("--qos <n>", t("option.qos")).choices(["0", "1"]).default("0"))
    .option("--base64", t("option.base64"))
    .option("--file <file>", t("option.payloadFile"))
    .action(async (topic: string, payload: string | undefined, options: PublishOptions, command: Command) => {
      const { client, output, io } = open(command);
      if ((payload === undefined) === (options.file === undefined)) throw new CliError("cli.usage", t("error.payloadOrFile"), 2);
      const [empty, productKey, deviceName, ...rest] = topic.split("/");
      if (empty !== "" || !productKey || !deviceName || rest.length === 0) {
        throw new CliError("cli.topic_invalid", t("error.topicInvalid", { received: topic }), 2);
      }
      const body = { topic, qos: Number(options.qos), ...payloadOf(payload, options) };
      const place = path("products", productKey, "devices", deviceName, "messages");
      const answer = await client().call<{ messageId: string; delivered: number; queued: number }>("POST", place, { body });
      if (output.isJson) output.json(answer);
      else output.line(t("publish.done", { messageId: answer.messageId, delivered: answer.delivered, queued: answer.queued }));

      function payloadOf(text: string | undefined, { base64, file }: PublishOptions): { payload?: string; payloadBase64?: string } {
        if (file === undefined) return base64 === true ? { payloadBase64: text ?? "" } : { payload: text ?? "" };
        let bytes: Buffer;
        try {
          bytes = io.readFile(file);
        } catch (error) {
          const reason = (error as NodeJS.ErrnoException).code ?? String(error);
          throw new CliError("cli.file_unreadable", t("error.fileUnreadable", { path: file, reason }));
        }
        return { payloadBase64: base64 === true ? bytes.toString("latin1").replaceAll(/\s/g, "") : bytes.toString("base64") };
      }
    });
}
