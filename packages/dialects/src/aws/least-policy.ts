/** A policy with the rights that one client needs and no others (AWS reference, policies 5). */
import { type AwsAccount, arnOf } from "./arn.ts";

export interface LeastRights {
  clientId: string;
  /** Its reserved topics are the client's own: shadows, jobs. */
  thingName?: string;
  /** MQTT filters to publish, receive and subscribe. A policy has one wildcard only: `+` allows as many levels as `#`. */
  filters: readonly string[];
}

/**
 * The text of a policy document: connect under one client id; publish, receive and subscribe below the filters.
 *
 * @example leastPolicy(account, { clientId: "esp32", filters: ["topic/esp32at"] })
 */
export function leastPolicy(account: AwsAccount, { clientId, thingName, filters }: LeastRights): string {
  const resources = filters.map(patternOf);
  if (thingName !== undefined) resources.push(`$aws/things/${escapeLiterals(thingName)}/*`);
  const below = (kind: "topic" | "topicfilter") => resources.map((pattern) => arnOf(account, `${kind}/${pattern}`));
  const statements = [
    { Effect: "Allow", Action: "iot:Connect", Resource: arnOf(account, `client/${escapeLiterals(clientId)}`) },
    { Effect: "Allow", Action: ["iot:Publish", "iot:Receive"], Resource: below("topic") },
    { Effect: "Allow", Action: "iot:Subscribe", Resource: below("topicfilter") },
  ];
  return JSON.stringify({ Version: "2012-10-17", Statement: resources.length > 0 ? statements : statements.slice(0, 1) });
}

const patternOf = (filter: string): string =>
  filter
    .split("/")
    .map((level) => (level === "+" || level === "#" ? "*" : escapeLiterals(level)))
    .join("/");

/** What a policy would read as a wildcard or as the begin of a variable. */
const escapeLiterals = (text: string): string => text.replace(/[*?]|\$(?=\{)/g, (character) => `\${${character}}`);
