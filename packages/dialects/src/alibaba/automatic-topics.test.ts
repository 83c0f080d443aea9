import { expect, test } from "vitest";
import { isAutomatic, traitsOf } from "./automatic-topics.ts";
import { alibabaSystemTopics } from "./system-topics.ts";

const fill = (template: string) =>
  template
    .replace("${productKey}", "a1pk")
    .replace("${deviceName}", "dev.1")
    .replace(/\$\{\w+\}/g, "x1");

test.each(alibabaSystemTopics.filter(({ isAuto }) => isAuto).map(({ template }) => fill(template)))("[alibaba-device 4.4] %s", (topic) => {
  expect(isAutomatic(topic)).toBe(true);
});

test.each([
  "/sys/a1pk/dev.1/thing/event/property/pack/post_reply",
  "/sys/a1pk/dev.1/thing/event/property/post",
  "/sys/a1pk/dev.1/thing/event/a/b/post_reply",
  "/sys/a1pk/dev.1/rrpc/request/1/2",
  "/sys/a1pk/dev.1/rrpc/response/1",
  "/sys/a1pk",
  "/sys/",
  "/broadcast/a1pk/news",
  "/ext/register",
  "/ota/device/inform/a1pk/dev.1",
  "/ota/device/upgrade/a1pk/dev.1/more",
  "/a1pk/dev.1/user/get",
])("%s is sent to subscribers only", (topic) => {
  expect(isAutomatic(topic)).toBe(false);
});

test("[alibaba-device 2.1] what a device says of itself when it connects", () => {
  expect(traitsOf({ _ss: "1", ext: "3" })).toEqual({ isAutoSubscribed: true, acceptsCustomRrpc: true });
  expect(traitsOf({ _ss: "0", ext: "2" })).toEqual({});
  expect(traitsOf({ ext: "x" })).toEqual({});
  expect(traitsOf({})).toEqual({});
});
