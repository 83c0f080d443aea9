import { expect, test } from "vitest";
import { Requests } from "../requests.ts";
import { createFakeLink, jsonOf, settle } from "../testing/fake-link.ts";
import { RrpcClient, RrpcDesk } from "./rrpc.ts";
import { ThingClient, ThingFault } from "./thing.ts";

/** As `thingstead tsl types` writes it. */
interface Lamp {
  properties: { LightSwitch: 0 | 1; Level: number; Hours: number };
  writable: "LightSwitch" | "Level";
  events: { alarm: { code: number } };
  services: {
    blink: { callType: "async"; input: { seconds: number }; output: { times: number } };
    measure: { callType: "sync"; input: Record<string, never>; output: { result: number } };
  };
}

function createThing(options: Parameters<typeof createFakeLink>[0] = {}) {
  const cloud = createFakeLink(options);
  const desk = new RrpcDesk(cloud.link);
  const thing = new ThingClient<Lamp>(cloud.link, new Requests(cloud.link), desk);
  return { ...cloud, thing, rrpc: new RrpcClient(cloud.link, desk) };
}

type Cloud = ReturnType<typeof createThing>;
const succeed = ({ answer, deliver }: Cloud, data: object = {}) =>
  answer((message) => deliver(`${message.topic}_reply`, { code: 200, data, id: jsonOf(message).id, message: "success", version: "1.0" }));

test("what the model does not have does not compile (checked by the types, not by this run)", () => {
  const { thing } = createThing();
  const wrong: (() => unknown)[] = [
    // @ts-expect-error no such property
    () => thing.report({ Colour: 1 }),
    // @ts-expect-error 2 is no bool
    () => thing.report({ LightSwitch: 2 }),
    // @ts-expect-error a text is no int
    () => thing.report({ Level: "1" }),
    // @ts-expect-error no such event
    () => thing.tell("fire", {}),
    // @ts-expect-error no such parameter
    () => thing.tell("alarm", { cause: 1 }),
    // @ts-expect-error no such service
    () => thing.onService("explode", () => ({})),
    // @ts-expect-error the output lacks `times`
    () => thing.onService("blink", () => ({})),
    // @ts-expect-error the input has no `minutes`
    () => thing.onService("blink", ({ minutes }) => ({ times: minutes })),
    // @ts-expect-error Hours cannot be set
    () => thing.onPropertySet(({ Hours }) => Hours),
    // @ts-expect-error no such property
    () => thing.desired(["Colour"]),
    // @ts-expect-error a batch keeps the types, too
    () => thing.reportBatch({ properties: { Level: [{ value: "1", time: 0 }] } }),
  ];
  expect(wrong).toHaveLength(11);
});

test("5.2, 5.5, 5.8 reports, events, batches and history as the vendor has them", async () => {
  const cloud = createThing();
  const { thing, sent } = cloud;
  succeed(cloud, { Level: "tsl parse: int out of range -> Level" });
  expect(await thing.report({ LightSwitch: 1, Level: 3 })).toEqual({ Level: "tsl parse: int out of range -> Level" });
  await thing.report({ Level: 4 }, { time: 1524448722000 });
  await thing.tell("alarm", { code: 7 }, { time: 1524448722000 });
  await thing.reportBatch({ properties: { Level: [{ value: 5, time: 1 }] }, events: { alarm: [{ value: { code: 1 }, time: 2 }] } });
  await thing.reportHistory({
    properties: {
      Level: [
        { value: 5, time: 1 },
        { value: 6, time: 2 },
      ],
    },
  });
  await thing.reportSilently({ Level: 7 });
  expect(
    sent.map((message) => [message.topic.replace("/sys/pk/dn/thing/event/", ""), jsonOf(message).method, jsonOf(message).params]),
  ).toEqual([
    ["property/post", "thing.event.property.post", { LightSwitch: 1, Level: 3 }],
    ["property/post", "thing.event.property.post", { Level: { value: 4, time: 1524448722000 } }],
    ["alarm/post", "thing.event.alarm.post", { value: { code: 7 }, time: 1524448722000 }],
    [
      "property/batch/post",
      "thing.event.property.batch.post",
      { properties: { Level: [{ value: 5, time: 1 }] }, events: { alarm: [{ value: { code: 1 }, time: 2 }] } },
    ],
    [
      "property/history/post",
      "thing.event.property.history.post",
      [
        {
          identity: { productKey: "pk", deviceName: "dn" },
          properties: [{ Level: { value: 5, time: 1 } }, { Level: { value: 6, time: 2 } }],
          events: [],
        },
      ],
    ],
    ["property/post", "thing.event.property.post", { Level: 7 }],
  ]);
  expect(jsonOf(sent[5] ?? { topic: "", payload: Buffer.from("{}"), qos: 0 }).sys).toEqual({ ack: 0 });
});

