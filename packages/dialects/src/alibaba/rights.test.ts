import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TopicClass } from "../dialect.ts";
import { parseTopicOwner } from "./identity.ts";
import { compileRights } from "./rights.ts";
import { areCovering, compilePattern, covers } from "./topic-pattern.ts";

const own = "/${productKey}/${deviceName}";
const classes: TopicClass[] = [
  { template: `${own}/update`, operation: "PUB" },
  { template: `${own}/update/error`, operation: "PUB" },
  { template: `${own}/get`, operation: "SUB" },
  { template: `${own}/data`, operation: "ALL" },
  { template: `${own}/user/update`, operation: "PUB" },
  { template: `${own}/user/get`, operation: "SUB" },
  { template: `${own}/user/in/+/cmd`, operation: "SUB" },
  { template: `${own}/user/all/#`, operation: "SUB" },
  { template: "/${productKey}/fixed/leak", operation: "ALL" },
];
const rights = compileRights("pk", "dev1", classes);

describe("publish", () => {
  test.each([
    ["/pk/dev1/update", "/pk/dev1/update"],
    ["/pk/dev1/update/error", "/pk/dev1/update/error"],
    ["/pk/dev1/data", "/pk/dev1/data"],
    ["/pk/dev1/user/update", "/pk/dev1/user/update"],
    ["/pk/dev1/user/update?_sn=default", "/pk/dev1/user/update"],
  ])("4.2 %s is allowed", (topic, routed) => {
    expect(rights.publish(topic)).toEqual({ kind: "allowed", topic: routed });
  });

  test.each([
    ["/pk/dev1/get", "access.topic_direction"],
    ["/pk/dev1/user/all/x", "access.topic_direction"],
    ["/pk/dev1/nothing", "access.topic_undefined"],
    ["/pk/dev1/update/", "access.topic_undefined"],
    ["/pk/dev1", "access.topic_undefined"],
    ["/pk/dev2/update", "access.topic_foreign"],
    ["/other/dev1/update", "access.topic_foreign"],
    ["/pk/fixed/leak", "access.topic_foreign"],
    ["pk/dev1/update", "access.topic_undefined"],
    ["/pk/dev1/+", "access.topic_wildcard"],
    ["/pk/dev1/#", "access.topic_wildcard"],
    [`/pk/dev1/${"x".repeat(128)}`, "access.topic_too_long"],
    ["/sys/pk/dev2/thing/event/property/post", "access.topic_foreign"],
    ["/sys/pk/dev1/thing/event/property/post_reply", "access.topic_direction"],
    ["/sys/pk/dev1/thing/nothing", "access.topic_undefined"],
    ["/broadcast/pk/news", "access.topic_direction"],
    ["/ext/rrpc/1/pk/dev2/get", "access.topic_foreign"],
    ["/ext/rrpc/1/ext/rrpc/2/pk/dev1/get", "access.topic_undefined"],
  ])("%s is refused with %s", (topic, code) => {
    expect(rights.publish(topic)).toMatchObject({ kind: "refused", code, received: expect.any(String), expected: expect.any(String) });
  });

  test.each([
    ["/sys/pk/dev1/thing/event/property/post", "/sys/${productKey}/${deviceName}/thing/event/property/post"],
    ["/sys/pk/dev1/thing/event/alarm/post", "/sys/${productKey}/${deviceName}/thing/event/${event}/post"],
    ["/sys/pk/dev1/thing/service/property/set_reply", "/sys/${productKey}/${deviceName}/thing/service/property/set_reply"],
    ["/sys/pk/dev1/thing/service/dance_reply", "/sys/${productKey}/${deviceName}/thing/service/${service}_reply"],
    ["/sys/pk/dev1/rrpc/response/12", "/sys/${productKey}/${deviceName}/rrpc/response/${messageId}"],
    ["/ota/device/inform/pk/dev1", "/ota/device/inform/${productKey}/${deviceName}"],
    ["/shadow/update/pk/dev1", "/shadow/update/${productKey}/${deviceName}"],
    ["/ext/ntp/pk/dev1/request", "/ext/ntp/${productKey}/${deviceName}/request"],
    ["/ext/session/pk/dev1/combine/login", "/ext/session/${productKey}/${deviceName}/combine/login"],
    ["/ext/rrpc/99/pk/dev1/get", "/ext/rrpc/${messageId}/${topic}"],
  ])("4.3 %s is the row %s", (topic, system) => {
    expect(rights.publish(topic)).toEqual({ kind: "allowed", topic, system });
  });

  test("a refusal lists the classes that would do", () => {
    expect(rights.publish("/pk/dev1/nope")).toMatchObject({ expected: expect.stringContaining(`${own}/user/update`) });
  });
});

