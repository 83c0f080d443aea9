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

/** Introduces a topic that is no device's, where a short name would mean one below the device. */
const openMark = "mqtt:";

/**
 * The template of a topic that is no device's: `mqtt:topic/esp32at`, or `$aws/things/${deviceName}/shadow/update`. Undefined for other
 * texts. Its first level is spelt out: a wildcard there would open other devices' topics.
 */
function openTemplate(topic: string, operation: Operation, refuse: (expected: string) => never): string | undefined {
  const template = topic.startsWith(openMark) ? topic.slice(openMark.length) : topic.startsWith("$aws/") ? topic : undefined;
  if (template === undefined) return undefined;
  const levels = template.split("/");
  for (const [index, level] of levels.entries()) {
    if (/^(?:[\w:.@$-]+|\$\{(?:productKey|deviceName)\})$/.test(level) && (index > 0 || !level.startsWith("${"))) continue;
    if (index === 0 || (level !== "+" && level !== "#"))
      refuse("levels of letters, digits and _ : . @ $ -, ${productKey} or ${deviceName} behind the first");
    if (operation !== "SUB") refuse("+ and # only with the operation SUB: nobody can publish to a wildcard");
    if (level === "#" && index !== levels.length - 1) refuse("# as the last level only");
  }
  return template;
}

/**
 * The template of a class from a short name (`data`, `user/x`) or a whole template; the product's own key may stand for
 * `${productKey}`; behind `mqtt:`, or with `$aws/` before, a topic that is no device's. Throws `registry.invalid_topic`, `registry.invalid_operation`.
 */
export function parseTopicTemplate(topic: string, operation: Operation, productKey: string, limits: RegistryLimits): string {
  checkChoice("registry.invalid_operation", operation, ["PUB", "SUB", "ALL"]);
  const refuse = (expected: string): never => {
    throw new PlatformError("registry.invalid_topic", { received: shown(topic), expected });
  };

  const open = openTemplate(topic, operation, refuse);
  if (open !== undefined) {
    checkSize(open, productKey, limits, refuse);
    return open;
  }
  const path = pathBelowDevice(topic, productKey) ?? refuse(`a short name or a template that begins with ${ownPrefix}`);
  const template = ownPrefix + path;
  checkSize(template, productKey, limits, refuse);

  const segments = path.split("/");
  for (const [index, segment] of segments.entries()) {
    if (/^[A-Za-z0-9_]+$/.test(segment)) continue;
    if (segment !== "+" && segment !== "#") refuse("levels of letters, digits and _, none of them empty");
    if (operation !== "SUB") refuse("+ and # only with the operation SUB: nobody can publish to a wildcard");
    if (segment === "#" && index !== segments.length - 1) refuse("# as the last level only");
  }
  return template;
}

function checkSize(template: string, productKey: string, limits: RegistryLimits, refuse: (expected: string) => never): void {
  const bytes = Buffer.byteLength(template.replace("${productKey}", productKey));
  if (bytes > limits.topicBytesMax) refuse(`at most ${limits.topicBytesMax} bytes, not ${bytes}`);
  const slashes = template.split("/").length - 1;
  if (slashes > limits.topicLevelsMax) refuse(`at most ${limits.topicLevelsMax} levels, not ${slashes}`);
}

function pathBelowDevice(topic: string, productKey: string): string | undefined {
  if (!topic.startsWith("/")) return topic;
  for (const key of ["${productKey}", productKey]) {
    const prefix = `/${key}/\${deviceName}/`;
    if (topic.startsWith(prefix)) return topic.slice(prefix.length);
  }
  return undefined;
}
