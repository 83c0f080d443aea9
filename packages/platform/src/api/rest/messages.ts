import { Type } from "typebox";
import { PlatformError } from "../../errors/index.ts";
import type { ApiPorts } from "../ports.ts";
import { decodePayload, payloadMembers } from "./payload.ts";
import type { RestApp } from "./rest-app.ts";
import { devicePath, errorAnswers } from "./schemas.ts";

const strict = { additionalProperties: false } as const;

const newMessage = Type.Object(
  {
    topic: Type.String({ minLength: 1, description: "The whole topic, or the part below `/{productKey}/{deviceName}/`." }),
    ...payloadMembers,
    qos: Type.Enum([0, 1], { default: 0 }),
  },
  strict,
);

const publishOutcome = Type.Object(
  {
    messageId: Type.String(),
    delivered: Type.Integer({ description: "Connected sessions that got it." }),
    queued: Type.Integer({ description: "Offline sessions it waits for." }),
  },
  strict,
);

export function addMessageRoutes(app: RestApp, { registry, messages }: Pick<ApiPorts, "registry" | "messages">): void {
  app.post(
    "/products/:productKey/devices/:deviceName/messages",
    {
      schema: {
        summary: "Publish a message to a device",
        operationId: "publishMessage",
        tags: ["messages"],
        params: devicePath,
        body: newMessage,
        response: { 200: publishOutcome, ...errorAnswers(404, 413, 415) },
      },
    },
    async ({ params: { productKey, deviceName }, body }) => {
      await registry.getDevice(productKey, deviceName);
      const home = `/${productKey}/${deviceName}/`;
      const topic = body.topic.startsWith("/") ? body.topic : `${home}${body.topic}`;
      if (!topic.startsWith(home)) throw new PlatformError("api.topic_of_other_device", { topic, expected: home });
      const { messageId, delivered, queued } = await messages.publish({ topic, payload: decodePayload(body, "body"), qos: body.qos });
      return { messageId, delivered, queued };
    },
  );
}
