/** Publishing and retained messages over HTTP (aws-iot.md, 6.4 and 15.1). */
import { isAwsReserved } from "@thingstead/dialects";
import type { Broker, CloudMessage, Properties, Refusal, RouteOutcome, StoredRetained } from "@thingstead/mqtt";
import type { Random } from "../../../clock.ts";
import { PlatformError } from "../../../errors/index.ts";
import { queryChoice, queryFlag, queryInteger, queryText, refuseMember } from "../members.ts";
import type { AwsOperation, AwsRequest } from "../operation.ts";
import { type AwsDataLimits, dataOperation, demand, formatPlace, readPlace } from "./data-operation.ts";

export interface MessageOperationPorts {
  publisher: { publish(message: CloudMessage): Promise<RouteOutcome> };
  broker: Pick<Broker, "retainedMessage" | "listRetained">;
  /** Topics that cannot be published on, whoever asks. */
  topicFault(topic: string): Refusal | undefined;
  random: Random;
  limits: AwsDataLimits;
}

const headers = {
  userProperties: "x-amz-mqtt5-user-properties",
  payloadFormat: "x-amz-mqtt5-payload-format-indicator",
  correlation: "x-amz-mqtt5-correlation-data",
} as const;

const payloadFormats: Readonly<Record<string, 0 | 1>> = { UNSPECIFIED_BYTES: 0, UTF8_DATA: 1 };
const hasWildcard = /[+#\0]/;
/** A week: what the vendor takes (aws-iot.md, 7.2). */
const messageExpirySecondsMax = 604_800;
const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function readUserProperties(text: string, limits: AwsDataLimits): [string, string][] {
  const expected = `base64 of a JSON list of at most ${limits.userPropertiesMax} objects like {"name":"value"}`;
  let list: unknown;
  try {
    list = JSON.parse(Buffer.from(text, "base64").toString());
  } catch {
    return refuseMember(headers.userProperties, text, expected);
  }
  if (!Array.isArray(list) || list.length > limits.userPropertiesMax) return refuseMember(headers.userProperties, text, expected);
  return list.flatMap((item: unknown): [string, string][] => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return refuseMember(headers.userProperties, text, expected);
    return Object.entries(item).map(([name, value]) =>
      typeof value === "string" ? [name, value] : refuseMember(headers.userProperties, text, expected),
    );
  });
}

/** Of MQTT 5, out of headers and query. */
export function readMessageProperties(
  { query, headers: given }: Pick<AwsRequest, "query" | "headers">,
  limits: AwsDataLimits,
): Properties | undefined {
  const properties: Properties = {};
  const userProperties = given[headers.userProperties];
  if (userProperties !== undefined && userProperties !== "") properties.userProperties = readUserProperties(userProperties, limits);
  const format = given[headers.payloadFormat];
  if (format !== undefined && format !== "") {
    properties.payloadFormatIndicator =
      payloadFormats[format] ?? refuseMember(headers.payloadFormat, format, Object.keys(payloadFormats).join(", "));
  }
  const correlation = given[headers.correlation];
  if (correlation !== undefined && correlation !== "") {
    if (!base64.test(correlation)) refuseMember(headers.correlation, correlation, "base64");
    properties.correlationData = Buffer.from(correlation, "base64");
  }
  const contentType = queryText(query, "contentType");
  if (contentType !== undefined) properties.contentType = contentType;
  const responseTopic = queryText(query, "responseTopic");
  if (responseTopic !== undefined) {
    if (hasWildcard.test(responseTopic)) refuseMember("responseTopic", responseTopic, "a topic without wildcards");
    properties.responseTopic = responseTopic;
  }
  const expiry = queryInteger(query, "messageExpiry", { min: 1, max: messageExpirySecondsMax });
  if (expiry !== undefined) properties.messageExpiryIntervalSeconds = expiry;
  return Object.keys(properties).length === 0 ? undefined : properties;
}

export function checkMessageBytes(body: Buffer, { messageBytesMax }: AwsDataLimits): void {
  if (body.length > messageBytesMax) throw new PlatformError("aws.message_too_large", { received: body.length, expected: messageBytesMax });
}

export function checkTopic(topic: string, topicFault: MessageOperationPorts["topicFault"]): void {
  const fault = topic === "" || hasWildcard.test(topic) ? { received: topic, expected: "a topic without wildcards" } : topicFault(topic);
  if (fault === undefined) return;
  const { received = topic, expected = "another topic" } = fault;
  throw new PlatformError("aws.topic_invalid", { received: received.slice(0, 300), expected });
}

/** Told with every message that was taken. */
export function okAnswer(random: Random): { message: string; traceId: string } {
  return { message: "OK", traceId: random.bytes(16).toString("hex") };
}

const summaryOf = ({ topic, payload, qos, receivedAt }: StoredRetained): object => ({
  topic,
  payloadSize: payload.length,
  qos: Math.min(qos, 1),
  lastModifiedTime: receivedAt,
});

export function createMessageOperations({ publisher, broker, topicFault, random, limits }: MessageOperationPorts): AwsOperation[] {
  return [
    dataOperation("Publish", { method: "POST", path: "/topics/{topic+}" }, async (request) => {
      const { principal, labels, query, body } = request;
      const { topic = "" } = labels;
      checkTopic(topic, topicFault);
      demand(principal, "Publish", `topic/${topic}`);
      const isRetained = queryFlag(query, "retain") ?? false;
      if (isRetained && isAwsReserved(topic)) refuseMember("retain", true, "false on reserved topics");
      if (isRetained) demand(principal, "RetainPublish", `topic/${topic}`);
      const qos = queryChoice(query, "qos", ["0", "1"]) === "1" ? 1 : 0;
      checkMessageBytes(body, limits);
      const properties = readMessageProperties(request, limits);
      const message: CloudMessage = { topic, payload: body, qos, isRetained };
      if (properties !== undefined) message.properties = properties;
      const outcome = await publisher.publish(message);
      if (outcome.isNotRetained === true) throw new PlatformError("aws.retained_limit", { received: topic });
      return { json: okAnswer(random) };
    }),

    dataOperation("GetRetainedMessage", { method: "GET", path: "/retainedMessage/{topic+}" }, async ({ principal, labels }) => {
      const { topic = "" } = labels;
      demand(principal, "GetRetainedMessage", `topic/${topic}`);
      const found = broker.retainedMessage(topic);
      if (found === undefined) throw new PlatformError("aws.retained_not_found", { received: topic });
      const { userProperties } = found.properties ?? {};
      const list = userProperties?.map(([name, value]) => ({ [name]: value }));
      return {
        json: {
          topic,
          payload: Buffer.from(found.payload).toString("base64"),
          qos: Math.min(found.qos, 1),
          lastModifiedTime: found.receivedAt,
          ...(list === undefined ? {} : { userProperties: Buffer.from(JSON.stringify(list)).toString("base64") }),
        },
      };
    }),

    dataOperation("ListRetainedMessages", { method: "GET", path: "/retainedMessage" }, async ({ principal, query }) => {
      demand(principal, "ListRetainedMessages", "*");
      const size = queryInteger(query, "maxResults", { min: 1, max: limits.dataPageSizeMax }) ?? limits.dataPageSizeMax;
      const found = broker.listRetained(readPlace(queryText(query, "nextToken")), size + 1);
      const items = found.slice(0, size);
      const last = found.length > size ? items.at(-1) : undefined;
      return {
        json: { retainedTopics: items.map(summaryOf), ...(last === undefined ? {} : { nextToken: formatPlace(last.topic) }) },
      };
    }),
  ];
}
