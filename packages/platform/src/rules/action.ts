/** Checking what people give as an action, and making it ready to run. */

import type { Properties } from "@thingstead/mqtt";
import { PlatformError } from "../errors/index.ts";
import { failedActionName, type HttpHeader, type RepublishHeaders, republishProperties, resolveAwsAction } from "./aws-action.ts";
import { compileAwsTemplate } from "./aws-template.ts";
import type { CompileOptions, RuleMessage, Value } from "./compile/index.ts";
import type { RuleLimits } from "./limits.ts";
import type { RuleAction, RuleActionRecord } from "./rule.ts";
import { type AddressPolicy, bareHost, isAddress } from "./sinks/index.ts";
import { type CompiledTemplate, compileTemplate, type PlaceholderRule, topicLevel, unknownCallIn, urlPart } from "./template.ts";

type Filler<T> = (value: Value | undefined, message: RuleMessage) => T;

export type PreparedAction = {
  id: number;
  /** `RepublishAction`: in reports of failures. */
  name: string;
} & (
  | { type: "republish"; topic: CompiledTemplate; qos: 0 | 1 | undefined; properties?: Filler<Properties> }
  | {
      type: "webhook";
      url: CompiledTemplate;
      method: "POST" | "PUT";
      headers: Filler<Record<string, string>>;
      hasContentType: boolean;
      timeoutMilliseconds: number;
    }
  /** Accepted and kept, and a failure whenever it is to run. */
  | { type: "refused"; resource: string; error: PlatformError }
);

/** Throws `rules.action_invalid` for a template that does not compile. */
export function prepareAction({ id, action }: Pick<RuleActionRecord, "id" | "action">, options: CompileOptions): PreparedAction {
  const name = failedActionName(action);
  const { webhookTimeoutMilliseconds } = options.limits;
  switch (action.type) {
    case "republish":
      return { id, name, type: "republish", topic: fillTopic(action.topic, options), qos: action.qos };
    case "webhook": {
      const headers = action.headers ?? {};
      const { url, method = "POST", timeoutMilliseconds = webhookTimeoutMilliseconds } = action;
      return { id, name, type: "webhook", method, timeoutMilliseconds, ...webhookParts(url, pairsOf(headers), options) };
    }
    case "aws": {
      const resolved = resolveAwsAction(action.action);
      switch (resolved.type) {
        case "republish": {
          const { topic, qos, headers } = resolved;
          const properties = headers === undefined ? undefined : fillProperties(headers, options);
          return {
            id,
            name,
            type: "republish",
            topic: fillTopic(topic, options),
            qos,
            ...(properties === undefined ? {} : { properties }),
          };
        }
        case "webhook": {
          const { url, headers, timeoutMilliseconds } = resolved;
          return { id, name, type: "webhook", method: "POST", timeoutMilliseconds, ...webhookParts(url, headers, options) };
        }
        case "refused": {
          const error = new PlatformError("rules.action_not_offered", { action: name, service: resolved.service });
          return { id, name, type: "refused", resource: resolved.resource, error };
        }
      }
    }
  }
}

function compile(field: string, template: string, admit: PlaceholderRule, options: CompileOptions, onUndefined?: "word"): CompiledTemplate {
  if (options.language !== "aws") return compileTemplate(template, admit);
  const compiled = compileAwsTemplate(template, admit, options, onUndefined);
  if ("problem" in compiled) throw invalid(field, template, `a template: ${compiled.problem}`);
  return compiled;
}

