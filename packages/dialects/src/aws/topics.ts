/** Which topics and filters exist for AWS clients, whatever their policies allow (AWS reference, limits 8 and reserved topics 9). */
import { reservedRequestTopics } from "./reserved-topics.ts";

export interface AwsTopicLimits {
  /** UTF-8; what reserved prefixes add does not count. */
  topicBytesMax: number;
  /** 7 slashes are 8 levels. */
  topicSlashesMax: number;
  shareNameCharactersMax: number;
}

export const defaultAwsTopicLimits: AwsTopicLimits = { topicBytesMax: 256, topicSlashesMax: 7, shareNameCharactersMax: 128 };

/** `reserved`: there is no such topic below `$`; `form`: too long or too deep. */
export interface AwsTopicFault {
  kind: "reserved" | "form";
  received: string;
  expected: string;
}

const basicIngest = /^\$aws\/rules\/[^/]+\//;
const requestPattern = new RegExp(
  `^(?:${Object.values(reservedRequestTopics)
    .map((template) => template.replaceAll("$", "\\$").replace(/\{\w+\}/g, "[^/]+"))
    .join("|")})$`,
);
/** Trees that may be subscribed, with or without wildcards below. */
const subscribableTrees: ReadonlySet<string> = new Set([
  "things",
  "events",
  "certificates",
  "provisioning-templates",
  "sitewise",
  "+",
  "#",
]);

/** Basic ingest (14.6): handed to one rule, and to nobody else. */
export function isAwsBasicIngest(topic: string): boolean {
  return topic.startsWith("$aws/rules/");
}

/** Retained messages are for ordinary topics (6.4). */
export function isAwsReserved(topic: string): boolean {
  return topic.startsWith("$");
}

export function awsPublishFault(topic: string, limits: AwsTopicLimits): AwsTopicFault | undefined {
  if (isAwsReserved(topic) && !requestPattern.test(topic) && !basicIngest.test(topic)) {
    return { kind: "reserved", received: topic, expected: "an ordinary topic or one of the reserved topics for publishing" };
  }
  return formFault(topic.replace(basicIngest, ""), limits);
}

/** @param shareName of a shared subscription, whose prefix does not count */
export function awsSubscribeFault(filter: string, shareName: string | undefined, limits: AwsTopicLimits): AwsTopicFault | undefined {
  if (shareName !== undefined && shareName.length > limits.shareNameCharactersMax) {
    const expected = `a share name of at most ${limits.shareNameCharactersMax} characters`;
    return { kind: "form", received: `${shareName.length} characters`, expected };
  }
  if (isAwsReserved(filter)) {
    const [root, tree = ""] = filter.split("/");
    if (root !== "$aws" || !subscribableTrees.has(tree)) {
      return { kind: "reserved", received: filter, expected: "an ordinary filter or one within the reserved topics for subscribing" };
    }
  }
  return formFault(filter, limits);
}

function formFault(text: string, { topicBytesMax, topicSlashesMax }: AwsTopicLimits): AwsTopicFault | undefined {
  // Cheap first: no text of so few characters can be too long.
  if (text.length * 3 > topicBytesMax) {
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > topicBytesMax) return { kind: "form", received: `${bytes} bytes`, expected: `at most ${topicBytesMax} bytes` };
  }
  const slashes = text.split("/").length - 1;
  if (slashes <= topicSlashesMax) return undefined;
  return { kind: "form", received: `${slashes} slashes: ${text}`, expected: `at most ${topicSlashesMax} slashes` };
}
