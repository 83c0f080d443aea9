import { type Command, InvalidArgumentError } from "commander";
import type { DeviceIdentityAnswer, Page } from "../answers.ts";
import { addPageOptions, type PageOptions, showPageLine } from "../arguments.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";
import type { Output } from "../output.ts";
import type { Translate } from "../texts/index.ts";

type Changes = Record<string, string | null>;

export function addTagCommands(program: Command, { t, open }: CommandKit): void {
  const tag = program.command("tag").description(t("tag.about"));
  const collect = (text: string, former: Changes | undefined): Changes => ({ ...former, ...readChange(text, t) });

  tag
    .command("show")
    .argument("<productKey>", t("argument.productKey"))
    .argument("[deviceName]", t("argument.tagDevice"))
    .description(t("tag.show"))
    .action(async (productKey: string, deviceName: string | undefined, _options: object, command: Command) => {
      const { client, output } = open(command);
      showTags(await client().call<{ tags: Record<string, string> }>("GET", placeOf(productKey, deviceName)), output, t);
    });

  tag
    .command("set")
    .argument("<productKey>", t("argument.productKey"))
    .argument("[deviceName]", t("argument.tagDevice"))
    .description(t("tag.set"))
    .requiredOption("--tag <key=value>", t("option.tagChange"), collect)
    .action(async (productKey: string, deviceName: string | undefined, options: { tag: Changes }, command: Command) => {
      const { client, output } = open(command);
      const answer = await client().call<{ tags: Record<string, string> }>("PATCH", placeOf(productKey, deviceName), {
        body: { tags: options.tag },
      });
      showTags(answer, output, t);
    });

  addPageOptions(tag.command("find").argument("<tags>", t("argument.tagQuery")).description(t("tag.find")), t).action(
    async (tags: string, { page, pageSize }: PageOptions, command: Command) => {
      const { client, output } = open(command);
      const answer = await client().call<Page<DeviceIdentityAnswer>>("GET", path("tagged-devices"), { query: { page, pageSize, tags } });
      if (output.isJson) return output.json(answer);
      output.table(
        [t("head.productKey"), t("head.deviceName"), t("head.iotId")],
        answer.items.map((one) => [one.productKey, one.deviceName, one.iotId]),
      );
      showPageLine(output, answer, t);
    },
  );
}

function placeOf(productKey: string, deviceName: string | undefined): string {
  return deviceName === undefined ? path("products", productKey, "tags") : path("products", productKey, "devices", deviceName, "tags");
}

/** `key=value` sets, `key=` deletes: no tag has an empty value. */
function readChange(text: string, t: Translate): Changes {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError(t("error.assignmentInvalid", { received: text.slice(0, 80) }));
  const value = text.slice(at + 1);
  return { [text.slice(0, at)]: value === "" ? null : value };
}

function showTags(answer: { tags: Record<string, string> }, output: Output, t: Translate): void {
  if (output.isJson) output.json(answer);
  else output.table([t("head.tag"), t("head.value")], Object.entries(answer.tags));
}
