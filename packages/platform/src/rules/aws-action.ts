/** Actions as the AWS API spells them [aws-iot 14.5]: one member, named after the service; what each means here. */
import type { Properties } from "@thingstead/mqtt";
import { PlatformError } from "../errors/index.ts";
import type { AwsAction, RuleAction } from "./rule.ts";

/** What an action does here. */
export type ResolvedAction =
  | { type: "republish"; topic: string; qos: 0 | 1; headers?: RepublishHeaders }
  | { type: "webhook"; url: string; headers: readonly HttpHeader[]; timeoutMilliseconds: number }
  | { type: "refused"; service: string; resource: string };

export interface HttpHeader {
  key: string;
  value: string;
}

/** Templates, all of them texts as the API has them. */
export interface RepublishHeaders {
  payloadFormatIndicator?: string;
  contentType?: string;
  responseTopic?: string;
  correlationData?: string;
  messageExpiry?: string;
  userProperties?: readonly HttpHeader[];
}

type Fields = Readonly<Record<string, unknown>>;

interface ActionRow {
  required: readonly string[];
  /** Which service is not here, and the field that names the resource in it. */
  lacks?: { service: string; resource: string };
  resolve?: (fields: Fields) => ResolvedAction;
}

/** The vendor's own: how long an HTTP endpoint may take. */
const httpTimeoutMilliseconds = 3000;

function lacking(service: string, resource: string, ...required: readonly string[]): ActionRow {
  return { required, lacks: { service, resource } };
}

/** Every action of the API. Roles have no meaning here: nobody asks for them. */
const rows: Readonly<Record<string, ActionRow>> = {
  republish: { required: ["topic"], resolve: resolveRepublish },
  http: { required: ["url"], resolve: resolveHttp },
  lambda: { required: ["functionArn"], resolve: resolveLambda },
  sns: lacking("Amazon SNS", "targetArn", "targetArn"),
  sqs: lacking("Amazon SQS", "queueUrl", "queueUrl"),
  kinesis: lacking("Amazon Kinesis", "streamName", "streamName"),
  firehose: lacking("Amazon Data Firehose", "deliveryStreamName", "deliveryStreamName"),
  kafka: lacking("Apache Kafka", "topic", "destinationArn", "topic", "clientProperties"),
  s3: lacking("Amazon S3", "bucketName", "bucketName", "key"),
  dynamoDB: lacking("Amazon DynamoDB", "tableName", "tableName", "hashKeyField", "hashKeyValue"),
  dynamoDBv2: lacking("Amazon DynamoDB", "putItem", "putItem"),
  timestream: lacking("Amazon Timestream", "tableName", "databaseName", "tableName", "dimensions"),
  elasticsearch: lacking("Elasticsearch", "endpoint", "endpoint", "index", "type", "id"),
  openSearch: lacking("OpenSearch", "endpoint", "endpoint", "index", "type", "id"),
  cloudwatchMetric: lacking("Amazon CloudWatch", "metricName", "metricNamespace", "metricName", "metricValue", "metricUnit"),
  cloudwatchAlarm: lacking("Amazon CloudWatch", "alarmName", "alarmName", "stateReason", "stateValue"),
  cloudwatchLogs: lacking("Amazon CloudWatch Logs", "logGroupName", "logGroupName"),
  iotEvents: lacking("AWS IoT Events", "inputName", "inputName"),
  iotAnalytics: lacking("AWS IoT Analytics", "channelName"),
  iotSiteWise: lacking("AWS IoT SiteWise", "putAssetPropertyValueEntries", "putAssetPropertyValueEntries"),
  stepFunctions: lacking("AWS Step Functions", "stateMachineName", "stateMachineName"),
  salesforce: lacking("Salesforce", "url", "url", "token"),
  location: lacking("Amazon Location", "trackerName", "trackerName", "deviceId", "latitude", "longitude"),
};

function invalid(field: string, received: unknown, expected: string): PlatformError {
  const text = typeof received === "string" ? received : (JSON.stringify(received) ?? "nothing");
  return new PlatformError("rules.action_invalid", { field, received: text.slice(0, 200), expected });
}

/** `{"republish": {…}}` -> its one name and its fields. Throws `rules.action_invalid`. */
function splitAwsAction(action: AwsAction): { name: string; fields: Fields } {
  const names = Object.keys(action).filter((name) => action[name] !== undefined && action[name] !== null);
  const [name = ""] = names;
  if (names.length !== 1 || !Object.hasOwn(rows, name)) {
    throw invalid("actions", names.length === 0 ? "no member" : names.join(", "), `one of ${Object.keys(rows).join(", ")}`);
  }
  const fields: unknown = action[name];
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) throw invalid(name, fields, "an object");
  return { name, fields: Object.fromEntries(Object.entries(fields)) };
}

