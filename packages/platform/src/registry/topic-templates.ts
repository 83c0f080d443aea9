/** Topic classes (device protocol 4.2): the default ones of a product, and what a new one may look like. */
import type { Operation } from "@thingstead/dialects";
import { PlatformError } from "../errors/index.ts";
import { checkChoice, shown } from "./identity-values.ts";
import type { RegistryLimits } from "./limits.ts";
import type { Product } from "./registry.ts";

const ownPrefix = "/${productKey}/${deviceName}/";

/** The classes a product is born with, by its topic style. */
export const defaultTopicClasses: Readonly<Record<Product["topicStyle"], readonly { template: string; operation: Operation }[]>> = {
  user: [
    { template: `${ownPrefix}user/update`, operation: "PUB" },
    { template: `${ownPrefix}user/update/error`, operation: "PUB" },
    { template: `${ownPrefix}user/get`, operation: "SUB" },
  ],
  legacy: [
    { template: `${ownPrefix}update`, operation: "PUB" },
    { template: `${ownPrefix}update/error`, operation: "PUB" },
    { template: `${ownPrefix}get`, operation: "SUB" },
  ],
  none: [],
};

/**
 * The template of a class from a short name (`data`, `user/x`) or a whole template; the product's own key may stand for
 * `${productKey}`. Throws `registry.invalid_topic`, `registry.invalid_operation`.
 */
export function parseTopicTemplate(topic: string, operation: Operation, productKey: string, limits: RegistryLimits): string {
  checkChoice("registry.invalid_operation", operation, ["PUB", "SUB", "ALL"]);
  const refuse = (expected: string): never => {
    throw new PlatformError("registry.invalid_topic", { received: shown(topic), expected });
  };

  const path = pathBelowDevice(topic, productKey) ?? refuse(`a short name or a template that begins with ${ownPrefix}`);
  const template = ownPrefix + path;
  const bytes = Buffer.byteLength(template.replace("${productKey}", productKey));
  if (bytes > limits.topicBytesMax) refuse(`at most ${limits.topicBytesMax} bytes, not ${bytes}`);
  const slashes = template.split("/").length - 1;
  if (slashes > limits.topicLevelsMax) refuse(`at most ${limits.topicLevelsMax} levels, not ${slashes}`);

  const segments = path.split("/");
  for (const [index, segment] of segments.entries()) {
    if (/^[A-Za-z0-9_]+$/.test(segment)) continue;
    if (segment !== "+" && segment !== "#") refuse("levels of letters, digits and _, none of them empty");
    if (operation !== "SUB") refuse("+ and # only with the operation SUB: nobody can publish to a wildcard");
    if (segment === "#" && index !== segments.length - 1) refuse("# as the last level only");
  }
  return template;
}

function pathBelowDevice(topic: string, productKey: string): string | undefined {
  if (!topic.startsWith("/")) return topic;
  for (const key of ["${productKey}", productKey]) {
    const prefix = `/${key}/\${deviceName}/`;
    if (topic.startsWith(prefix)) return topic.slice(prefix.length);
  }
  return undefined;
}
