/** Topic classes (reference 1.8.F). */
import { PlatformError } from "../../../errors/index.ts";
import type { NewTopicClass, TopicClassRecord } from "../../../registry/index.ts";
import { defineOperation, type OperationTable } from "../operation.ts";

/** What a query answers for what a creation takes. */
const operationNumbers: Readonly<Record<TopicClassRecord["operation"], string>> = { PUB: "0", SUB: "1", ALL: "2" };

export const topicOperations: OperationTable = {
  CreateProductTopic: defineOperation(
    {
      ProductKey: "text",
      TopicShortName: "text",
      Operation: "text",
      Desc: "text?",
      Codec: "unsupported",
      EnableProxySubscribe: "unsupported",
    },
    async (input, { registry }) => {
      // Short names are below user/ here, whatever else our own API lets people make.
      const topicClass: NewTopicClass = { topic: `user/${input.TopicShortName}`, operation: readOperation(input.Operation) };
      if (input.Desc !== undefined) topicClass.description = input.Desc;
      const { id } = await registry.createTopicClass(input.ProductKey, topicClass);
      return { TopicId: id };
    },
  ),

  QueryProductTopic: defineOperation({ ProductKey: "text" }, async (input, { registry }) => {
    const topicClasses = await registry.listTopicClasses(input.ProductKey);
    const ProductTopicInfo = topicClasses.map(({ id, productKey, template, operation, description }) => ({
      Id: String(id),
      ProductKey: productKey,
      // The product's key is filled in, the device's name stays a placeholder.
      TopicShortName: template.replaceAll("${productKey}", productKey),
      Operation: operationNumbers[operation],
      Desc: description,
    }));
    return { Data: { ProductTopicInfo } };
  }),

  UpdateProductTopic: defineOperation(
    {
      TopicId: "integer",
      TopicShortName: "text",
      Operation: "text",
      Desc: "text?",
      Codec: "unsupported",
      EnableProxySubscribe: "unsupported",
    },
    async (input, { registry }) => {
      const topicClass: NewTopicClass = { topic: `user/${input.TopicShortName}`, operation: readOperation(input.Operation) };
      if (input.Desc !== undefined) topicClass.description = input.Desc;
      await registry.updateTopicClass(input.TopicId, topicClass);
      return {};
    },
  ),

  /** Without `Timestamp`: when a subscription was made is not kept. */
  QueryDeviceSubTopic: defineOperation({ ProductKey: "text", DeviceName: "text" }, async (input, { registry, deviceSubscriptions }) => {
    const { productKey, deviceName } = await registry.getDevice(input.ProductKey, input.DeviceName);
    return { TopicList: deviceSubscriptions.list(productKey, deviceName).map((TopicName) => ({ TopicName })) };
  }),

  SubscribeTopic: defineOperation(
    { ProductKey: "text", DeviceName: "text", Topic: "list" },
    async (input, { registry, deviceSubscriptions, limits }) => {
      const { productKey, deviceName } = await registry.getDevice(input.ProductKey, input.DeviceName);
      refuseTooMany(input.Topic, limits.subscribeTopicsMax);
      await deviceSubscriptions.subscribe(productKey, deviceName, input.Topic);
      return {};
    },
  ),

  UnsubscribeTopic: defineOperation(
    { ProductKey: "text", DeviceName: "text", Topic: "list" },
    async (input, { registry, deviceSubscriptions, limits }) => {
      const { productKey, deviceName } = await registry.getDevice(input.ProductKey, input.DeviceName);
      refuseTooMany(input.Topic, limits.subscribeTopicsMax);
      await deviceSubscriptions.unsubscribe(productKey, deviceName, input.Topic);
      return {};
    },
  ),

  DeleteProductTopic: defineOperation({ TopicId: "integer" }, async (input, { registry }) => {
    await registry.deleteTopicClass(input.TopicId);
    return {};
  }),
};

function refuseTooMany(topics: readonly string[], topicsMax: number): void {
  if (topics.length <= topicsMax) return;
  throw new PlatformError("alibaba.invalid_parameter", {
    parameter: "Topic",
    received: `${topics.length} topics`,
    expected: `at most ${topicsMax}`,
  });
}

function readOperation(text: string): TopicClassRecord["operation"] {
  if (text === "PUB" || text === "SUB" || text === "ALL") return text;
  throw new PlatformError("alibaba.topic_operation_invalid", { received: text });
}
