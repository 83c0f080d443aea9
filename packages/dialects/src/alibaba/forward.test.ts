import { expect, test } from "vitest";
import {
  alibabaForwardTopics,
  formatBatchReport,
  formatDeviceStatus,
  formatDownlinkReply,
  formatEventReport,
  formatFound,
  formatLifecycle,
  formatPropertyReport,
  formatTags,
  formatTopology,
} from "./forward.ts";

const device = { iotId: "4z819VQHk6VSLmmBJfrf00107ee200", productKey: "al12345", deviceName: "deviceName1234" };
const report = { device, requestId: "123", deviceType: "Ammeter", gmtCreate: 1510799670074 };
const text = (body: object) => JSON.stringify(body);

test("[alibaba-device 9.2] status in China's time and in UTC", () => {
  const time = Date.UTC(2018, 7, 31, 7, 32, 28, 205);
  expect(text(formatDeviceStatus({ device, status: "online", time, lastTime: time - 10, clientIp: "192.0.2.1" }))).toBe(
    '{"status":"online","iotId":"4z819VQHk6VSLmmBJfrf00107ee200","productKey":"al12345","deviceName":"deviceName1234",' +
      '"time":"2018-08-31 15:32:28.205","utcTime":"2018-08-31T07:32:28.205Z",' +
      '"lastTime":"2018-08-31 15:32:28.195","utcLastTime":"2018-08-31T07:32:28.195Z","clientIp":"192.0.2.1"}',
  );
});

test("[alibaba-device 9.2] properties with what failed", () => {
  const failed = {
    attribute_8: { value: 715665571, time: 1510292697470, code: 6304, message: "tsl parse: params not exist -> attribute_8" },
  };
  expect(text(formatPropertyReport(report, { Power: { value: "on", time: 1510799670074 } }, failed))).toBe(
    '{"iotId":"4z819VQHk6VSLmmBJfrf00107ee200","requestId":"123","productKey":"al12345","deviceName":"deviceName1234",' +
      '"gmtCreate":1510799670074,"deviceType":"Ammeter","items":{"Power":{"value":"on","time":1510799670074}},' +
      '"checkFailedData":{"attribute_8":{"value":715665571,"time":1510292697470,"code":6304,' +
      '"message":"tsl parse: params not exist -> attribute_8"}}}',
  );
});

test("[alibaba-device 9.2] events and batches", () => {
  const event = { identifier: "BrokenInfo", name: "broken", type: "info", value: { Power: "on" }, time: 5, checkFailedData: {} };
  expect(formatEventReport(report, event)).toMatchObject({ ...event, iotId: device.iotId, requestId: "123", gmtCreate: 1510799670074 });
  expect(formatBatchReport(report, { Power: [{ value: "on", time: 1 }] })).toMatchObject({
    productKey: "al12345",
    requestId: "123",
    payload: { Power: [{ value: "on", time: 1 }] },
  });
});

test("[alibaba-server 2.6] the answer of a device carries the call's id as a number where a number holds it", () => {
  const answer = {
    device,
    gmtCreate: 1,
    code: 200,
    message: "success",
    topic: "/sys/a/b/thing/service/property/set",
    data: {},
    checkFailedData: {},
  };
  expect(formatDownlinkReply({ ...answer, requestId: "1234" })).toMatchObject({ requestId: 1234 });
  expect(formatDownlinkReply({ ...answer, requestId: "1763000000000000001" })).toMatchObject({ requestId: "1763000000000000001" });
  expect(formatDownlinkReply({ ...answer, requestId: "" })).toMatchObject({ requestId: "" });
});

test("[alibaba-device 9.2] lifecycle, topology, found devices, tags", () => {
  const gateway = { iotId: "g", productKey: "gw", deviceName: "gw1" };
  expect(text(formatLifecycle({ action: "create", device, deviceSecret: "s", messageCreateTime: 7 }))).toBe(
    '{"action":"create","iotId":"4z819VQHk6VSLmmBJfrf00107ee200","productKey":"al12345","deviceName":"deviceName1234","deviceSecret":"s","messageCreateTime":7}',
  );
  expect(formatLifecycle({ action: "delete", device, messageCreateTime: 7 })).not.toHaveProperty("deviceSecret");
  expect(text(formatTopology({ action: "delete", gateway, devices: [device], messageCreateTime: 7 }))).toBe(
    '{"action":"delete","gwIotId":"g","gwProductKey":"gw","gwDeviceName":"gw1","devices":[{"iotId":"4z819VQHk6VSLmmBJfrf00107ee200","productKey":"al12345","deviceName":"deviceName1234"}],"messageCreateTime":7}',
  );
  expect(formatFound(gateway, [{ productKey: "pk", deviceName: "new" }])).toEqual({
    gwIotId: "g",
    gwProductKey: "gw",
    gwDeviceName: "gw1",
    devices: [{ productKey: "pk", deviceName: "new" }],
  });
  expect(formatTags(device, [{ attrKey: "k", attrValue: "v" }], 7)).toMatchObject({ value: [{ attrKey: "k", attrValue: "v" }] });
});

test("[alibaba-server 2.5] the topics", () => {
  const topics = alibabaForwardTopics;
  expect(topics.status(device)).toBe("/as/mqtt/status/al12345/deviceName1234");
  expect(topics.properties(device)).toBe("/al12345/deviceName1234/thing/event/property/post");
  expect(topics.event(device, "Battery:low")).toBe("/al12345/deviceName1234/thing/event/Battery:low/post");
  expect(topics.eventHistory(device, "alarm")).toBe("/al12345/deviceName1234/thing/event/alarm/history/post");
  expect(topics.propertyBatch(device)).toBe("/al12345/deviceName1234/thing/property/batch/post");
  expect(topics.downlinkReply(device)).toBe("/al12345/deviceName1234/thing/downlink/reply/message");
  expect(topics.otaJob("pk", "package", "job")).toBe("/pk/package/job/ota/job/status");
});
