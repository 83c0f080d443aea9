import { expect, test } from "vitest";
import { Requests } from "./requests.ts";
import { createFakeLink, jsonOf, settle } from "./testing/fake-link.ts";

const topic = "/sys/pk/dn/thing/deviceinfo/update";

test("5.1 asks in the vendor's envelope and takes the answer with its id, whatever else arrives", async () => {
  const cloud = createFakeLink();
  const requests = new Requests(cloud.link);
  const answer = requests.ask("thing/deviceinfo/update", [{ attrKey: "a", attrValue: "b" }]);
  await settle();
  expect([...cloud.filters]).toEqual([`${topic}_reply`]);
  const [message] = cloud.sent;
  expect(message?.topic).toBe(topic);
  expect(message?.payload.toString()).toBe(
    '{"id":"1","version":"1.0","params":[{"attrKey":"a","attrValue":"b"}],"method":"thing.deviceinfo.update"}',
  );
  cloud.deliver(`${topic}_reply`, { id: "7", code: 200, data: { of: "another" } });
  cloud.deliver(`${topic}_reply`, "not json");
  cloud.deliver(`${topic}_reply`, '{"code":200,"data":{"a":1},"id":"1","message":"success","version":"1.0"}');
  // QoS 1 repeats.
  cloud.deliver(`${topic}_reply`, { id: "1", code: 500 });
  expect(await answer).toEqual({ a: 1 });
  expect(cloud.troubles.map(({ code }) => code)).toEqual(["device.message_malformed"]);
  expect(cloud.timers.size).toBe(0);
});

test("a refusal has the cloud's code and words, in both languages", async () => {
  const cloud = createFakeLink();
  const requests = new Requests(cloud.link);
  cloud.answer((message) => cloud.deliver(`${message.topic}_reply`, { id: jsonOf(message).id, code: 6100, message: "device not found" }));
  const error = await requests.ask("thing/topo/get", {}).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: "device.reply_refused", details: { cloudCode: 6100, cloudMessage: "device not found" } });
  expect((error as { text(language: "zh"): string }).text("zh")).toContain("错误码 6100");
});

test("without an answer the time runs out; a late one changes nothing, and no timer stays", async () => {
  const cloud = createFakeLink({ limits: { requestTimeoutMilliseconds: 500 } });
  const requests = new Requests(cloud.link);
  const answer = requests.ask("thing/topo/get", {});
  await settle();
  cloud.advance(500);
  await expect(answer).rejects.toMatchObject({ code: "device.reply_timeout", details: { milliseconds: 500 } });
  cloud.deliver("/sys/pk/dn/thing/topo/get_reply", { id: "1", code: 200 });
  expect(cloud.timers.size).toBe(0);
});

test("what is asked while offline is sent when the connection stands, unless its time ran out before", async () => {
  const cloud = createFakeLink({ limits: { requestTimeoutMilliseconds: 500 } });
  const requests = new Requests(cloud.link);
  cloud.setOnline(false);
  const lost = requests.ask("thing/topo/get", {});
  cloud.advance(500);
  await expect(lost).rejects.toMatchObject({ code: "device.reply_timeout" });
  const kept = requests.ask("thing/topo/get", {});
  expect(cloud.sent).toEqual([]);
  cloud.answer((message) => cloud.deliver(`${message.topic}_reply`, { id: jsonOf(message).id, code: 200, data: [] }));
  cloud.setOnline(true);
  requests.handleOnline();
  expect(await kept).toEqual([]);
  expect(cloud.sent).toHaveLength(1);
});

test("a subscription that is refused is told and tried again by the next request", async () => {
  const cloud = createFakeLink();
  const requests = new Requests(cloud.link);
  cloud.refuse(`${topic}_reply`);
  await expect(requests.ask("thing/deviceinfo/update", [])).rejects.toMatchObject({ code: "device.subscribe_refused" });
  cloud.refuse("");
  cloud.answer((message) => cloud.deliver(`${message.topic}_reply`, { id: jsonOf(message).id, code: 200 }));
  await requests.ask("thing/deviceinfo/update", []);
});

test("there is a limit of open requests, and the end ends them all", async () => {
  const cloud = createFakeLink({ limits: { requestsMax: 2 } });
  const requests = new Requests(cloud.link);
  const open = [requests.ask("a", {}), requests.ask("b", {})];
  await expect(requests.ask("c", {})).rejects.toMatchObject({ code: "device.requests_full" });
  requests.end();
  for (const one of open) await expect(one).rejects.toMatchObject({ code: "device.ended" });
  await expect(requests.ask("d", {})).rejects.toMatchObject({ code: "device.ended" });
  expect(cloud.timers.size).toBe(0);
});
