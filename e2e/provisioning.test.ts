/** Devices that fetch their credentials, and gateways with sub-devices, with clients that are not ours. */

import { createHmac } from "node:crypto";
import mqtt, { type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ProgramProcess, startProgram } from "./support/program-process.ts";
import { restClient } from "./support/rest-client.ts";
import { run, type ServerProcess, startServerProcess } from "./support/server-process.ts";
import { needProgram } from "./support/services.ts";
import { until } from "./support/until.ts";

let server: ServerProcess;
let rest: ReturnType<typeof restClient>;
let counter = 0;
const programs: ProgramProcess[] = [];
const clients: MqttClient[] = [];

beforeAll(async () => {
  server = await startServerProcess();
  rest = restClient(server);
});
afterAll(async () => {
  for (const program of programs) program.kill();
  for (const client of clients) client.end(true);
  await server.remove();
});

async function product(options: object = {}): Promise<{ productKey: string; productSecret: string }> {
  counter += 1;
  const { status, body } = await rest("POST", "/products", { name: `p${process.pid}-${counter}`, ...options });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body;
}

async function device(productKey: string, deviceName: string): Promise<{ productKey: string; deviceName: string; deviceSecret: string }> {
  const { status, body } = await rest("POST", `/products/${productKey}/devices`, { deviceName });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return { productKey, deviceName, deviceSecret: body.deviceSecret };
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever JSON the server sends
type Json = any;

const hmac = (method: string, key: string, text: string) => createHmac(method, key).update(text).digest("hex");

/** Connects over TLS as firmware would and resolves with the first packet that the server pushes unasked. */
function connect(clientId: string, username: string, password: string): { client: MqttClient; pushed: Promise<[string, Json]> } {
  const client = mqtt.connect({
    protocol: "mqtts",
    host: "localhost",
    port: server.devicePort,
    ca: server.ca,
    clientId,
    username,
    password,
    reconnectPeriod: 0,
    protocolVersion: 4,
  });
  clients.push(client);
  const pushed = new Promise<[string, Json]>((resolve, reject) => {
    client.on("message", (topic, payload) => resolve([topic, JSON.parse(payload.toString())]));
    client.on("error", reject);
  });
  pushed.catch(() => {});
  return { client, pushed };
}

const isOnline = (client: MqttClient) => new Promise<void>((resolve, reject) => client.on("connect", () => resolve()).on("error", reject));

test("2.5 the vendor's SDK registers over HTTPS, and curl with the wire form of the seed; switch, signature and activation are told", async (context) => {
  needProgram(context, "curl");
  const { productKey, productSecret } = await product();
  const { deviceName, deviceSecret } = await device(productKey, "esp8266_test001");
  const url = `https://localhost:${server.devicePort}/auth/register/device`;
  const register = async (secret: string) => {
    const program = startProgram(
      process.execPath,
      ["e2e/programs/vendor-register.mjs", JSON.stringify({ productKey, productSecret: secret, deviceName, registerURL: url })],
      { NODE_EXTRA_CA_CERTS: server.caFile },
    );
    programs.push(program);
    return JSON.parse(await program.line("an answer", (line) => line.startsWith("{")));
  };
  expect(await register(productSecret)).toMatchObject({ code: 6288 });
  await rest("PATCH", `/products/${productKey}`, { isRegistrationOpen: true });
  expect(await register("wrong")).toMatchObject({ code: 6600 });
  const first = await register(productSecret);
  expect(first).toMatchObject({ code: 200, data: { productKey, deviceName } });
  // The last secret counts; the one before, and the one from its creation, are worth nothing.
  expect(first.data.deviceSecret).not.toBe(deviceSecret);

  const text = `deviceName${deviceName}productKey${productKey}random567345`;
  const form = `productKey=${productKey}&deviceName=${deviceName}&random=567345&sign=${hmac("sha256", productSecret, text)}&signMethod=hmacsha256`;
  const curl = await run("curl", ["-s", "--cacert", server.caFile, "-H", "Accept: text/xml,text/javascript", "-d", form, url]);
  expect(curl.stdout.length).toBeLessThanOrEqual(256);
  const secret = /^\{"code":200,"data":\{"productKey":"\w+","deviceName":"\w+","deviceSecret":"(\w{32})"\},"message":"success"\}$/.exec(
    curl.stdout,
  )?.[1];
  expect(secret).toBeDefined();

  const sign = (key: string) => hmac("sha1", key, `clientIdcdeviceName${deviceName}productKey${productKey}`);
  const old = connect("c|securemode=2,signmethod=hmacsha1|", `${deviceName}&${productKey}`, sign(first.data.deviceSecret));
  await expect(isOnline(old.client)).rejects.toThrow();
  const current = connect("c|securemode=2,signmethod=hmacsha1|", `${deviceName}&${productKey}`, sign(secret ?? ""));
  await isOnline(current.client);
  current.client.end();
  expect(await register(productSecret)).toMatchObject({ code: 6289 });
  await rest("POST", `/products/${productKey}/devices/${deviceName}/reset`);
  expect(await register(productSecret)).toMatchObject({ code: 200 });
  const log = await rest("GET", `/device-log?productKey=${productKey}`);
  expect(JSON.stringify(log.body)).not.toContain(productSecret);
  expect(JSON.stringify(log.body)).not.toContain(secret);
});

test("2.6 over MQTT a secret is pushed unsubscribed; without TLS and with a wrong signature the CONNACK says so", async () => {
  const { productKey, productSecret } = await product({ isRegistrationOpen: true });
  const { deviceName } = await device(productKey, "dev1");
  const userName = `${deviceName}&${productKey}`;
  const clientId = `${deviceName}.${productKey}|random=1,authType=register,securemode=2,signmethod=hmacsha256|`;
  const password = hmac("sha256", productSecret, `deviceName${deviceName}productKey${productKey}random1`);
  const { pushed, client } = connect(clientId, userName, password);
  const [topic, body] = await pushed;
  expect(topic).toBe("/ext/register");
  expect(body).toEqual({ productKey, deviceName, deviceSecret: expect.stringMatching(/^\w{32}$/) });
  client.end();
  await expect(connect(clientId, userName, password.replace(/./g, "0")).pushed).rejects.toMatchObject({ code: 4 });
  const plain = mqtt.connect({
    host: "127.0.0.1",
    port: server.devicePort,
    clientId,
    username: userName,
    password,
    reconnectPeriod: 0,
    protocolVersion: 4,
  });
  clients.push(plain);
  await expect(isOnline(plain)).rejects.toMatchObject({ code: 2 });
});

test("2.6 a device that nobody registered is made on the fly and connects with its token; five share a name", async () => {
  const { productKey, productSecret } = await product({ isSelfRegistrationOpen: true });
  const userName = `brandnew&${productKey}`;
  const clientId = `brandnew.${productKey}|random=7,authType=regnwl,securemode=-2,signmethod=hmacsha256|`;
  const password = hmac("sha256", productSecret, `deviceNamebrandnewproductKey${productKey}random7`);
  const tokens: { clientId: string; deviceToken: string }[] = [];
  for (let each = 0; each < 5; each += 1) {
    const { pushed, client } = connect(clientId, userName, password);
    const [topic, body] = await pushed;
    expect(topic).toBe("/ext/regnwl");
    tokens.push(body);
    client.end();
  }
  await expect(connect(clientId, userName, password).pushed).rejects.toMatchObject({ code: 4 });
  const [first, second] = tokens;
  const { client } = connect(`${first?.clientId}|authType=connwl,securemode=-2,_ss=1,ext=3,_v=4|`, userName, first?.deviceToken ?? "");
  await isOnline(client);
  // A token is good for its own client id only.
  await expect(
    connect(`${second?.clientId}|authType=connwl,securemode=-2|`, userName, first?.deviceToken ?? "").pushed,
  ).rejects.toMatchObject({
    code: 5,
  });
});

test("2.7 a device with nothing but a certificate is told who it is, and comes back under its name; another certificate is refused", async () => {
  const { productKey } = await product({ authType: "x509" });
  await device(productKey, "cert1");
  await device(productKey, "cert2");
  const secretProduct = await product();
  await device(secretProduct.productKey, "dev1");
  const place = (deviceName: string) => `/products/${productKey}/devices/${deviceName}/certificates`;
  const issue = async (deviceName: string) => (await rest("POST", place(deviceName), {})).body;
  const [one, two] = [await issue("cert1"), await issue("cert2")];
  const refused = await rest("POST", `/products/${secretProduct.productKey}/devices/dev1/certificates`, {});
  expect(refused.body.error.code).toBe("access.credential_kind");
  const open = ({ certificate, privateKey }: Json, username: string, servername = "x509.itls.cn-shanghai.aliyuncs.com") => {
    const client = mqtt.connect({
      protocol: "mqtts",
      host: "127.0.0.1",
      servername,
      port: server.devicePort,
      ca: server.ca,
      cert: certificate,
      key: privateKey,
      clientId: "mac|securemode=2|",
      ...(username === "" ? {} : { username }),
      reconnectPeriod: 0,
      protocolVersion: 4,
    });
    clients.push(client);
    return client;
  };
  const first = open(one, "");
  const [topic, payload] = await new Promise<[string, Buffer]>((resolve, reject) => {
    first.on("message", (from, bytes) => resolve([from, bytes])).on("error", reject);
  });
  expect([topic, payload.toString()]).toEqual(["/ext/auth/identity/response", JSON.stringify({ productKey, deviceName: "cert1" })]);
  first.end();
  const named = open(one, `cert1&${productKey}`);
  await isOnline(named);
  await until("ONLINE", async () => (await rest("GET", `/products/${productKey}/devices/cert1`)).body.status === "ONLINE");
  await expect(isOnline(open(two, `cert1&${productKey}`))).rejects.toMatchObject({ code: 5 });
  // Who names another host of the vendor's has a secret, and is not asked for a certificate.
  await expect(isOnline(open(two, `cert2&${productKey}`, "public.iot-as-mqtt.cn-shanghai.aliyuncs.com"))).rejects.toMatchObject({
    code: 4,
  });
  expect((await rest("DELETE", `${place("cert2")}/${two.fingerprint}`)).status).toBe(204);
  await expect(isOnline(open(two, `cert2&${productKey}`))).rejects.toMatchObject({ code: 5 });
  expect((await rest("POST", place("cert2"), { certificate: two.certificate })).status).toBe(201);
  const connected = open(two, `cert2&${productKey}`);
  await isOnline(connected);
  const closed = new Promise<void>((resolve) => void connected.once("close", () => resolve()));
  const spare = await issue("cert2");
  await rest("DELETE", `${place("cert2")}/${spare.fingerprint}`);
  expect((await rest("POST", place("cert1"), { certificate: two.certificate })).body.error.code).toBe("access.certificate_taken");
  expect((await rest("POST", place("cert1"), { certificate: "nonsense" })).body.error.code).toBe("access.certificate_invalid");
  // The withdrawal of another certificate has not touched the connection; that of its own ends it.
  expect(connected.connected).toBe(true);
  expect((await rest("DELETE", `${place("cert2")}/${two.fingerprint}`)).status).toBe(204);
  await closed;
});

test("6 a gateway of the vendor's SDK registers, adds and logs in a sub-device, which posts, is set, and is told apart from its gateway", async () => {
  const gatewayProduct = await product({ nodeType: "gateway" });
  const subProduct = await product({ isRegistrationOpen: true });
  const gateway = await device(gatewayProduct.productKey, "gateway1");
  const sub = await device(subProduct.productKey, "sub1");
  const lightSwitch = { identifier: "LightSwitch", name: "switch", accessMode: "rw", required: false };
  const model = {
    schema: "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json",
    profile: { productKey: sub.productKey },
    properties: [{ ...lightSwitch, dataType: { type: "bool", specs: { "0": "off", "1": "on" } } }],
    events: [],
    services: [],
  };
  const saved = await rest("PUT", `/products/${sub.productKey}/thing-model`, model);
  expect(saved.status, JSON.stringify(saved.body)).toBeLessThan(300);
  const published = await rest("POST", `/products/${sub.productKey}/thing-model/publish`, {});
  expect(published.status, JSON.stringify(published.body)).toBeLessThan(300);
  const program = startProgram(process.execPath, [
    "e2e/programs/vendor-gateway.mjs",
    JSON.stringify({
      brokerUrl: `tcp://localhost:${server.devicePort}/`,
      gateway,
      sub: { productKey: sub.productKey, deviceName: sub.deviceName },
    }),
  ]);
  programs.push(program);
  const event = async (name: string, more = "") =>
    JSON.parse(await program.line(`${name} ${more}`, (line) => line.startsWith(`{"event":"${name}"`) && line.includes(more)));
  const pair = { productKey: sub.productKey, deviceName: sub.deviceName };
  expect(await event("registered")).toMatchObject({ code: 200, data: [{ ...pair, deviceSecret: sub.deviceSecret }] });
  expect(await event("added")).toMatchObject({ code: 200, data: [pair] });
  expect(await event("topology")).toMatchObject({ code: 200, data: [pair] });
  expect(await event("login")).toMatchObject({ code: 200, message: "success", data: pair });
  expect(await event("posted")).toMatchObject({ code: 200 });
  const path = `/products/${sub.productKey}/devices/${sub.deviceName}`;
  const statusIs = (status: string) => until(status, async () => (await rest("GET", path)).body.status === status);
  await statusIs("ONLINE");
  await until("the stored value", async () => JSON.stringify((await rest("GET", `${path}/properties`)).body).includes('"LightSwitch"'));

  const set = await rest("POST", `${path}/properties`, { values: { LightSwitch: 0 } });
  expect(set.status, JSON.stringify(set.body)).toBeLessThan(300);
  expect(await event("set")).toMatchObject({ method: "thing.service.property.set", params: { LightSwitch: 0 } });

  program.say("tag");
  expect(await event("tagged")).toMatchObject({ code: 200 });
  expect((await rest("GET", `${path}/tags`)).body.tags).toEqual({ room: "12" });

  program.say("logout");
  expect(await event("logout")).toMatchObject({ code: 200, data: pair });
  await statusIs("OFFLINE");
  // 6.7: what it says for a device without session is refused, and it is told.
  program.say("post");
  const refusal = await until("the refusal in the log", async () => {
    const { body } = await rest("GET", `/device-log?productKey=${gateway.productKey}&code=access.sub_device_offline`);
    return body.items[0];
  });
  expect(refusal.received).toContain(`/sys/${sub.productKey}/${sub.deviceName}/`);
  program.say("remove");
  expect(await event("removed")).toMatchObject({ code: 200 });
  expect((await rest("GET", `${path}/gateway`)).body.gateway).toBeNull();
  await program.end();
});

test("6.3 to 6.7 batch login, limits, kicks and notices, over a gateway of another library", async () => {
  const gatewayProduct = await product({ nodeType: "gateway" });
  const subProduct = await product();
  const gateway = await device(gatewayProduct.productKey, "gateway1");
  const first = await device(subProduct.productKey, "sub1");
  const subs = [first, await device(subProduct.productKey, "sub2")];
  const text = `clientIdgdeviceName${gateway.deviceName}productKey${gateway.productKey}`;
  const client = mqtt.connect({
    host: "127.0.0.1",
    port: server.devicePort,
    clientId: "g|securemode=3,signmethod=hmacsha256,_ss=1|",
    username: `${gateway.deviceName}&${gateway.productKey}`,
    password: hmac("sha256", gateway.deviceSecret, text),
    reconnectPeriod: 0,
  });
  clients.push(client);
  const messages: [string, Json][] = [];
  client.on("message", (topic, payload) => messages.push([topic, JSON.parse(payload.toString())]));
  await isOnline(client);
  const own = `${gateway.productKey}/${gateway.deviceName}`;
  let id = 0;
  const ask = async (topic: string, params: unknown) => {
    id += 1;
    const mine = id;
    client.publish(topic, JSON.stringify({ id: mine, version: "1.0", params }));
    const [, answer] = await until(`an answer on ${topic}`, () =>
      messages.find(([from, body]) => from === `${topic}_reply` && body.id === mine),
    );
    return answer;
  };
  const signed = ({ productKey, deviceName, deviceSecret }: typeof first) => {
    // C SDK 3: the whole client id is signed, its extension included (V16).
    const clientId = `${productKey}.${deviceName}|_ss=1,_v=sdk-c-3.2.0|`;
    const sign = hmac("sha1", deviceSecret, `clientId${clientId}deviceName${deviceName}productKey${productKey}timestamp1`);
    return { productKey, deviceName, clientId, timestamp: "1", signMethod: "hmacSha1", sign, cleanSession: "true" };
  };
  const pairs = subs.map(({ productKey, deviceName }) => ({ productKey, deviceName }));
  const session = `/ext/session/${own}/combine`;
  expect(await ask(`${session}/login`, signed(first))).toMatchObject({ code: 6401, data: pairs[0] });
  const wrong = subs.map((sub) => ({ ...signed(sub), sign: "00" }));
  expect(await ask(`/sys/${own}/thing/topo/add`, wrong)).toMatchObject({ code: 401 });
  expect(await ask(`/sys/${own}/thing/topo/add`, [])).toMatchObject({ code: 460 });
  const added = await rest("POST", `/products/${gateway.productKey}/devices/${gateway.deviceName}/sub-devices`, { devices: pairs });
  expect(added.status).toBe(201);
  await until("thing/topo/change", () =>
    messages.find(([topic, body]) => topic === `/sys/${own}/thing/topo/change` && body.params.status === 0),
  );

  expect(await ask(`${session}/batch_login`, { deviceList: subs.map(signed) })).toMatchObject({ code: 200, data: pairs });
  const path = (name: string) => `/products/${subProduct.productKey}/devices/${name}`;
  await until("both online", async () => (await rest("GET", `/devices?status=ONLINE&namePrefix=sub`)).body.total >= 2);

  // Disabled: told on its own topic and by an error; its session is over, the gateway's is not.
  await rest("POST", `${path("sub1")}/disable`);
  const subTopic = `/sys/${subProduct.productKey}/sub1`;
  await until("thing/disable", () => messages.find(([topic]) => topic === `${subTopic}/thing/disable`));
  await until("error 522", () => messages.find(([topic, body]) => topic === `/ext/error/${own}` && body.code === 522));
  expect(await ask(`${session}/login`, signed(first))).toMatchObject({ code: 522 });
  await rest("POST", `${path("sub1")}/enable`);
  await until("thing/enable", () => messages.find(([topic]) => topic === `${subTopic}/thing/enable`));
  expect(await ask(`${session}/login`, signed(first))).toMatchObject({ code: 200 });

  // A direct connection of the same device takes over.
  const { productKey, deviceName, deviceSecret } = first;
  const password = hmac("sha256", deviceSecret, `clientIdddeviceName${deviceName}productKey${productKey}`);
  const direct = connect("d|securemode=2,signmethod=hmacsha256|", `${deviceName}&${productKey}`, password);
  await isOnline(direct.client);
  await until("error 427", () => messages.find(([topic, body]) => topic === `/ext/error/${own}` && body.code === 427));
  expect(await ask(`${session}/logout`, pairs[0])).toMatchObject({ code: 520, data: pairs[0] });
  expect((await rest("GET", path("sub1"))).body.status).toBe("ONLINE");

  await rest("DELETE", path("sub2"));
  await until("error 521", () => messages.find(([topic, body]) => topic === `/ext/error/${own}` && body.code === 521));
  const codes: number[] = [];
  for (let each = 0; each < 7; each += 1) codes.push((await ask(`${session}/login`, signed(first))).code);
  expect(codes).toContain(429);

  // Deleted while it is not logged in: the gateway is told all the same.
  const { productKey: subKey } = await device(subProduct.productKey, "sub3");
  const place = `/products/${gateway.productKey}/devices/${gateway.deviceName}/sub-devices`;
  await rest("POST", place, { devices: [{ productKey: subKey, deviceName: "sub3" }] });
  await rest("DELETE", path("sub3"));
  await until("thing/topo/change of a deletion", () =>
    messages.find(
      ([topic, { params }]) => topic === `/sys/${own}/thing/topo/change` && params.status === 1 && params.subList[0].deviceName === "sub3",
    ),
  );
  client.end();
  await until("offline with its gateway", async () => (await rest("GET", path("sub1"))).body.status === "OFFLINE");
});
