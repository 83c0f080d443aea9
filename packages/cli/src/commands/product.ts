import { type Command, Option } from "commander";
import type { Page, ProductAnswer } from "../answers.ts";
import { addPageOptions, type PageOptions, showPageLine } from "../arguments.ts";
import { path } from "../client.ts";
import type { CommandKit } from "../context.ts";
import type { Output } from "../output.ts";
import type { Translate } from "../texts/index.ts";

type Switch = "on" | "off";

interface UpdateOptions {
  name?: string;
  description?: string;
  registration?: Switch;
  selfRegistration?: Switch;
  release?: Switch;
}

interface CreateOptions {
  description?: string;
  nodeType?: string;
  topicStyle?: string;
  dataFormat?: string;
  authType?: string;
  registration?: Switch;
  selfRegistration?: Switch;
  productKey?: string;
  productSecret?: string;
}

const isOn = (value: Switch | undefined) => (value === undefined ? undefined : value === "on");

export function addProductCommands(program: Command, { t, open }: CommandKit): void {
  const product = program.command("product").description(t("product.about"));

  product
    .command("create")
    .argument("<name>", t("argument.productName"))
    .description(t("product.create"))
    .option("--description <text>", t("option.description"))
    .addOption(new Option("--node-type <type>", t("option.nodeType")).choices(["device", "gateway"]))
    .addOption(new Option("--topic-style <style>", t("option.topicStyle")).choices(["user", "legacy", "none"]))
    .addOption(new Option("--data-format <n>", t("option.dataFormat")).choices(["0", "1"]))
    .addOption(new Option("--auth-type <type>", t("option.authType")).choices(["secret", "x509"]))
    .addOption(switchOption("--registration <switch>", t("option.registration")))
    .addOption(switchOption("--self-registration <switch>", t("option.selfRegistration")))
    .option("--product-key <key>", t("option.productKey"))
    .option("--product-secret <secret>", t("option.productSecret"))
    .action(async (name: string, options: CreateOptions, command: Command) => {
      const { client, output } = open(command);
      const { description, nodeType, topicStyle, dataFormat, authType, productKey, productSecret } = options;
      const body = {
        name,
        description,
        nodeType,
        topicStyle,
        authType,
        isRegistrationOpen: isOn(options.registration),
        isSelfRegistrationOpen: isOn(options.selfRegistration),
        productKey,
        productSecret,
        dataFormat: dataFormat === undefined ? undefined : Number(dataFormat),
      };
      showProduct(await client().call<ProductAnswer>("POST", path("products"), { body }), output, t);
    });

  addPageOptions(product.command("list").description(t("product.list")), t).action(async (options: PageOptions, command: Command) => {
    const { client, output } = open(command);
    const query = { page: options.page, pageSize: options.pageSize };
    const answer = await client().call<Page<ProductAnswer>>("GET", path("products"), { query });
    if (output.isJson) return output.json(answer);
    output.table(
      [t("head.productKey"), t("head.name"), t("head.devices"), t("head.topicStyle"), t("head.createdAt")],
      answer.items.map((one) => [one.productKey, one.name, one.deviceCount, one.topicStyle, one.createdAt]),
    );
    showPageLine(output, answer, t);
  });

  product
    .command("show")
    .argument("<productKey>", t("argument.productKey"))
    .description(t("product.show"))
    .option("--secret", t("option.secret"))
    .action(async (productKey: string, options: { secret?: boolean }, command: Command) => {
      const { client, output } = open(command);
      const query = { secret: options.secret };
      showProduct(await client().call<ProductAnswer>("GET", path("products", productKey), { query }), output, t);
    });

  product
    .command("update")
    .argument("<productKey>", t("argument.productKey"))
    .description(t("product.update"))
    .option("--name <name>", t("argument.productName"))
    .option("--description <text>", t("option.description"))
    .addOption(switchOption("--registration <switch>", t("option.registration")))
    .addOption(switchOption("--self-registration <switch>", t("option.selfRegistration")))
    .addOption(switchOption("--release <switch>", t("option.release")))
    .action(async (productKey: string, options: UpdateOptions, command: Command) => {
      const { client, output } = open(command);
      const body = {
        name: options.name,
        description: options.description,
        isRegistrationOpen: isOn(options.registration),
        isSelfRegistrationOpen: isOn(options.selfRegistration),
        isReleased: isOn(options.release),
      };
      showProduct(await client().call<ProductAnswer>("PATCH", path("products", productKey), { body }), output, t);
    });

  product
    .command("delete")
    .argument("<productKey>", t("argument.productKey"))
    .description(t("product.delete"))
    .action(async (productKey: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      await client().call("DELETE", path("products", productKey));
      if (output.isJson) output.json({ productKey, isDeleted: true });
      else output.line(t("product.deleted", { productKey }));
    });
}

function switchOption(flags: string, description: string): Option {
  return new Option(flags, description).choices(["on", "off"]);
}

function showProduct(product: ProductAnswer, output: Output, t: Translate): void {
  if (output.isJson) {
    output.json(product);
    return;
  }
  output.facts([
    [t("head.productKey"), product.productKey],
    [t("head.productSecret"), product.productSecret],
    [t("head.name"), product.name],
    [t("head.description"), product.description],
    [t("head.nodeType"), product.nodeType],
    [t("head.topicStyle"), product.topicStyle],
    [t("head.dataFormat"), product.dataFormat],
    [t("head.authType"), product.authType],
    [t("head.registration"), product.isRegistrationOpen],
    [t("head.selfRegistration"), product.isSelfRegistrationOpen],
    [t("head.released"), product.isReleased],
    [t("head.devices"), product.deviceCount],
    [t("head.createdAt"), product.createdAt],
  ]);
}
