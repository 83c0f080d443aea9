import type { Message } from "@thingstead/mqtt";
import { expect, test } from "vitest";
import type { Uplink } from "./uplink.ts";
import { createUplinkRouter, partsOf } from "./uplink-router.ts";

const subject = { kind: "device" as const, dialect: "alibaba", productKey: "pk", deviceName: "d", iotId: "i" };
const message = (qos: 0 | 1): Message => ({ topic: "t", payload: Buffer.from("x"), qos, isRetained: false, receivedAt: 5, hops: 0 });

test.each([
  ["/sys/${productKey}/${deviceName}/thing/event/${event}/post", "/sys/pk/d/thing/event/Battery:low/post", { event: "Battery:low" }],
  ["/sys/${productKey}/${deviceName}/thing/service/${service}_reply", "/sys/pk/d/thing/service/blink_reply", { service: "blink" }],
  ["/sys/${productKey}/${deviceName}/rrpc/response/${messageId}", "/sys/pk/d/rrpc/response/12", { messageId: "12" }],
  ["/ext/rrpc/${messageId}/${topic}", "/ext/rrpc/12/pk/d/user/get", { messageId: "12", topic: "pk/d/user/get" }],
])("the named levels of %s", (row, topic, parts) => {
  expect(partsOf(row, topic)).toMatchObject(parts);
});

test("a row's handler gets the device and the message; other rows are nobody's", () => {
  const uplinks: Uplink[] = [];
  const router = createUplinkRouter({ onFailure: () => {} });
  router.add({
    row: (uplink) => {
      uplinks.push(uplink);
      return undefined;
    },
  });
  const gateway = { productKey: "gw", deviceName: "g", iotId: "gi" };
  router.tapsFor("row", "topic", { ...subject, gateway })?.[0]?.(message(1));
  expect(uplinks).toMatchObject([
    { device: { productKey: "pk", deviceName: "d", iotId: "i", gateway }, topic: "topic", qos: 1, receivedAt: 5 },
  ]);
  expect(router.tapsFor("other", "topic", subject)).toBeUndefined();
  expect(() => router.add({ row: () => undefined })).toThrow("two handlers");
});

test("a handler's failure keeps a QoS 1 message unacknowledged; at QoS 0 it is reported only", async () => {
  const failures: unknown[] = [];
  const router = createUplinkRouter({ onFailure: (error) => failures.push(error) });
  const problem = new Error("disk");
  router.add({
    rejects: () => Promise.reject(problem),
    throws: () => {
      throw problem;
    },
  });
  const run = (row: string, qos: 0 | 1) => router.tapsFor(row, "t", subject)?.[0]?.(message(qos));
  await expect(run("rejects", 1)).rejects.toBe(problem);
  expect(run("rejects", 0)).toBeUndefined();
  expect(run("throws", 0)).toBeUndefined();
  await expect(run("throws", 1)).rejects.toBe(problem);
  await new Promise((resolve) => setImmediate(resolve));
  expect(failures).toEqual([problem, problem, problem, problem]);
});
