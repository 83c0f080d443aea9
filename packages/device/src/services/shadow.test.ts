import { expect, test } from "vitest";
import { createFakeLink, jsonOf, type Sent, settle } from "../testing/fake-link.ts";
import { ShadowClient } from "./shadow.ts";

const down = "/shadow/get/pk/dn";
const ok = (version: number, token: object) => ({ method: "reply", payload: { status: "success", version }, timestamp: 1, ...token });
const refuse = (errorcode: string, token: object) => ({
  method: "reply",
  payload: { status: "error", content: { errorcode, errormessage: "no" } },
  timestamp: 1,
  ...token,
});
const tokenOf = (message: Sent) => ({ clientToken: jsonOf(message).clientToken });

test("8.1 one request at a time; a cloud that returns tokens must return ours, one that does not is believed", async () => {
  const cloud = createFakeLink();
  const shadow = new ShadowClient(cloud.link);
  const first = shadow.report({ a: 1 });
  const second = shadow.report({ b: 1 });
  await settle();
  expect(cloud.sent.map((message) => jsonOf(message).state)).toEqual([{ reported: { a: 1 } }]);
  cloud.deliver(down, ok(1, { clientToken: "of another" }));
  await settle();
  expect(cloud.sent).toHaveLength(1);
  const { version } = cloud.sent[0] === undefined ? { version: 0 } : jsonOf(cloud.sent[0]);
  cloud.deliver(down, ok(version, {}));
  expect(await first).toEqual({ version });
  await settle();
  const [, next] = cloud.sent;
  if (next === undefined) throw new Error("nothing was sent");
  expect(jsonOf(next).version).toBe(version + 1);
  cloud.deliver(down, ok(version + 1, tokenOf(next)));
  expect(await second).toEqual({ version: version + 1 });
  expect(cloud.timers.size).toBe(0);
});

test("a conflict is mended once by reading the version", async () => {
  const cloud = createFakeLink();
  const shadow = new ShadowClient(cloud.link);
  const stored = 9_000_000_000_000;
  cloud.answer((message) => {
    const { method, version } = jsonOf(message);
    if (method === "get") {
      const state = { reported: {}, desired: {} };
      return cloud.deliver(down, { method: "reply", payload: { status: "success", state }, version: stored, ...tokenOf(message) });
    }
    cloud.deliver(down, version > stored ? ok(version, tokenOf(message)) : refuse("409", tokenOf(message)));
  });
  expect(await shadow.clearDesired()).toEqual({ version: stored + 1 });
  expect(cloud.sent.map((message) => jsonOf(message).method)).toEqual(["update", "get", "update"]);
});

test("refusals have codes, silence ends, an empty shadow is empty, and what cannot be read is told", async () => {
  const cloud = createFakeLink({ limits: { requestTimeoutMilliseconds: 50, requestsMax: 2 } });
  const shadow = new ShadowClient(cloud.link);
  const silent = shadow.get();
  await settle();
  const queued = shadow.remove(["a"]);
  await expect(shadow.get()).rejects.toMatchObject({ code: "device.requests_full" });
  cloud.deliver(down, "not json");
  cloud.advance(50);
  await expect(silent).rejects.toMatchObject({ code: "device.reply_timeout" });
  await settle();
  cloud.deliver(down, refuse("404", {}));
  await expect(queued).rejects.toMatchObject({ code: "device.reply_refused", details: { cloudCode: 404, cloudMessage: "no" } });
  cloud.answer((message) => cloud.deliver(down, refuse("407", tokenOf(message))));
  expect(await shadow.get()).toEqual({ reported: {}, desired: {}, version: 0 });
  expect(cloud.troubles.map(({ code }) => code)).toEqual(["device.message_malformed"]);
});