describe("subscribe", () => {
  test.each([
    "/pk/dev1/get",
    "/pk/dev1/data",
    "/pk/dev1/user/in/+/cmd",
    "/pk/dev1/user/in/7/cmd",
    "/pk/dev1/user/all",
    "/pk/dev1/user/all/#",
    "/pk/dev1/user/all/+/x",
  ])("custom %s is allowed", (filter) => {
    expect(rights.subscribe(filter)).toEqual({ kind: "allowed", topic: filter });
  });

  test.each([
    "/sys/pk/dev1/thing/event/property/post_reply",
    "/sys/pk/dev1/thing/event/+/post_reply",
    "/sys/pk/dev1/thing/service/#",
    "/sys/pk/dev1/thing/service/+",
    "/sys/pk/dev1/thing/service/property/+",
    "/sys/pk/dev1/thing/config/#",
    "/sys/pk/dev1/thing/config/push_reply",
    "/sys/pk/dev1/rrpc/request/+",
    "/ext/rrpc/+/pk/dev1/get",
    "/ext/rrpc/+/sys/pk/dev1/thing/service/property/set",
    "/ota/device/upgrade/pk/dev1",
    "/ota/device/request/pk/dev1",
    "/shadow/get/pk/dev1",
    "/broadcast/pk/news",
    "/ext/error/pk/dev1",
  ])("system %s is allowed", (filter) => {
    expect(rights.subscribe(filter)).toMatchObject({ kind: "allowed", topic: filter, system: expect.any(String) });
  });

  test.each([
    ["#", "access.topic_foreign"],
    ["/#", "access.topic_foreign"],
    ["+/+/+/+", "access.topic_foreign"],
    ["/pk/#", "access.topic_foreign"],
    ["/pk/+/get", "access.topic_foreign"],
    ["/+/dev1/get", "access.topic_foreign"],
    ["/pk/dev2/get", "access.topic_foreign"],
    ["/pk/dev1/#", "access.topic_undefined"],
    ["/pk/dev1/+", "access.topic_undefined"],
    ["/pk/dev1/user/in/#", "access.topic_undefined"],
    ["/pk/dev1/update", "access.topic_direction"],
    ["/sys/#", "access.topic_foreign"],
    ["/sys/+/+/thing/service/#", "access.topic_foreign"],
    ["/sys/pk/+/rrpc/request/+", "access.topic_foreign"],
    ["/sys/pk/dev1/thing/event/property/post", "access.topic_direction"],
    ["/ext/rrpc/+/#", "access.topic_foreign"],
    ["/ext/rrpc/#", "access.topic_foreign"],
    ["/ext/rrpc/+/pk/dev2/get", "access.topic_foreign"],
    ["/ota/device/upgrade/pk/+", "access.topic_foreign"],
    ["/broadcast/other/news", "access.topic_foreign"],
    ["/broadcast/#", "access.topic_foreign"],
    ["$share/g/pk/dev1/get", "access.topic_undefined"],
  ])("%s is refused with %s", (filter, code) => {
    expect(rights.subscribe(filter)).toMatchObject({ kind: "refused", code });
  });
});

