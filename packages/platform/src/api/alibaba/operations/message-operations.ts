/** Messages to devices (reference 1.8.G). */
import { PlatformError } from "../../../errors/index.ts";
import { numeral } from "../answer.ts";
import { defineOperation, type OperationTable, oneOf } from "../operation.ts";

/** MQTT 5 properties and retained messages of the cloud: a message without them would not be the one that was asked for. */
const unsupportedProperties = {
  ContentType: "unsupported",
  CorrelationData: "unsupported",
  MessageExpiryInterval: "unsupported",
  PayloadFormatIndicator: "unsupported",
  Retained: "unsupported",
  UserProp: "unsupported",
} as const;

export const messageOperations: OperationTable = {
  Pub: defineOperation(
    {
      ProductKey: "text",
      TopicFullName: "text",
      MessageContent: "text",
      Qos: "integer?",
      ...unsupportedProperties,
      ResponseTopic: "unsupported",
      TopicAlias: "unsupported",
    },
    async (input, { messages, broadcast }) => {
      if (input.TopicFullName.startsWith(`/broadcast/${input.ProductKey}/`)) {
        const { messageId } = await broadcast.toSubscribers(input.TopicFullName, readContent(input.MessageContent));
        return { MessageId: messageId };
      }
      if (!input.TopicFullName.startsWith(`/${input.ProductKey}/`)) {
        throw new PlatformError("alibaba.topic_of_other_product", { received: input.TopicFullName, productKey: input.ProductKey });
      }
      const qos = readQos(input.Qos);
      const { messageId } = await messages.publish({ topic: input.TopicFullName, payload: readContent(input.MessageContent), qos });
      // A 64-bit number: only as text does it survive every client's JSON parser.
      return { MessageId: messageId };
    },
  ),

  BatchPub: defineOperation(
    {
      ProductKey: "text",
      DeviceName: "list",
      MessageContent: "text",
      TopicShortName: "text?",
      TopicTemplateName: "text?",
      Qos: "integer?",
      ...unsupportedProperties,
      ResponseTopicTemplateName: "unsupported",
    },
    async (input, { registry, messages, limits }) => {
      const { ProductKey, DeviceName, TopicShortName, TopicTemplateName } = input;
      if (DeviceName.length > limits.publishDevicesMax) {
        throw new PlatformError("alibaba.too_many_devices", { received: DeviceName.length, expected: limits.publishDevicesMax });
      }
      const template = TopicTemplateName || (TopicShortName ? `/${ProductKey}/\${deviceName}/user/${TopicShortName}` : undefined);
      if (template === undefined) throw new PlatformError("alibaba.topic_name_missing");
      const topicOf = (deviceName: string) =>
        template.replaceAll("${productKey}", ProductKey).replaceAll("${deviceName}", () => deviceName);
      if (!topicOf("").startsWith(`/${ProductKey}/`)) {
        throw new PlatformError("alibaba.topic_of_other_product", { received: template, productKey: ProductKey });
      }
      const payload = readContent(input.MessageContent);
      const qos = readQos(input.Qos);
      // Unknown names are found before anything is sent.
      await Promise.all(DeviceName.map((deviceName) => registry.getDevice(ProductKey, deviceName)));
      const outcomes = await Promise.allSettled(
        DeviceName.map((deviceName) => messages.publish({ topic: topicOf(deviceName), payload, qos })),
      );
      refuseFailures(DeviceName, outcomes);
      return {};
    },
  ),

  PubBroadcast: defineOperation(
    { ProductKey: "text", MessageContent: "text", TopicFullName: "text?" },
    async ({ ProductKey, MessageContent, TopicFullName }, { broadcast }) => {
      const payload = readContent(MessageContent);
      if (TopicFullName && !TopicFullName.startsWith(`/broadcast/${ProductKey}/`)) {
        throw new PlatformError("alibaba.topic_of_other_product", { received: TopicFullName, productKey: `broadcast/${ProductKey}` });
      }
      const { messageId } = await (TopicFullName
        ? broadcast.toSubscribers(TopicFullName, payload)
        : broadcast.toProduct(ProductKey, payload));
      return { MessageId: numeral(messageId) };
    },
  ),

  RRpc: defineOperation(
    { ProductKey: "text", DeviceName: "text", RequestBase64Byte: "text", Timeout: "integer", Topic: "text?", ContentType: "unsupported" },
    async ({ ProductKey, DeviceName, RequestBase64Byte, Timeout, Topic }, { rrpc }) => {
      const outcome = await rrpc.call({
        productKey: ProductKey,
        deviceName: DeviceName,
        payload: readContent(RequestBase64Byte),
        timeoutMilliseconds: Timeout,
        ...(Topic ? { topic: Topic } : {}),
      });
      const { kind, messageId } = outcome;
      if (kind !== "success") {
        const { error, rrpcCode } = rrpcFailures[kind];
        throw new PlatformError(error, { deviceName: DeviceName, timeout: Timeout, rrpcCode, messageId });
      }
      return { RrpcCode: "SUCCESS", MessageId: numeral(messageId), PayloadBase64Byte: outcome.payload.toString("base64") };
    },
  ),
};

const rrpcFailures = {
  timeout: { error: "alibaba.rrpc_timeout", rrpcCode: "TIMEOUT" },
  offline: { error: "alibaba.rrpc_offline", rrpcCode: "OFFLINE" },
  half_connected: { error: "alibaba.rrpc_half_connected", rrpcCode: "HALFCONN" },
} as const;

/** All refused for the same reason: that reason. Else the vendor's one code for a failed publish, with what happened to whom. */
function refuseFailures(deviceNames: readonly string[], outcomes: readonly PromiseSettledResult<unknown>[]): void {
  const refusals: { deviceName: string; error: PlatformError }[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === "fulfilled") continue;
    if (!(outcome.reason instanceof PlatformError)) throw outcome.reason;
    refusals.push({ deviceName: deviceNames[index] ?? "", error: outcome.reason });
  }
  const first = refusals[0];
  if (first === undefined) return;
  if (refusals.length === outcomes.length && refusals.every(({ error }) => error.code === first.error.code)) throw first.error;
  throw new PlatformError("alibaba.batch_publish_failed", {
    sent: outcomes.length - refusals.length,
    failed: refusals.length,
    reasons: refusals.map(({ deviceName, error }) => `${deviceName}: ${error.message}`).join("; "),
  });
}

function readQos(qos: number | undefined): 0 | 1 {
  return oneOf("Qos", qos ?? 0, [0, 1]) === 1 ? 1 : 0;
}

/** Base64, with or without its padding; Node would skip over whatever is no Base64. */
function readContent(text: string): Uint8Array {
  const bare = text.replace(/={1,2}$/, "");
  const isPaddingRight = bare.length === text.length || text.length % 4 === 0;
  if (!/^[A-Za-z0-9+/]*$/.test(bare) || bare.length % 4 === 1 || !isPaddingRight) throw new PlatformError("alibaba.content_not_base64");
  return Buffer.from(bare, "base64");
}