/** A value of an AWS template may be several levels, `${topic()}/copy`; what it makes is checked as a whole. */
function fillTopic(template: string, options: CompileOptions): CompiledTemplate {
  if (options.language !== "aws") return compile("topic", template, topicLevel, options);
  // [aws-iot 14.5] `$$aws/…` is the spelling of a reserved topic, so that `${` is not meant.
  const isReserved = /^\$\$?(?!\{)/.test(template);
  const { fill } = compile("topic", template.replace(/^\$\$(?!\{)/, "$"), (text) => text, options);
  return {
    fill(value, message) {
      const topic = fill(value, message);
      // Where a message goes is the rule's decision: a payload must not turn an ordinary topic into a reserved one.
      if (topic.startsWith("$") && !isReserved) {
        throw new PlatformError("rules.topic_reserved", { topic, expected: "a template that begins with $$aws/" });
      }
      if (jobTopic.test(topic)) throw new PlatformError("rules.topic_reserved", { topic, expected: "a topic that is not one of jobs" });
      if (topic === "" || /[+#\0]/.test(topic)) throw new PlatformError("rules.placeholder_invalid", { template, name: "topic" });
      return topic;
    },
  };
}

const jobTopic = /^\$aws\/things\/[^/]+\/jobs(?:\/|$)/;

function fillProperties(headers: RepublishHeaders, options: CompileOptions): Filler<Properties> {
  const templates = new Map<string, CompiledTemplate>();
  const { userProperties = [], ...texts } = headers;
  for (const text of [...Object.values(texts), ...userProperties.flatMap(({ key, value }) => [key, value])]) {
    templates.set(
      text,
      compile("republish.headers", text, (filled) => filled, options, "word"),
    );
  }
  return (value, message) => republishProperties(headers, (template) => templates.get(template)?.fill(value, message) ?? template);
}

function pairsOf(headers: Record<string, string>): HttpHeader[] {
  return Object.entries(headers).map(([key, value]) => ({ key, value }));
}

/** A value must not begin another header. */
const headerText: PlaceholderRule = (text) => (/^[\t\x20-\x7e]*$/.test(text) ? text : undefined);

function webhookParts(
  url: string,
  headers: readonly HttpHeader[],
  options: CompileOptions,
): Pick<Extract<PreparedAction, { type: "webhook" }>, "url" | "headers" | "hasContentType"> {
  // Values of Alibaba's headers are texts, not templates.
  const isTemplate = options.language === "aws";
  const filled = headers.map(({ key, value }) => ({
    key,
    value: isTemplate ? compile("headers", value, headerText, options, "word") : { fill: () => value },
  }));
  return {
    url: compile("url", url, urlPart, options),
    headers: (value, message) => Object.fromEntries(filled.map((header) => [header.key, header.value.fill(value, message)])),
    hasContentType: headers.some(({ key }) => key.toLowerCase() === "content-type"),
  };
}

function invalid(field: string, received: string, expected: string): PlatformError {
  return new PlatformError("rules.action_invalid", { field, received, expected });
}

/** Throws `rules.action_invalid`, `rules.address_refused`. */
export function checkAction(action: RuleAction, options: CompileOptions, addressPolicy: AddressPolicy): void {
  const { limits, language } = options;
  switch (action.type) {
    case "republish":
      checkRepublish(action, options);
      break;
    case "webhook":
      checkWebhook(action, options, addressPolicy);
      break;
    case "aws":
      if (language !== "aws") throw invalid("type", "aws", "republish or webhook in a rule of Alibaba's SQL");
      checkAws(action, options, addressPolicy);
      break;
    default:
      throw invalid("type", String((action as { type?: unknown }).type), "republish, webhook or aws");
  }
  if (Buffer.byteLength(JSON.stringify(action)) > limits.actionBytesMax)
    throw invalid("actions", "a long one", `at most ${limits.actionBytesMax} bytes`);
  // Says what is wrong with its templates.
  if (language === "aws") prepareAction({ id: 0, action }, options);
}

function checkAws({ action }: Extract<RuleAction, { type: "aws" }>, options: CompileOptions, addressPolicy: AddressPolicy): void {
  const resolved = resolveAwsAction(action);
  if (resolved.type === "republish") checkRepublish(resolved, options);
  if (resolved.type === "webhook") {
    const { url, headers, timeoutMilliseconds } = resolved;
    const named = Object.fromEntries(headers.map(({ key, value }) => [key, value]));
    checkWebhook({ type: "webhook", url, headers: named, timeoutMilliseconds }, options, addressPolicy);
  }
}

function checkRepublish({ topic, qos }: { topic: string; qos?: 0 | 1 }, { limits, language }: CompileOptions): void {
  const bytes = Buffer.byteLength(topic);
  // An expression of an AWS template is longer than what it makes.
  const bytesMax = language === "aws" ? limits.webhookUrlCharactersMax : limits.topicBytesMax;
  if (topic === "" || bytes > bytesMax) throw invalid("topic", `${bytes} bytes long`, `1 to ${bytesMax} bytes`);
  // In expressions + and # may stand.
  if ((language !== "aws" || !topic.includes("${")) && /[+#\0]/.test(topic)) throw invalid("topic", topic, "one topic without + and #");
  if (language === "aws" && jobTopic.test(topic.replace(/^\$\$/, "$"))) throw invalid("topic", topic, "a topic that is not one of jobs");
  if (language !== "aws") checkCalls("topic", topic);
  if (qos !== undefined && qos !== 0 && qos !== 1) throw invalid("qos", String(qos), "0 or 1");
}

function checkCalls(field: string, template: string): void {
  const unknown = unknownCallIn(template);
  if (unknown !== undefined) throw invalid(field, `\${${unknown}}`, "${deviceName()}, ${productKey()}, ${topic(n)} or ${alias}");
}

function checkWebhook(
  action: Extract<RuleAction, { type: "webhook" }>,
  { limits, language }: CompileOptions,
  addressPolicy: AddressPolicy,
): void {
  const { url, method = "POST", headers = {}, timeoutMilliseconds = limits.webhookTimeoutMilliseconds } = action;
  if (url.length > limits.webhookUrlCharactersMax) {
    throw invalid("url", `${url.length} characters long`, `at most ${limits.webhookUrlCharactersMax} characters`);
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) throw invalid("url", url, "an http or https address");
  if (parsed.username !== "" || parsed.password !== "") throw invalid("url", "an address with a password in it", "credentials in headers");
  // Where a message goes is the owner's decision, not the device's: the host is fixed, path and query may be filled.
  if (/^[a-z]+:[/\\]*[^/\\?#]*\$\{/i.test(url)) throw invalid("url", url, "a fixed host; ${} may stand in path and query");
  if (language !== "aws") checkCalls("url", url);
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