describe("covering", () => {
  const names = { productKey: "pk", deviceName: "d" };
  const areCovered = (templates: string[], filter: string) => areCovering(templates.map(compilePattern), filter.split("/"), names);

  test.each([
    [["a", "a/+/#"], "a/#", true],
    [["a", "a/+", "a/+/+/#"], "a/#", true],
    [["a", "a/+/+/#"], "a/#", false],
    [["a/+/#"], "a/#", false],
    [["a/b", "a/c"], "a/+", false],
    [["a/#"], "a", true],
    [["a/#"], "a/+/c", true],
    [["a/+"], "a/#", false],
    [["+/b"], "+/+", false],
    [["${x}_reply"], "+", false],
    [["${x}_reply"], "_reply", false],
    [["#"], "#", true],
  ])("%j covers %s: %s", (templates, filter, expected) => {
    expect(areCovered(templates, filter)).toBe(expected);
  });

  test("agrees with trying every topic of a small world", () => {
    // "z" and "" stand for every text that no pattern spells out; depth 5 is beyond every pattern.
    const level = fc.constantFrom("a", "b", "+");
    const filter = fc
      .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean())
      .map(([levels, isOpen]) => (isOpen ? [...levels, "#"] : levels));
    const topics: string[][] = [];
    const extend = (topic: string[]): void => {
      if (topic.length > 0) topics.push(topic);
      if (topic.length < 5) for (const text of ["a", "b", "z"]) extend([...topic, text]);
    };
    extend([]);
    const matches = (pattern: readonly string[], topic: readonly string[]): boolean => {
      const [head, ...rest] = pattern;
      if (head === "#") return true;
      const [text, ...others] = topic;
      if (head === undefined) return text === undefined;
      return (
        text !== undefined && (head === "+" || head === text) && (rest[0] === "#" && others.length === 0 ? true : matches(rest, others))
      );
    };
    fc.assert(
      fc.property(fc.array(filter, { minLength: 1, maxLength: 4 }), filter, (patterns, wanted) => {
        const byTrying = topics
          .filter((topic) => matches(wanted, topic))
          .every((topic) => patterns.some((pattern) => matches(pattern, topic)));
        const compiled = patterns.map((pattern) => compilePattern(pattern.join("/")));
        expect(areCovering(compiled, wanted, names)).toBe(byTrying);
      }),
      { numRuns: 1000 },
    );
  });

  test("whatever topic comes, no right reaches beyond the own names", () => {
    const word = fc.constantFrom(
      "pk",
      "dev1",
      "dev2",
      "sys",
      "ext",
      "rrpc",
      "ota",
      "device",
      "upgrade",
      "get",
      "data",
      "+",
      "#",
      "thing",
      "service",
      "",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (levels) => {
        const filter = levels.join("/");
        if (rights.subscribe(filter).kind === "refused") return;
        expect(filter).toMatch(/\/pk\/dev1(\/|$)|^\/broadcast\/pk\/|^\/ext\//);
        expect(covers(compilePattern("/+/pk/dev2/#"), levels, { productKey: "pk", deviceName: "dev1" })).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});

test("the owner of a custom topic", () => {
  expect(parseTopicOwner("/pk/dev1/user/get")).toEqual({ productKey: "pk", deviceName: "dev1" });
  for (const topic of ["/sys/pk/dev1/thing", "/pk/dev1", "pk/dev1/x", "/p k/dev1/x", "", "/ext/rrpc/1/x", "/broadcast/pk/x"]) {
    expect(parseTopicOwner(topic)).toBeUndefined();
  }
});

describe("classes of topics that are no device's", () => {
  const open = compileRights("pk", "dev1", [
    { template: "topic/esp32at", operation: "ALL" },
    { template: "$aws/things/${deviceName}/shadow/update", operation: "PUB" },
    { template: "rooms/+/state", operation: "SUB" },
    { template: "#", operation: "ALL" },
    { template: "+/dev2/data", operation: "ALL" },
    { template: "", operation: "ALL" },
  ]);

  test("are granted as they are written", () => {
    expect(open.publish("topic/esp32at")).toEqual({ kind: "allowed", topic: "topic/esp32at" });
    expect(open.publish("$aws/things/dev1/shadow/update")).toMatchObject({ kind: "allowed" });
    expect(open.subscribe("rooms/kitchen/state")).toMatchObject({ kind: "allowed" });
  });

  test.each(["$aws/things/dev2/shadow/update", "/pk/dev2/data", "topic/other", "/topic/esp32at"])("do not reach %s", (topic) => {
    expect(open.publish(topic).kind).toBe("refused");
    expect(open.subscribe(topic).kind).toBe("refused");
  });

  test.each(["#", "+/#", "+/esp32at", "rooms/#"])("do not open %s", (filter) => {
    expect(open.subscribe(filter).kind).toBe("refused");
  });
});
