import { alibabaDialect } from "@thingstead/dialects";
import type { CloudMessage, RouteOutcome } from "@thingstead/mqtt";
import { describe, expect, test } from "vitest";
import type { NewLogEntry } from "../device-log/index.ts";
import { PlatformError } from "../errors/index.ts";
import { settle } from "../fake-clock.ts";
import type { Device, TopicClassRecord } from "../registry/index.ts";
import { createMessages, type OpenTopics } from "./create-messages.ts";
import { defaultMessageLimits } from "./limits.ts";

const known: Device = {
  iotId: "i",
  productKey: "pk",
  deviceName: "dev1",
  deviceSecret: "s",
  nickname: "",
  status: "OFFLINE",
  isEnabled: true,
  createdAt: 0,
  modifiedAt: 0,
};

function setUp(outcome: RouteOutcome = { delivered: 1, queued: 0 }, openTopics?: OpenTopics) {
  const published: CloudMessage[] = [];
  const entries: NewLogEntry[] = [];
  const classes: TopicClassRecord[] = (
    [
      ["get", "SUB"],
      ["data", "ALL"],
      ["update", "PUB"],
      ["user/in/+", "SUB"],
    ] as const
  ).map(([suffix, operation], id) => ({
    id,
    productKey: "pk",
    template: `/\${productKey}/\${deviceName}/${suffix}`,
    operation,
    description: "",
    createdAt: 0,
  }));
  const commit = Promise.withResolvers<void>();
  const messages = createMessages({
    dialects: [alibabaDialect],
    registry: {
      async getDevice(productKey, deviceName) {
        if (productKey !== "pk" || deviceName !== "dev1") throw new PlatformError("registry.device_not_found", { productKey, deviceName });
        return known;
      },
    },
    topicBook: { open: async () => ({ classes }) },
    broker: {
      publish(message) {
        published.push(message);
        return outcome;
      },
      committed: () => commit.promise,
    },
    deviceLog: { write: (entry) => entries.push(entry), wants: () => true },
    clock: { now: () => 1_700_000_000_000 },
    limits: defaultMessageLimits,
    ...(openTopics === undefined ? {} : { openTopics }),
  });
  return { messages, published, entries, commit };
}

const payload = Buffer.from("This message comes from the cloud");

test.each(["/pk/dev1/get", "/pk/dev1/data", "/pk/dev1/user/in/kitchen"])("4.2 %s is published with an id of 19 digits", async (topic) => {
  const { messages, published, entries } = setUp();
  const sent = await messages.publish({ topic, payload, qos: 1 });
  expect(sent).toMatchObject({ delivered: 1, queued: 0, messageId: expect.stringMatching(/^\d{19}$/) });
  expect(published).toEqual([{ topic, payload, qos: 1 }]);
  expect(entries).toMatchObject([
    { kind: "deliver", code: "message.sent", isSuccess: true, deviceName: "dev1", topic, payloadBytes: payload.length },
  ]);
});

test("ids grow even within one millisecond", async () => {
  const { messages } = setUp();
  const ids = [];
  for (let count = 0; count < 3; count++) ids.push((await messages.publish({ topic: "/pk/dev1/get", payload, qos: 0 })).messageId);
  expect(new Set(ids).size).toBe(3);
  expect([...ids].sort()).toEqual(ids);
});

test("a message that reached nobody is a success of the call and says so in the log", async () => {
  const { messages, entries } = setUp({ delivered: 0, queued: 0 });
  await messages.publish({ topic: "/pk/dev1/get", payload, qos: 0 });
  expect(entries).toMatchObject([{ code: "message.no_subscriber", isSuccess: false }]);
});

