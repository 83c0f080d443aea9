import { expect, test } from "vitest";
import { awsBehaviour, awsClientIdFault, awsKeepAliveOf } from "./behaviour.ts";
import { awsCertificateHosts, isAwsHost } from "./endpoints.ts";
import { awsPublishFault, awsSubscribeFault, defaultAwsTopicLimits as limits } from "./topics.ts";

test.each([
  ["a", undefined],
  ["/a/b/", undefined],
  ["1/2/3/4/5/6/7/8", undefined],
  ["1/2/3/4/5/6/7/8/9", "form"],
  ["x".repeat(256), undefined],
  ["x".repeat(257), "form"],
  ["Ж".repeat(128), undefined],
  ["Ж".repeat(129), "form"],
  ["$aws/rules/r", undefined],
  [`$aws/rules/${"r".repeat(100)}/${"x".repeat(256)}`, undefined],
  ["$aws/rules/r/1/2/3/4/5/6/7/8", undefined],
  ["$aws/rules/r/1/2/3/4/5/6/7/8/9", "form"],
  ["$aws/things/t/shadow/update", undefined],
  ["$aws/things/t/jobs/$next/get", undefined],
  ["$aws/things/t/shadow/update/accepted", "reserved"],
  ["$aws/events/presence/connected/c", "reserved"],
  ["$aws/other", "reserved"],
  ["$SYS/x", "reserved"],
])("[AWS 8, 9] publishing on %s: %s", (topic, kind) => {
  expect(awsPublishFault(topic, limits)?.kind).toBe(kind);
});

test.each([
  ["#", undefined, undefined],
  ["a/+/b", undefined, undefined],
  ["1/2/3/4/5/6/7/#", undefined, undefined],
  ["1/2/3/4/5/6/7/8/#", undefined, "form"],
  ["1/2/3/4/5/6/7/#", "group", undefined],
  ["a", "g".repeat(129), "form"],
  ["$aws/things/t/jobs/+/update/accepted", undefined, undefined],
  ["$aws/things/t/shadow/name/+/update/accepted", undefined, undefined],
  ["$aws/events/presence/+/+", undefined, undefined],
  ["$aws/#", undefined, undefined],
  ["$aws/rules/r", undefined, "reserved"],
  ["$SYS/#", undefined, "reserved"],
  ["$aws", undefined, "reserved"],
])("[AWS 8, 9] subscribing %s (share %s): %s", (filter, shareName, kind) => {
  expect(awsSubscribeFault(filter, shareName, limits)?.kind).toBe(kind);
});

test.each([
  [0, 1200],
  [1, 30],
  [29, 30],
  [30, 30],
  [120, 120],
  [1200, 1200],
  [1201, 1200],
  [65_535, 1200],
])("[AWS 6.2] a keep-alive of %i s counts as %i", (requested, counted) => {
  expect(awsKeepAliveOf(requested)).toBe(counted);
});

test.each(["esp32", "a/b", "x".repeat(128), "设备", "a b"])("[AWS 6.1] client id %s is taken", (clientId) => {
  expect(awsClientIdFault(clientId)).toBeUndefined();
});

test.each(["x".repeat(129), "a+", "#", "a*", "a?", "$a", "a\n"])("[AWS 5.4, 6.1] client id %j is refused", (clientId) => {
  expect(awsClientIdFault(clientId)).toMatchObject({ expected: expect.any(String) });
});

test("[AWS 6.1] no QoS 2, and a filter's # does not match the level above", () => {
  expect(awsBehaviour).toMatchObject({ qosMax: 1, hashMatchesParent: false, subscriptionIdentifiers: false });
});

test.each([
  ["xxx-ats.iot.us-east-2.amazonaws.com", true],
  ["iot.us-east-1.amazonaws.com", true],
  ["a.jobs.iot.cn-north-1.amazonaws.com.cn", true],
  ["a1.iot-as-mqtt.cn-shanghai.aliyuncs.com", false],
  ["iot.us-east-1.amazonaws.com.example", false],
  ["localhost", false],
])("[AWS 2.1] %s is a name of the vendor's: %s", (name, isTheirs) => {
  expect(isAwsHost(name)).toBe(isTheirs);
});

test("[AWS 2.1] a certificate has the names of its region, China's under their own root", () => {
  expect(awsCertificateHosts("us-east-2")).toContain("*.iot.us-east-2.amazonaws.com");
  expect(awsCertificateHosts("cn-north-1")).toContain("*.iot.cn-north-1.amazonaws.com.cn");
});
