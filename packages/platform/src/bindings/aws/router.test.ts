import type { Message } from "@thingstead/mqtt";
import { expect, test } from "vitest";
import { createAwsRouter, findReservedRequest } from "./router.ts";
import { createRuleTrail } from "./rule-trail.ts";
import type { AwsUplink } from "./uplink.ts";

const message = (topic: string, qos: 0 | 1): Message => ({
  topic,
  payload: Buffer.from("x"),
  qos,
  isRetained: false,
  receivedAt: 5,
  hops: 0,
});

test.each([
  ["$aws/things/t1/shadow/update", "shadow/update", { thingName: "t1" }],
  ["$aws/things/t1/shadow/name/s1/get", "named-shadow/get", { thingName: "t1", shadowName: "s1" }],
  ["$aws/things/t1/jobs/get", "jobs/get-pending", { thingName: "t1" }],
  ["$aws/things/t1/jobs/$next/get", "jobs/get", { thingName: "t1", jobId: "$next" }],
  ["$aws/certificates/create-from-csr/cbor", "certificates/create-from-csr", { format: "cbor" }],
  ["$aws/rules/r1", "basic-ingest", { ruleName: "r1" }],
  ["$aws/rules/r1/a/b/c", "basic-ingest", { ruleName: "r1" }],
])("[AWS 9] %s is a request of the row %s", (topic, name, parts) => {
  expect(findReservedRequest(topic)).toEqual({ name, parts });
});

test.each(["$aws/things//shadow/update", "$aws/things/t1/shadow/update/accepted", "$aws/things/t1/shadow", "things/t1/shadow/update"])(
  "[AWS 9] %s is none",
  (topic) => {
    expect(findReservedRequest(topic)).toBeUndefined();
  },
);

test("a row's handler hears of sessions and of those who have none; other topics are nobody's", () => {
  const uplinks: AwsUplink[] = [];
  const router = createAwsRouter({ trail: createRuleTrail(), onFailure: () => {} });
  router.add({
    "shadow/get": (uplink) => {
      uplinks.push(uplink);
      return undefined;
    },
  });
  const topic = "$aws/things/t1/shadow/get";
  void router.tapsFor(topic)[0]?.({ ...message(topic, 1), publisherSessionId: "aws/client/c" });
  void router.offer(message(topic, 0));
  void router.offer(message("$aws/things/t1/shadow/update", 0));
  expect(uplinks).toMatchObject([{ topic, parts: { thingName: "t1" }, qos: 1, receivedAt: 5, sessionId: "aws/client/c" }, { qos: 0 }]);
  expect(uplinks[1]).not.toHaveProperty("sessionId");
  expect(router.tapsFor("$aws/things/t1/shadow/update")).toEqual([]);
  expect(() => router.add({ "shadow/get": () => undefined })).toThrow("two handlers");
});

test("a handler's failure keeps a QoS 1 message unacknowledged; at QoS 0 it is reported only", async () => {
  const failures: unknown[] = [];
  const router = createAwsRouter({ trail: createRuleTrail(), onFailure: (error) => failures.push(error) });
  const problem = new Error("disk");
  router.add({
    "shadow/get": () => Promise.reject(problem),
    "shadow/update": () => {
      throw problem;
    },
  });
  await expect(router.offer(message("$aws/things/t/shadow/get", 1))).rejects.toBe(problem);
  expect(router.offer(message("$aws/things/t/shadow/get", 0))).toBeUndefined();
  expect(router.offer(message("$aws/things/t/shadow/update", 0))).toBeUndefined();
  await expect(router.offer(message("$aws/things/t/shadow/update", 1))).rejects.toBe(problem);
  await Promise.resolve();
  expect(failures).toEqual([problem, problem, problem, problem]);
});
