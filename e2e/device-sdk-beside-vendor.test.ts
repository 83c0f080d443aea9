/** What the device SDK sends beside what the vendor's SDK sends for the same: topics and payloads, heard by a broker of neither. */
import { createServer } from "node:net";
import { connect, type Device } from "@thingstead/device";
import { Aedes } from "aedes";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ProgramProcess, startProgram } from "./support/program-process.ts";
import { until } from "./support/until.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever JSON was sent
type Json = any;

interface Heard {
  deviceName: string;
  topic: string;
  json: Json;
}

const heard: Heard[] = [];
const devices: Device[] = [];
let broker: Aedes;
let program: ProgramProcess;
let port = 0;
const listener = createServer((socket) => broker.handle(socket));

beforeAll(async () => {
  broker = await Aedes.createBroker();
  const nameOfClient = new Map<string, string>();
  broker.authenticate = (client, userName, _password, done) => {
    nameOfClient.set(client.id, userName?.split("&")[0] ?? "");
    done(null, true);
  };
  broker.on("publish", ({ topic, payload }, client) => {
    if (client !== null) heard.push({ deviceName: nameOfClient.get(client.id) ?? "", topic, json: JSON.parse(payload.toString()) });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});
afterAll(async () => {
  program.kill();
  for (const device of devices) await device.end();
  await new Promise<void>((resolve) => broker.close(() => resolve()));
  listener.close();
});

/** Who sent it is left out of topics; of what differs with every call only the kind stays. */
function shapeOf({ deviceName, topic, json }: Heard): { topic: string; json: Json } {
  const kinds = new Set(["id", "timestamp", "sign", "version", "clientToken"]);
  const shape = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(shape);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, kinds.has(name) ? "…" : shape(one)]));
  };
  return { topic: topic.replace(deviceName, "dn"), json: shape(json) };
}

/** Answers do not come from this broker. */
const unanswered = (asked: Promise<unknown>) => asked.catch(({ code }) => expect(code).toBe("device.reply_timeout"));

const limits = { requestTimeoutMilliseconds: 300 };

async function connectDevice(deviceName: string): Promise<Device> {
  const place = { host: "127.0.0.1", port, mode: "tcp" as const };
  const device = await connect({ productKey: "pk", deviceName, deviceSecret: "secret", ...place, limits });
  devices.push(device);
  return device;
}

test("the same topics and payloads as alibabacloud-iot-device-sdk, except where the documents say more", async () => {
  program = startProgram(process.execPath, ["e2e/programs/vendor-calls.mjs", `tcp://127.0.0.1:${port}/`]);
  await until("all of the vendor's messages", () => heard.length >= 15);
  const theirs = heard.splice(0).map(shapeOf);

  const device = await connectDevice("ours");
  const gateway = (await connectDevice("our_gateway")).gateway;
  const sub = { productKey: "subPk", deviceName: "sub1", deviceSecret: "subSecret" };
  const names = { productKey: "subPk", deviceName: "sub1" };
  await Promise.all([
    unanswered(device.thing().report({ LightSwitch: 1 })),
    unanswered(device.thing().tell("alarm", { code: 7 }, { time: 1524448722000 })),
    unanswered(device.tags.set({ room: "12" })),
    unanswered(device.tags.remove(["room"])),
    unanswered(device.config.get()),
    unanswered(device.shadow.get()),
    unanswered(device.shadow.report({ color: "red" })),
    unanswered(device.shadow.remove(["color"])),
    unanswered(device.shadow.remove()),
    unanswered(gateway.register([names])),
    unanswered(gateway.add([sub])),
    unanswered(gateway.topology()),
    unanswered(gateway.remove([names])),
    unanswered(gateway.login(sub)),
  ]);
  const ours = heard.splice(0).map(shapeOf);
  const find = (list: typeof ours, topic: string, isWanted: (json: Json) => boolean = () => true) =>
    list.find((each) => each.topic === topic && isWanted(each.json))?.json;

  const thing = "/sys/pk/dn/thing";
  const same = ["event/property/post", "event/alarm/post", "deviceinfo/update", "deviceinfo/delete", "config/get"];
  for (const path of [...same, "sub/register", "topo/get", "topo/delete"]) {
    expect(find(ours, `${thing}/${path}`), path).toEqual(find(theirs, `${thing}/${path}`));
    expect(find(ours, `${thing}/${path}`), path).toBeDefined();
  }

  // 8.1: as the C SDK does, answers are told apart by a token.
  const shadows: [string, (json: Json) => boolean][] = [
    ["get", ({ method }) => method === "get"],
    ["update", ({ method }) => method === "update"],
    ["delete one", ({ method, state }) => method === "delete" && state.reported !== "null"],
    ["delete all", ({ method, state }) => method === "delete" && state.reported === "null"],
  ];
  for (const [what, isWanted] of shadows) {
    const vendors = find(theirs, "/shadow/update/pk/dn", isWanted);
    expect(find(ours, "/shadow/update/pk/dn", isWanted), what).toEqual({ ...vendors, clientToken: "…" });
    expect(vendors, what).toBeDefined();
  }

  // 6.2: the documents name the method `signmethod` here; the client id is any text that is signed.
  const { signMethod, ...added } = find(theirs, `${thing}/topo/add`).params[0];
  expect(signMethod).toBe("hmacsha1");
  const clientId = "subPk.sub1";
  expect(find(ours, `${thing}/topo/add`).params).toEqual([{ ...added, clientId, signmethod: "hmacsha256" }]);
  // 6.3: logins have the short envelope, and say whether the session is kept.
  const login = "/ext/session/pk/dn/combine/login";
  const vendorLogin = find(theirs, login).params;
  expect(find(ours, login)).toEqual({ id: "…", params: { ...vendorLogin, clientId, signMethod: "hmacsha256", cleanSession: "true" } });
});
