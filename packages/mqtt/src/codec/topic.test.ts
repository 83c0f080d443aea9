import { expect, test } from "vitest";
import { isTopicFilterValid, isTopicMatching, isTopicNameValid, parseSharedFilter } from "./topic.ts";

test("[MQTT-4.7] topic names", () => {
  for (const topic of ["a", "/", "a//b", " ", "$SYS/x", "房间/温度", "a".repeat(65_535)]) expect(isTopicNameValid(topic), topic).toBe(true);
  for (const topic of ["", "+", "a/#", "a+b", "a\0", "\ud800", "a".repeat(65_536), "é".repeat(32_768)]) {
    expect(isTopicNameValid(topic), topic.slice(0, 10)).toBe(false);
  }
});

test("[MQTT-4.7.1] topic filters", () => {
  for (const filter of ["a", "#", "+", "/", "+/+", "a/+/b/#", "/#", "$share/g/#", "$share/g//", "$share", "$shared/x"]) {
    expect(isTopicFilterValid(filter), filter).toBe(true);
  }
  for (const filter of ["", "a#", "#/a", "a/#/b", "a+", "+a", "a/b+/c", "++", "\0", "$share/g", "$share//a", "$share/+/a", "$share/g/a#"]) {
    expect(isTopicFilterValid(filter), filter).toBe(false);
  }
});

test("[MQTT-4.7] one filter and one topic", () => {
  for (const [filter, topic] of [
    ["a/b", "a/b"],
    ["a/+", "a/b"],
    ["a/#", "a"],
    ["a/#", "a/b/c"],
    ["#", "/x"],
    ["+/+", "/x"],
  ] as const) {
    expect(isTopicMatching(filter, topic), `${filter} ${topic}`).toBe(true);
  }
  for (const [filter, topic] of [
    ["a/b", "a/b/c"],
    ["a/+", "a"],
    ["a/+", "a/b/c"],
    ["a/b/#", "a"],
    ["#", "$SYS/x"],
    ["+/x", "$SYS/x"],
  ] as const) {
    expect(isTopicMatching(filter, topic), `${filter} ${topic}`).toBe(false);
  }
});

test("[MQTT-4.8.2] shared filters", () => {
  expect(parseSharedFilter("$share/g/a/+/#")).toEqual({ group: "g", filter: "a/+/#" });
  expect(parseSharedFilter("$share/g//")).toEqual({ group: "g", filter: "/" });
  for (const filter of ["a/b", "$share", "$share/", "$share/g", "$share/g/", "$share//a", "$share/#/a", "$SHARE/g/a"]) {
    expect(parseSharedFilter(filter), filter).toBeUndefined();
  }
});