/** `RepublishAction`: how failures name an action. */
export function failedActionName(action: RuleAction): string {
  const name = action.type === "aws" ? splitAwsAction(action.action).name : action.type;
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}Action`;
}

/** Throws `rules.action_invalid` for what the API or this server does not take. */
export function resolveAwsAction(action: AwsAction): ResolvedAction {
  const { name, fields } = splitAwsAction(action);
  const row = rows[name];
  for (const field of row?.required ?? []) {
    if (fields[field] === undefined || fields[field] === null || fields[field] === "")
      throw invalid(`${name}.${field}`, undefined, "a value");
  }
  if (row?.resolve !== undefined) return row.resolve(fields);
  const service = row?.lacks?.service ?? name;
  return { type: "refused", service, resource: resourceOf(fields[row?.lacks?.resource ?? ""]) };
}

function resourceOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "").slice(0, 200);
}

function text(place: string, value: unknown): string {
  if (typeof value !== "string") throw invalid(place, value, "a string");
  return value;
}

function optionalText<K extends string>(place: string, fields: Fields, name: K): { [key in K]?: string } {
  const value = fields[name];
  // A computed key widens to an index signature; the name is the literal K.
  return value === undefined || value === null ? {} : ({ [name]: text(`${place}.${name}`, value) } as { [key in K]?: string });
}

function pairs(place: string, value: unknown): HttpHeader[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(place, value, "a list");
  return value.map((entry: unknown, index) => {
    const members: Fields = typeof entry === "object" && entry !== null ? Object.fromEntries(Object.entries(entry)) : {};
    return { key: text(`${place}[${index}].key`, members.key), value: text(`${place}[${index}].value`, members.value) };
  });
}

function resolveRepublish(fields: Fields): ResolvedAction {
  const { qos = 0, headers } = fields;
  if (qos !== 0 && qos !== 1) throw invalid("republish.qos", qos, "0 or 1");
  const topic = text("republish.topic", fields.topic);
  if (headers === undefined || headers === null) return { type: "republish", topic, qos };
  if (typeof headers !== "object" || Array.isArray(headers)) throw invalid("republish.headers", headers, "an object");
  const given: Fields = Object.fromEntries(Object.entries(headers));
  const place = "republish.headers";
  const read: RepublishHeaders = {
    ...optionalText(place, given, "payloadFormatIndicator"),
    ...optionalText(place, given, "contentType"),
    ...optionalText(place, given, "responseTopic"),
    ...optionalText(place, given, "correlationData"),
    ...optionalText(place, given, "messageExpiry"),
    userProperties: pairs(`${place}.userProperties`, given.userProperties),
  };
  return { type: "republish", topic, qos, headers: read };
}

function resolveHttp(fields: Fields): ResolvedAction {
  if (fields.auth !== undefined && fields.auth !== null)
    throw invalid("http.auth", "sigv4", "no auth; credentials of the receiver go into headers");
  if (fields.enableBatching === true) throw invalid("http.enableBatching", "true", "false: each message is sent by itself");
  return {
    type: "webhook",
    url: text("http.url", fields.url),
    headers: pairs("http.headers", fields.headers),
    timeoutMilliseconds: httpTimeoutMilliseconds,
  };
}

/** A function is whatever answers a POST: an address in place of the ARN is called. */
function resolveLambda(fields: Fields): ResolvedAction {
  const functionArn = text("lambda.functionArn", fields.functionArn);
  if (/^https?:/i.test(functionArn))
    return { type: "webhook", url: functionArn, headers: [], timeoutMilliseconds: httpTimeoutMilliseconds };
  return { type: "refused", service: "AWS Lambda", resource: functionArn };
}

/** Fields of PUBLISH of MQTT 5 from filled texts. Throws `rules.action_invalid`. */
export function republishProperties(headers: RepublishHeaders, fill: (template: string) => string): Properties {
  const properties: Properties = {};
  const { payloadFormatIndicator, contentType, responseTopic, correlationData, messageExpiry, userProperties = [] } = headers;
  if (payloadFormatIndicator !== undefined) properties.payloadFormatIndicator = formatIndicator(fill(payloadFormatIndicator));
  if (contentType !== undefined) properties.contentType = fill(contentType);
  if (responseTopic !== undefined) properties.responseTopic = fill(responseTopic);
  if (correlationData !== undefined) properties.correlationData = Buffer.from(fill(correlationData), "base64");
  if (messageExpiry !== undefined) properties.messageExpiryIntervalSeconds = expirySeconds(fill(messageExpiry));
  if (userProperties.length > 0) properties.userProperties = userProperties.map(({ key, value }) => [fill(key), fill(value)]);
  return properties;
}

const formatIndicators: Readonly<Record<string, 0 | 1>> = { UNSPECIFIED_BYTES: 0, UTF8_DATA: 1, "0": 0, "1": 1 };

function formatIndicator(filled: string): 0 | 1 {
  const indicator = Object.hasOwn(formatIndicators, filled) ? formatIndicators[filled] : undefined;
  if (indicator === undefined) throw invalid("republish.headers.payloadFormatIndicator", filled, "UNSPECIFIED_BYTES or UTF8_DATA");
  return indicator;
}

function expirySeconds(filled: string): number {
  const seconds = /^\d{1,10}$/.test(filled) ? Number(filled) : Number.NaN;
  if (seconds >= 0 && seconds <= 0xffff_ffff) return seconds;
  throw invalid("republish.headers.messageExpiry", filled, "seconds as a whole number below 2^32");
}
