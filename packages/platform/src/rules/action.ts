/** Checking what people give as an action, and making it ready to run. */

import { PlatformError } from "../errors/index.ts";
import type { RuleLimits } from "./limits.ts";
import type { RuleAction, RuleActionRecord } from "./rule.ts";
import { type AddressPolicy, bareHost, isAddress } from "./sinks/index.ts";
import { type CompiledTemplate, compileTemplate, topicLevel, unknownCallIn, urlPart } from "./template.ts";

export type PreparedAction = { id: number } & (
  | { type: "republish"; topic: CompiledTemplate; qos: 0 | 1 | undefined }
  | {
      type: "webhook";
      url: CompiledTemplate;
      method: "POST" | "PUT";
      headers: Record<string, string>;
      hasContentType: boolean;
      timeoutMilliseconds: number;
    }
);

export function prepareAction({ id, action }: RuleActionRecord, limits: RuleLimits): PreparedAction {
  if (action.type === "republish") {
    return { id, type: "republish", topic: compileTemplate(action.topic, topicLevel), qos: action.qos };
  }
  return {
    id,
    type: "webhook",
    url: compileTemplate(action.url, urlPart),
    method: action.method ?? "POST",
    headers: action.headers ?? {},
    hasContentType: Object.keys(action.headers ?? {}).some((name) => name.toLowerCase() === "content-type"),
    timeoutMilliseconds: action.timeoutMilliseconds ?? limits.webhookTimeoutMilliseconds,
  };
}

function invalid(field: string, received: string, expected: string): PlatformError {
  return new PlatformError("rules.action_invalid", { field, received, expected });
}

/** Throws `rules.action_invalid`, `rules.address_refused`. */
export function checkAction(action: RuleAction, limits: RuleLimits, addressPolicy: AddressPolicy): void {
  switch (action.type) {
    case "republish":
      checkRepublish(action, limits);
      break;
    case "webhook":
      checkWebhook(action, limits, addressPolicy);
      break;
    default:
      throw invalid("type", String((action as { type?: unknown }).type), "republish or webhook");
  }
}

function checkRepublish({ topic, qos }: Extract<RuleAction, { type: "republish" }>, limits: RuleLimits): void {
  const bytes = Buffer.byteLength(topic);
  if (topic === "" || bytes > limits.topicBytesMax) throw invalid("topic", `${bytes} bytes long`, `1 to ${limits.topicBytesMax} bytes`);
  if (/[+#\0]/.test(topic)) throw invalid("topic", topic, "one topic without + and #");
  checkCalls("topic", topic);
  if (qos !== undefined && qos !== 0 && qos !== 1) throw invalid("qos", String(qos), "0 or 1");
}

function checkCalls(field: string, template: string): void {
  const unknown = unknownCallIn(template);
  if (unknown !== undefined) throw invalid(field, `\${${unknown}}`, "${deviceName()}, ${productKey()}, ${topic(n)} or ${alias}");
}

function checkWebhook(action: Extract<RuleAction, { type: "webhook" }>, limits: RuleLimits, addressPolicy: AddressPolicy): void {
  const { url, method = "POST", headers = {}, timeoutMilliseconds = limits.webhookTimeoutMilliseconds } = action;
  if (url.length > limits.webhookUrlCharactersMax) {
    throw invalid("url", `${url.length} characters long`, `at most ${limits.webhookUrlCharactersMax} characters`);
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) throw invalid("url", url, "an http or https address");
  if (parsed.username !== "" || parsed.password !== "") throw invalid("url", "an address with a password in it", "credentials in headers");
  // Where a message goes is the owner's decision, not the device's: the host is fixed, path and query may be filled.
  if (/^[a-z]+:[/\\]*[^/\\?#]*\$\{/i.test(url)) throw invalid("url", url, "a fixed host; ${} may stand in path and query");
  checkCalls("url", url);
  const host = bareHost(parsed.hostname);
  if (isAddress(host) && !addressPolicy.isAllowed(host, host)) throw new PlatformError("rules.address_refused", { host, address: "" });
  if (method !== "POST" && method !== "PUT") throw invalid("method", String(method), "POST or PUT");
  if (!Number.isInteger(timeoutMilliseconds) || timeoutMilliseconds < 1 || timeoutMilliseconds > limits.webhookTimeoutMillisecondsMax) {
    throw invalid("timeoutMilliseconds", String(timeoutMilliseconds), `1 to ${limits.webhookTimeoutMillisecondsMax}`);
  }
  checkHeaders(headers, limits);
}

/** Headers that belong to the connection or to us. */
const reservedHeader =
  /^(?:host|content-length|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer|proxy-.*|x-thingstead-.*)$/i;

/** Values never appear in errors: they hold secrets. */
function checkHeaders(headers: Record<string, string>, limits: RuleLimits): void {
  const names = Object.keys(headers);
  if (names.length > limits.webhookHeadersMax) throw invalid("headers", `${names.length} entries`, `at most ${limits.webhookHeadersMax}`);
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) throw invalid("headers", `the name ${JSON.stringify(name)}`, "letters, digits and -");
    if (reservedHeader.test(name)) throw invalid("headers", `the name ${name}`, "a name that is not reserved");
    if (Buffer.byteLength(name + value) > limits.webhookHeaderBytesMax) {
      throw invalid("headers", `a long ${name}`, `at most ${limits.webhookHeaderBytesMax} bytes a header`);
    }
    if (!/^[\t\x20-\x7e]*$/.test(value)) throw invalid("headers", `a value of ${name} with other characters`, "printable ASCII");
  }
}