test("5.3 takes the seed's setting, answers it, then reports it", async () => {
  const cloud = createThing();
  succeed(cloud);
  const set: unknown[] = [];
  await cloud.thing.onPropertySet((values) => void set.push(values), { reportsBack: true });
  const topic = "/sys/pk/dn/thing/service/property/set";
  cloud.deliver(topic, '{"method": "thing.service.property.set","id": "36195462","params":{"LightSwitch":1},"version":"1.0.0"}');
  await settle();
  expect(set).toEqual([{ LightSwitch: 1 }]);
  expect(cloud.sent.map(({ topic: to }) => to)).toEqual([`${topic}_reply`, "/sys/pk/dn/thing/event/property/post"]);
  expect(cloud.sent[0]?.payload.toString()).toBe('{"id":"36195462","code":200,"data":{}}');
});

test("5.6 answers calls on both ways; faults have codes, bad input is refused, and what fails is told", async () => {
  const cloud = createThing({ acceptsCustomRrpc: true });
  const { thing, deliver, sent, troubles, filters } = cloud;
  const stop = await thing.onService("blink", ({ seconds }) => {
    if (seconds === 1) throw new ThingFault(100_001, "too short");
    if (seconds === 2) throw new Error("lamp broken, password 1234");
    return { times: seconds };
  });
  const topic = "/sys/pk/dn/thing/service/blink";
  const ask = async (to: string, params: unknown) => {
    deliver(to, { id: "105917531", version: "1.0", params, method: "thing.service.blink" });
    await settle();
    const message = sent.at(-1);
    return [message?.topic, message?.qos, message === undefined ? undefined : jsonOf(message)];
  };
  expect(await ask(topic, { seconds: 5 })).toEqual([`${topic}_reply`, 1, { id: "105917531", code: 200, data: { times: 5 } }]);
  expect(await ask(topic, { seconds: 1 })).toMatchObject([`${topic}_reply`, 1, { code: 100_001, message: "too short" }]);
  expect(await ask(topic, [])).toMatchObject([`${topic}_reply`, 1, { code: 460 }]);
  expect(await ask("/sys/pk/dn/rrpc/request/9", { seconds: 6 })).toMatchObject(["/sys/pk/dn/rrpc/response/9", 0, { data: { times: 6 } }]);
  expect(await ask(`/ext/rrpc/9${topic}`, { seconds: 7 })).toMatchObject([`/ext/rrpc/9${topic}`, 0, { data: { times: 7 } }]);
  expect(troubles).toEqual([]);
  // What went wrong inside is the owner's to know, not the caller's.
  expect(await ask(topic, { seconds: 2 })).toMatchObject([`${topic}_reply`, 1, { code: 500, message: "the device failed" }]);
  expect(troubles.map(({ code }) => code)).toEqual(["device.handler_failed"]);
  const count = sent.length;
  deliver(topic, "not json");
  await stop();
  expect([...filters]).toEqual([]);
  deliver(topic, { id: "1", params: { seconds: 3 } });
  await settle();
  expect(sent).toHaveLength(count);
});

test("8.4 system RRPC goes to the service it calls, else to the handler; without either there is silence", async () => {
  const cloud = createThing();
  const { thing, rrpc, deliver, sent } = cloud;
  await thing.onService("measure", () => ({ result: 42 }));
  const call = { id: "1", params: {}, method: "thing.service.measure" };
  deliver("/sys/pk/dn/rrpc/request/1", call);
  deliver("/sys/pk/dn/rrpc/request/2", "how are you");
  await settle();
  expect(sent).toHaveLength(1);
  const stop = await rrpc.onRequest(({ topic, payload }) => `${topic}: ${payload.toString()}`);
  deliver("/sys/pk/dn/rrpc/request/3", "how are you");
  deliver("/sys/pk/dn/rrpc/request/4", call);
  await settle();
  await stop();
  deliver("/sys/pk/dn/rrpc/request/5", "still there?");
  await settle();
  expect(sent.map(({ topic, payload }) => [topic, payload.toString()]).slice(1)).toEqual([
    ["/sys/pk/dn/rrpc/response/3", "/sys/pk/dn/rrpc/request/3: how are you"],
    ["/sys/pk/dn/rrpc/response/4", '{"id":"1","code":200,"data":{"result":42}}'],
  ]);
});

test("5.9 desired values, and clearing them", async () => {
  const cloud = createThing();
  succeed(cloud, { Level: { value: 20, version: 2 }, Odd: 1 });
  expect(await cloud.thing.desired(["Level", "LightSwitch"])).toEqual({ Level: { value: 20, version: 2 } });
  await cloud.thing.clearDesired({ Level: 2, LightSwitch: undefined });
  expect(cloud.sent.map((message) => jsonOf(message).params)).toEqual([
    ["Level", "LightSwitch"],
    { Level: { version: 2 }, LightSwitch: {} },
  ]);
});

test("a device's own codes are 100000 to 110000", () => {
  expect(() => new ThingFault(99, "x")).toThrow(expect.objectContaining({ code: "device.argument_invalid" }));
});