describe("refusals", () => {
  const cases: [topic: string, code: string][] = [
    ["/pk/dev1/update", "messages.topic_not_subscribable"],
    ["/pk/dev1/none", "messages.topic_not_subscribable"],
    ["/pk/ghost/get", "registry.device_not_found"],
    ["/other/dev1/get", "registry.device_not_found"],
    ["/pk/${deviceName}/get", "messages.topic_unfilled"],
    ["/pk/dev1/+", "messages.invalid_topic"],
    ["/pk/dev1/#", "messages.invalid_topic"],
    ["/pk/dev1/g\0et", "messages.invalid_topic"],
    ["/sys/pk/dev1/thing/service/property/set", "messages.invalid_topic"],
    ["pk/dev1/get", "messages.invalid_topic"],
    ["", "messages.invalid_topic"],
    [`/pk/dev1/${"x".repeat(128)}`, "messages.invalid_topic"],
  ];

  test.each(cases)("%s: %s", async (topic, code) => {
    const { messages, published } = setUp();
    await expect(messages.publish({ topic, payload, qos: 0 })).rejects.toMatchObject({ code });
    await expect(messages.republish({ topic, payload, qos: 0, hops: 1 })).rejects.toMatchObject({ code });
    expect(published).toEqual([]);
  });

  test("a payload one byte over 256 KiB", async () => {
    const { messages } = setUp();
    const most = defaultMessageLimits.payloadBytesMax;
    await expect(messages.publish({ topic: "/pk/dev1/get", payload: Buffer.alloc(most + 1), qos: 0 })).rejects.toMatchObject({
      code: "messages.payload_too_large",
      details: { received: most + 1, expected: most },
    });
    await expect(messages.publish({ topic: "/pk/dev1/get", payload: Buffer.alloc(most), qos: 0 })).resolves.toBeDefined();
  });

  test("3 QoS 2", async () => {
    await expect(setUp().messages.republish({ topic: "/pk/dev1/get", payload, qos: 2, hops: 1 })).rejects.toMatchObject({
      code: "messages.invalid_qos",
    });
  });
});

test("a rule's message keeps its hops and properties and is logged as forwarded", async () => {
  const { messages, published, entries } = setUp();
  const message = { topic: "/pk/dev1/get", payload, qos: 1 as const, hops: 3, properties: { contentType: "text/plain" } };
  await messages.republish(message);
  expect(published).toEqual([message]);
  expect(entries).toMatchObject([{ kind: "forward", code: "message.republished" }]);
});

test("what is owed to a device is answered for after its commit", async () => {
  const { messages, commit } = setUp({ delivered: 0, queued: 1, isOwed: true });
  let isAnswered = false;
  const answer = messages.republish({ topic: "/pk/dev1/get", payload, qos: 1, hops: 1 }).then(() => {
    isAnswered = true;
  });
  await settle();
  expect(isAnswered).toBe(false);
  commit.resolve();
  await answer;
});

describe("topics that are no device's", () => {
  const offered: string[] = [];
  const openTopics: OpenTopics = {
    check(topic) {
      if (topic.startsWith("/")) return undefined;
      const isRouted = !topic.startsWith("$only/");
      return topic.startsWith("$bad/") ? { fault: { received: topic, expected: "another" }, isRouted } : { isRouted };
    },
    async offer({ topic, hops }) {
      offered.push(`${topic} ${hops}`);
    },
  };

  test("are published to, and offered to who handles them", async () => {
    const { messages, published } = setUp(undefined, openTopics);
    await messages.republish({ topic: "alerts/x", payload, qos: 1, hops: 2 });
    await messages.publish({ topic: "$only/x", payload, qos: 0 });
    expect(published).toEqual([{ topic: "alerts/x", payload, qos: 1, hops: 2 }]);
    expect(offered).toEqual(["alerts/x 2", "$only/x 0"]);
  });

  test.each(["$bad/x", "alerts/+", "alerts/${name}"])("%s is refused", async (topic) => {
    const { messages, published } = setUp(undefined, openTopics);
    await expect(messages.publish({ topic, payload, qos: 0 })).rejects.toMatchObject({ code: expect.stringMatching(/^messages\./) });
    expect(published).toEqual([]);
  });

  test("are none without such a door", async () => {
    const { messages } = setUp();
    await expect(messages.publish({ topic: "alerts/x", payload, qos: 0 })).rejects.toMatchObject({ code: "messages.invalid_topic" });
  });
});
