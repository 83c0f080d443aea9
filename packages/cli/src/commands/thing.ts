import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { path } from "../client.ts";
import type { CommandContext, CommandKit } from "../context.ts";
import { quoteForShell } from "../shell.ts";

/** By the vendor's names, as the server answers them. */
const fileNames = ["device.pem.crt", "private.pem.key", "public.pem.key", "Amazon-root-CA-1.pem"] as const;
type FileName = (typeof fileNames)[number];
const secretMode = 0o600;
const openMode = 0o644;

interface ThingAnswer {
  thingName: string;
  typeName?: string;
  attributes: Readonly<Record<string, string>>;
  status?: string;
}

interface Principal {
  kind: string;
  id: string;
}

interface StartedAnswer {
  thing: ThingAnswer;
  clientId: string;
  certificate: { certificateId: string };
  policy: { policyName: string };
  endpoint: { host: string; port: number; ports: number[] };
  files: Readonly<Partial<Record<FileName, string>>>;
}

interface CreateOptions {
  out?: string;
  topic?: string[];
  clientId?: string;
  policy?: string;
  allowEverything?: boolean;
}

export function addThingCommands(program: Command, { t, open }: CommandKit): void {
  const thing = program.command("thing").description(t("thing.about"));
  const collect = (text: string, before: string[] = []) => [...before, text];
  const named = (command: Command) => command.argument("<thingName>", t("argument.thingName"));

  named(thing.command("create"))
    .description(t("thing.create"))
    .option("--out <folder>", t("option.out"))
    .option("--topic <filter>", t("option.thingTopic"), collect)
    .option("--client-id <id>", t("option.thingClientId"))
    .option("--policy <name>", t("option.policy"))
    .option("--allow-everything", t("option.allowEverything"))
    .action(async (thingName: string, options: CreateOptions, command: Command) => {
      const context = open(command);
      const { client, output, io } = context;
      const folder = options.out ?? thingName;
      const policy = policyOf(options, context);
      // Taken first: the key is told once, and must have a place.
      const files = takeFiles(folder, context);
      try {
        const body = { thingName, ...(options.clientId === undefined ? {} : { clientId: options.clientId }), ...policy };
        const started = await client().call<StartedAnswer>("POST", path("fleet", "quick-start"), { body });
        for (const [index, name] of fileNames.entries()) {
          const text = started.files[name];
          if (text === undefined) continue;
          try {
            files.write(name, text);
          } catch (cause) {
            // Nobody else has the key: better on the terminal than lost.
            const left = fileNames.slice(index).map((each) => started.files[each] ?? "");
            output.error(t("thing.filesKept"));
            io.stdout(left.join(""));
            throw new CliError("cli.file_unwritable", t("error.fileUnwritable", { path: `${folder}/${name}`, reason: reasonOf(cause) }));
          }
        }
        showStarted(started, folder, options, context);
      } finally {
        files.close();
      }
    });

  thing
    .command("list")
    .description(t("thing.list"))
    .option("--next <token>", t("option.nextToken"))
    .action(async ({ next }: { next?: string }, command: Command) => {
      const { client, output } = open(command);
      const answer = await client().call<{ items: ThingAnswer[]; nextToken?: string }>("GET", path("fleet", "things"), {
        query: { nextToken: next },
      });
      if (output.isJson) return output.json(answer);
      output.table([t("head.thing"), t("head.type"), t("head.attributes")], answer.items.map(rowOf));
      if (answer.nextToken !== undefined) output.line(output.paint("dim", t("page.next", { token: answer.nextToken })));
    });

  named(thing.command("show"))
    .description(t("thing.show"))
    .action(async (thingName: string, _options: object, command: Command) => {
      const { client, output } = open(command);
      const place = path("fleet", "things", thingName);
      const [shown, { items: principals }] = await Promise.all([
        client().call<ThingAnswer>("GET", place),
        client().call<{ items: Principal[] }>("GET", `${place}/principals`),
      ]);
      if (output.isJson) return output.json({ ...shown, principals });
      output.facts([
        [t("head.thing"), shown.thingName],
        [t("head.status"), shown.status],
        [t("head.type"), shown.typeName],
        [t("head.attributes"), attributesOf(shown)],
        [t("head.certificates"), principals.map(({ id }) => id).join(" ")],
      ]);
    });

  named(thing.command("delete"))
    .description(t("thing.delete"))
    .option("--with-certificates", t("option.withCertificates"))
    .action(async (thingName: string, { withCertificates }: { withCertificates?: boolean }, command: Command) => {
      const context = open(command);
      const { client, output } = context;
      if (withCertificates === true) await deleteCertificates(thingName, context);
      await client().call("DELETE", path("fleet", "things", thingName));
      if (output.isJson) output.json({ thingName, isDeleted: true });
      else output.line(t("thing.deleted", { name: thingName }));
    });
}

