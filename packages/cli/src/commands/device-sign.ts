import { defaultSignMethod, readSignMethod, type SignMethod, signConnect } from "@thingstead/dialects";
import { type Command, InvalidArgumentError, Option } from "commander";
import { wholeNumber } from "../arguments.ts";
import { CliError } from "../cli-error.ts";
import type { CommandKit } from "../context.ts";
import { quoteForShell } from "../shell.ts";

interface SignOptions {
  host: string;
  port?: number;
  mode: "tcp" | "tls";
  clientId?: string;
  signMethod?: SignMethod;
  timestamp?: string;
  topic?: string;
  cafile?: string;
}

/** Whatever a device would compute, without a server. */
export function addSignCommand(device: Command, { t, open }: CommandKit): void {
  device
    .command("sign")
    .argument("<productKey>", t("argument.productKey"))
    .argument("<deviceName>", t("argument.deviceName"))
    .argument("[deviceSecret]", t("argument.deviceSecret"))
    .description(t("device.sign"))
    .option("--host <name>", t("option.signHost"), "127.0.0.1")
    .option("--port <n>", t("option.signPort"), wholeNumber(1, 65_535, t))
    .addOption(new Option("--mode <mode>", t("option.signMode")).choices(["tcp", "tls"]).default("tcp"))
    .option("--client-id <text>", t("option.clientId"))
    .option("--sign-method <method>", t("option.signMethod"), (text) => {
      const method = readSignMethod(text);
      if (method === undefined) throw new InvalidArgumentError(`hmacmd5, hmacsha1, hmacsha256 (${defaultSignMethod} …)`);
      return method;
    })
    .option("--timestamp <text>", t("option.timestamp"))
    .option("--topic <topic>", t("option.signTopic"))
    .option("--cafile <file>", t("option.cafile"))
    .action((productKey: string, deviceName: string, secretArgument: string | undefined, options: SignOptions, command: Command) => {
      const { output, io } = open(command);
      const deviceSecret = secretArgument ?? io.environment.THINGSTEAD_DEVICE_SECRET;
      if (deviceSecret === undefined || deviceSecret === "") throw new CliError("cli.usage", t("error.deviceSecretMissing"), 2);
      const { host, mode } = options;
      const port = options.port ?? (mode === "tls" ? 8883 : 1883);
      const credentials = signConnect({
        productKey,
        deviceName,
        deviceSecret,
        secureMode: mode === "tls" ? 2 : 3,
        ...(options.clientId === undefined ? {} : { clientId: options.clientId }),
        ...(options.signMethod === undefined ? {} : { signMethod: options.signMethod }),
        ...(options.timestamp === undefined ? {} : { timestamp: options.timestamp }),
      });
      const { clientId, userName, password } = credentials;
      const topic = options.topic ?? `/${productKey}/${deviceName}/user/update`;
      const tls = mode === "tls" ? ["--cafile", options.cafile ?? "data/ca.crt"] : [];
      const words = [
        "-h",
        host,
        "-p",
        String(port),
        ...tls,
        "-i",
        clientId,
        "-u",
        userName,
        "-P",
        password,
        "-t",
        topic,
        "-q",
        "1",
        "-m",
        "hello",
      ];
      const mosquittoPub = ["mosquitto_pub", ...words].map(quoteForShell).join(" ");
      if (output.isJson) return output.json({ mode, host, port, clientId, userName, password, mosquittoPub });
      output.facts([
        [t("head.host"), host],
        [t("head.port"), port],
        [t("head.clientId"), clientId],
        [t("head.userName"), userName],
        [t("head.password"), password],
      ]);
      output.line(mosquittoPub);
    });
}
