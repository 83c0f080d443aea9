import { expect, test } from "vitest";
import { plainDialect } from "./plain.ts";
import { isTopicRightFilterValid } from "./rights.ts";

const names = { userName: "ada", clientId: "c1" };
const allowed = (decision: { kind: string }) => decision.kind === "allowed";

test.each([
  ["home/#", "home/lamp", true],
  ["home/#", "home", true],
  ["home/+", "home/lamp/state", false],
  ["home/+", "home/lamp", true],
  ["%u/%c/up", "ada/c1/up", true],
  ["%u/%c/up", "bob/c1/up", false],
  ["x-%u/#", "x-ada/1", true],
  ["#", "anything/at/all", true],
  ["#", "/sys/pk/dn/thing/event/property/post", false],
  ["+/+/+/user/#", "/pk/dn/user/update", false],
  ["/+/#", "/pk/dn/user/update", false],
  ["/pk/dn/user/#", "/pk/dn/user/update", true],
  ["/pk/+/user/#", "/pk/dn/user/update", true],
  ["/#", "/pk/dn/user/update", false],
  ["#", "$SYS/broker/uptime", false],
  ["$SYS/#", "$SYS/broker/uptime", false],
  ["#", "$other/x", false],
  ["$other/#", "$other/x", true],
])("right to publish %s, topic %s: %s", (filter, topic, isAllowed) => {
  const rights = plainDialect.compileRights(names, [{ filter, operation: "PUB" }]);
  expect(allowed(rights.publish(topic))).toBe(isAllowed);
  expect(allowed(rights.subscribe(topic))).toBe(false);
});

test.each([
  ["home/#", "home/#", true],
  ["home/#", "home/+/x", true],
  ["home/#", "home", true],
  ["home/+", "home/#", false],
  ["home/+", "home/+", true],
  ["home/lamp", "home/+", false],
  ["+", "#", false],
  ["#", "#", true],
  ["#", "$SYS/#", false],
  ["$SYS/#", "$SYS/broker/+", true],
  ["+/x", "$SYS/x", false],
  ["/pk/#", "/pk/+/user/update", true],
])("right to subscribe %s, filter %s: %s", (filter, wanted, isAllowed) => {
  const rights = plainDialect.compileRights(names, [{ filter, operation: "SUB" }]);
  expect(allowed(rights.subscribe(wanted))).toBe(isAllowed);
  expect(allowed(rights.publish("home/lamp"))).toBe(false);
});

test("a client id with a wildcard or a slash in it widens nothing", () => {
  for (const clientId of ["#", "+", "a/b", ""]) {
    const rights = plainDialect.compileRights({ userName: "ada", clientId }, [{ filter: "own/%c", operation: "ALL" }]);
    expect(allowed(rights.subscribe(`own/${clientId}`))).toBe(false);
  }
});

test("anonymous clients write everywhere but on $SYS", () => {
  const { anonymousRights } = plainDialect;
  expect(allowed(anonymousRights.publish("/pk/dn/user/update"))).toBe(true);
  expect(anonymousRights.publish("$SYS/broker/uptime")).toMatchObject({ kind: "refused", code: "access.topic_server_owned" });
  expect(allowed(anonymousRights.subscribe("$SYS/#"))).toBe(true);
});

test.each([
  ["a/#", true],
  ["#", true],
  ["%u/+/x", true],
  ["a/#/b", false],
  ["a+/b", false],
  ["", false],
])("filter of a right %j: %s", (filter, isValid) => {
  expect(isTopicRightFilterValid(filter)).toBe(isValid);
});
