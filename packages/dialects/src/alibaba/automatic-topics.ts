/** Topics that reach a device without a SUBSCRIBE, and who gets them. Source: alibaba-device.md, 2.1 and 4.4. */
import type { ConnectTraits } from "../dialect.ts";
import { parameterOf } from "./client-id.ts";
import { alibabaSystemTopics } from "./system-topics.ts";

const automatic = alibabaSystemTopics.filter(({ isAuto }) => isAuto).map(({ template }) => template);

/** Depth of `/sys/${productKey}/${deviceName}/` and of `/ext/session/…` in slashes. */
const ownPrefix = "/sys/${productKey}/${deviceName}/";
const paths: ReadonlySet<string> = new Set(
  automatic.filter((each) => each.startsWith(ownPrefix)).map((each) => each.slice(ownPrefix.length)),
);
const openPaths: readonly RegExp[] = [...paths].filter((path) => path.includes("${")).map(expressionOf);
const otherTopics: readonly RegExp[] = automatic.filter((each) => !each.startsWith(ownPrefix)).map(expressionOf);

function expressionOf(template: string): RegExp {
  const text = template.replace(/\$\{\w+\}|[.*+?^$()|[\]\\]/g, (part) => (part.startsWith("${") ? "[^/]+" : `\\${part}`));
  return new RegExp(`^${text}$`);
}

/** Asked for every answer, so that the usual ones cost one look into a set. */
export function isAutomatic(topic: string): boolean {
  if (!topic.startsWith("/sys/")) return otherTopics.some((each) => each.test(topic)) || topic.startsWith("/ext/rrpc/");
  let start = 4;
  for (let level = 0; level < 2; level += 1) start = topic.indexOf("/", start + 1);
  const path = topic.slice(start + 1);
  return paths.has(path) || openPaths.some((each) => each.test(path));
}

const customRrpcBit = 1;

export function traitsOf(parameters: Readonly<Record<string, string>>): ConnectTraits {
  const extensions = Number.parseInt(parameterOf(parameters, "ext") ?? "0", 10);
  return {
    ...(parameterOf(parameters, "_ss") === "1" ? { isAutoSubscribed: true } : {}),
    ...((extensions & customRrpcBit) === 0 ? {} : { acceptsCustomRrpc: true }),
  };
}