async function deleteCertificates(thingName: string, { client }: CommandContext): Promise<void> {
  const { items } = await client().call<{ items: Principal[] }>("GET", path("fleet", "things", thingName, "principals"));
  for (const { kind, id } of items) {
    if (kind !== "certificate") continue;
    const place = path("fleet", "certificates", id);
    await client().call("PATCH", place, { body: { status: "INACTIVE" } });
    await client().call("DELETE", place, { query: { isForced: true } });
  }
}

function policyOf({ topic, policy, allowEverything }: CreateOptions, { t }: CommandContext): { policy?: object } {
  const chosen = [
    ...(topic === undefined ? [] : [{ topics: topic }]),
    ...(policy === undefined ? [] : [{ policyName: policy }]),
    ...(allowEverything === true ? [{ allowsEverything: true }] : []),
  ];
  if (chosen.length > 1) throw new CliError("cli.usage", t("error.oneOf", { options: "--topic, --policy, --allow-everything" }), 2);
  return chosen[0] === undefined ? {} : { policy: chosen[0] };
}

function takeFiles(folder: string, { io, t }: CommandContext): ReturnType<typeof io.takeNewFiles> {
  try {
    return io.takeNewFiles(
      folder,
      fileNames.map((name) => ({ name, mode: name === "private.pem.key" ? secretMode : openMode })),
    );
  } catch (cause) {
    throw new CliError("cli.file_unwritable", t("error.fileUnwritable", { path: folder, reason: reasonOf(cause) }));
  }
}

function showStarted(started: StartedAnswer, folder: string, { topic }: CreateOptions, { output, t }: CommandContext): void {
  const { thing, clientId, certificate, policy, endpoint } = started;
  const file = (name: FileName) => `${folder}/${name}`;
  // The first topic without wildcards that the policy surely allows.
  const example = topic?.find((filter) => !/[+#]/.test(filter)) ?? (topic === undefined ? `${thing.thingName}/hello` : undefined);
  const words = [
    ...["mosquitto_pub", "-h", endpoint.host, "-p", String(endpoint.port), "--cafile", file("Amazon-root-CA-1.pem")],
    ...["--cert", file("device.pem.crt"), "--key", file("private.pem.key"), "-i", clientId, "-q", "1", "-t", example ?? "", "-m", "hello"],
  ];
  const tryIt = example === undefined ? undefined : words.map(quoteForShell).join(" ");
  if (output.isJson) {
    // Keys are in the files alone.
    const { files, ...rest } = started;
    output.json({ ...rest, files: Object.fromEntries(Object.keys(files).map((name) => [name, `${folder}/${name}`])), tryIt });
    return;
  }
  output.facts([
    [t("head.thing"), thing.thingName],
    [t("head.clientId"), clientId],
    [t("head.certificate"), certificate.certificateId],
    [t("head.policy"), policy.policyName],
    [t("head.endpoint"), endpoint.host],
    [t("head.ports"), endpoint.ports.join(", ")],
    [t("head.files"), fileNames.map(file).join(" ")],
  ]);
  output.line(t("thing.keyIsHere"));
  if (tryIt === undefined) return;
  output.line(t("thing.try"));
  output.line(`  ${tryIt}`);
}

const rowOf = (one: ThingAnswer) => [one.thingName, one.typeName, attributesOf(one)];

function attributesOf({ attributes }: ThingAnswer): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
