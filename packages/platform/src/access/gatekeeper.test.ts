import { alibabaStrictKeepAlivePolicy, signConnect, tokenConnect } from "@thingstead/dialects";
import type { Admission, ConnectPacket, ConnectRefusal, Message, Tap } from "@thingstead/mqtt";
import { describe, expect, test } from "vitest";
import { connectPacket, device, FakeTokens, facts, fakePorts, product, topicClass } from "./fake-ports.ts";
import { createGatekeeper, type GatekeeperPorts } from "./gatekeeper.ts";
import { hashToken } from "./token-hash.ts";

const triple = { productKey: "pk", deviceName: "dev1", deviceSecret: "secret", secureMode: 3 as const };

function packetOf(
  credentials: { clientId: string; userName: string; password: string },
  change: Partial<ConnectPacket> = {},
): ConnectPacket {
  return connectPacket({
    clientId: credentials.clientId,
    userName: credentials.userName,
    password: Buffer.from(credentials.password),
    ...change,
  });
}

async function admitted(ports: GatekeeperPorts, packet = packetOf(signConnect(triple))): Promise<Admission> {
  const answer = await createGatekeeper(ports).connect(packet, facts);
  if (!("sessionId" in answer)) throw new Error(JSON.stringify(answer));
  return answer;
}

async function refused(ports: GatekeeperPorts, packet: ConnectPacket): Promise<ConnectRefusal> {
  const answer = await createGatekeeper(ports).connect(packet, facts);
  if ("sessionId" in answer) throw new Error("admitted");
  return answer;
}

describe("admission", () => {
  test("a signed device is bound to its names, not to its client id", async () => {
    const admission = await admitted(fakePorts());
    expect(admission).toMatchObject({
      sessionId: "pk/dev1",
      keepAliveSeconds: 60,
      subject: { kind: "device", dialect: "alibaba", productKey: "pk", deviceName: "dev1", iotId: "iotIdOfDev1" },
      behaviour: { qosMax: 1, deliveryQos: "publisher", subscriptionsMax: 100, filtersPerSubscribeMax: 8, payloadBytesMax: 262_144 },
    });
  });

  test("the secret is nowhere in the answer", async () => {
    const answer = await admitted(fakePorts());
    expect(JSON.stringify([answer.subject, answer.behaviour])).not.toContain("secret");
  });

  test("3 a keep-alive above 1200 s is counted as 1200 s; the strict window refuses it", async () => {
    const packet = packetOf(signConnect(triple), { keepAliveSeconds: 1800 });
    expect((await admitted(fakePorts(), packet)).keepAliveSeconds).toBe(1200);
    expect(await refused({ ...fakePorts(), keepAlivePolicy: alibabaStrictKeepAlivePolicy }, packet)).toMatchObject({
      code: "access.keep_alive_out_of_range",
      returnCode: 3,
    });
  });

  test("2.1 a secure mode that does not fit the transport is let in and noted", async () => {
    const ports = fakePorts();
    await admitted(ports, packetOf(signConnect({ ...triple, secureMode: 2 })));
    expect(ports.deviceLog.entries).toMatchObject([
      { kind: "auth", code: "access.secure_mode_differs", isSuccess: true, deviceName: "dev1" },
    ]);
  });

  test("the topic classes of a product are read once for all its devices", async () => {
    const ports = fakePorts();
    ports.registry.devices.push(device({ deviceName: "dev2", iotId: "2" }));
    await admitted(ports);
    await admitted(ports, packetOf(signConnect({ ...triple, deviceName: "dev2" })));
    expect(ports.registry.listCalls).toBe(1);
  });
});

describe("what is in memory", () => {
  const answerTo = (ports: GatekeeperPorts, packet: ConnectPacket) => createGatekeeper(ports).connect(packet, facts);
  const signed = packetOf(signConnect(triple));

  async function inMemoryPorts() {
    const ports = fakePorts();
    await ports.topicBook.open("pk");
    ports.registry.isInMemory = true;
    return ports;
  }

  test("a device that is known is answered during the call, the store not asked", async () => {
    const ports = await inMemoryPorts();
    expect(answerTo(ports, signed)).toMatchObject({ sessionId: "pk/dev1", keepAliveSeconds: 60 });
    expect(ports.registry.findCalls).toBe(0);
  });

  test("and refused in it, for the same reasons", async () => {
    const ports = await inMemoryPorts();
    const wrong = packetOf(signConnect({ ...triple, deviceSecret: "wrong" }));
    expect(answerTo(ports, wrong)).toMatchObject({ code: "access.signature_mismatch", returnCode: 5 });
    ports.registry.devices = [device({ isEnabled: false })];
    expect(answerTo(ports, signed)).toMatchObject({ code: "access.device_disabled" });
    ports.registry.devices = [device()];
    ports.registry.products = [product({ authType: "x509" })];
    expect(answerTo(ports, signed)).toMatchObject({ code: "access.credential_kind" });
  });

  test("a topic list that was never read is waited for", async () => {
    const ports = fakePorts();
    ports.registry.isInMemory = true;
    const answer = answerTo(ports, signed);
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toMatchObject({ sessionId: "pk/dev1" });
  });

  test("what fails on the way is told as unavailable", async () => {
    const ports = await inMemoryPorts();
    const failures: unknown[] = [];
    const broken = () => {
      throw new Error("broken");
    };
    const registry = { findDevice: broken, findProduct: broken, peekProduct: broken, peekDevice: broken };
    const answer = answerTo({ ...ports, registry, onFailure: (error) => failures.push(error) }, signed);
    expect(answer).toMatchObject({ code: "access.unavailable" });
    expect(failures).toHaveLength(1);
  });
});

describe("refusals (2.10)", () => {
  const signed = packetOf(signConnect(triple));

  test("a wrong secret tells the signed text and no secret", async () => {
    const refusal = await refused(fakePorts(), packetOf(signConnect({ ...triple, deviceSecret: "wrong", clientId: "c" })));
    expect(refusal).toMatchObject({
      code: "access.signature_mismatch",
      returnCode: 5,
      reasonCode: 0x86,
      expected: "clientIdcdeviceNamedev1productKeypk",
    });
    expect(JSON.stringify(refusal)).not.toContain("secret");
  });

  test("an unknown device is verified against a dummy, and the dummy's key opens nothing", async () => {
    const unknown = signConnect({ ...triple, deviceName: "ghost", deviceSecret: "0".repeat(32) });
    expect(await refused(fakePorts(), packetOf(unknown))).toMatchObject({
      code: "access.device_unknown",
      returnCode: 5,
      received: "pk/ghost",
    });
  });

  test("a disabled device", async () => {
    const ports = fakePorts();
    ports.registry.devices = [device({ isEnabled: false })];
    expect(await refused(ports, signed)).toMatchObject({ code: "access.device_disabled", returnCode: 5, reasonCode: 0x87 });
    expect(await refused(ports, packetOf(signConnect({ ...triple, deviceSecret: "x" })))).toMatchObject({
      code: "access.signature_mismatch",
    });
  });

  test("a device that is disabled while its topic classes are read", async () => {
    const ports = fakePorts();
    const list = ports.registry.listTopicClasses.bind(ports.registry);
    ports.registry.listTopicClasses = async () => {
      ports.registry.devices = [device({ isEnabled: false })];
      return list();
    };
    expect(await refused(ports, signed)).toMatchObject({ code: "access.device_disabled" });
  });

  test.each([0, 29])("keep-alive %i", async (keepAliveSeconds) => {
    expect(await refused(fakePorts(), packetOf(signConnect(triple), { keepAliveSeconds }))).toMatchObject({
      returnCode: 3,
      reasonCode: 0x88,
    });
  });

  test("a client of no dialect", async () => {
    expect(await refused(fakePorts(), connectPacket())).toMatchObject({ code: "access.dialect_unknown", returnCode: 5 });
  });

  test("a failing store is not the device's fault and does not throw", async () => {
    const ports = fakePorts();
    ports.registry.failure = new Error("disk");
    expect(await refused(ports, signed)).toMatchObject({ code: "access.unavailable", returnCode: 3, reasonCode: 0x88 });
    expect(ports.failures).toEqual([ports.registry.failure]);
  });
});

describe("tokens (2.4)", () => {
  const token = "0d7fdeb9dc1f4344a2cc0d45edcb0bcb";

  function portsWithToken(ttlMilliseconds = 1000) {
    const ports = fakePorts();
    const expiresAt = ports.clock.now() + ttlMilliseconds;
    ports.tokens.rows.push({ tokenHash: hashToken(token), iotId: "iotIdOfDev1", productKey: "pk", deviceName: "dev1", expiresAt });
    return ports;
  }
  const good = packetOf(tokenConnect({ iotId: "iotIdOfDev1", iotToken: token, clientId: "mac", secureMode: 0 }));

  test("a good one connects, with and without an extension in the client id", async () => {
    expect((await admitted(portsWithToken(), good)).sessionId).toBe("pk/dev1");
    expect((await admitted(portsWithToken(), { ...good, clientId: "mac" })).sessionId).toBe("pk/dev1");
  });

  test.each([
    ["unknown", { ...good, password: Buffer.from("f".repeat(32)) }, portsWithToken, "access.token_invalid"],
    ["of another iotId", { ...good, userName: "someoneElse" }, portsWithToken, "access.token_invalid"],
    ["expired", good, () => portsWithToken(0), "access.token_expired"],
  ])("%s answers CONNACK 3", async (_case, packet, makePorts, code) => {
    expect(await refused(makePorts(), packet)).toMatchObject({ code, returnCode: 3, reasonCode: 0x86 });
  });

  test("of a deleted device answers 3, also when its names were given to a new one", async () => {
    const ports = portsWithToken();
    ports.registry.devices = [];
    expect(await refused(ports, good)).toMatchObject({ code: "access.token_device_gone", returnCode: 3 });
    ports.registry.devices = [device({ iotId: "another" })];
    expect(await refused(ports, good)).toMatchObject({ code: "access.token_device_gone", returnCode: 3 });
  });

  test("of a disabled device answers 5", async () => {
    const ports = portsWithToken();
    ports.registry.devices = [device({ isEnabled: false })];
    expect(await refused(ports, good)).toMatchObject({ code: "access.device_disabled", returnCode: 5 });
  });

  test("no refusal repeats the token", async () => {
    expect(JSON.stringify(await refused({ ...fakePorts(), tokens: new FakeTokens() }, good))).not.toContain(token);
  });
});

describe("rights of a session", () => {
  const message: Message = {
    topic: "/sys/pk/dev1/thing/event/property/post",
    payload: Buffer.from("{}"),
    qos: 1,
    isRetained: false,
    receivedAt: 0,
    hops: 0,
  };

  test("custom topics are routed and offered to the rules, without the script suffix", async () => {
    const tap: Tap = () => undefined;
    const asked: string[] = [];
    const grants = {
      tapsFor: (topic: string) => {
        asked.push(topic);
        return [tap];
      },
    };
    const { rights } = await admitted({ ...fakePorts(), grants });
    expect(rights.publish("/pk/dev1/update")).toEqual({ isRouted: true, taps: [tap] });
    expect(rights.publish("/pk/dev1/data?_sn=default")).toEqual({ isRouted: true, taps: [tap], topic: "/pk/dev1/data" });
    expect(asked).toEqual(["/pk/dev1/update", "/pk/dev1/data"]);
    expect(rights.publish("/pk/dev2/update")).toMatchObject({ code: "access.topic_foreign" });
  });

  test("3 QoS 2 is granted as 1", async () => {
    const { rights } = await admitted(fakePorts());
    expect(rights.subscribe("/pk/dev1/get", 2)).toEqual({ qos: 1 });
    expect(rights.subscribe("/pk/dev1/get", 0)).toEqual({ qos: 0 });
    expect(rights.subscribe("/pk/dev1/update", 0)).toMatchObject({ code: "access.topic_direction" });
  });

  test("a system topic without a handler is not routed and says so, unless the log has enough", async () => {
    const ports = fakePorts();
    const grant = (await admitted(ports)).rights.publish(message.topic);
    if ("code" in grant) throw new Error(grant.code);
    expect(grant.isRouted).toBe(false);
    for (const tap of grant.taps) tap(message);
    expect(ports.deviceLog.entries).toMatchObject([{ code: "access.system_topic_unhandled", isSuccess: false, topic: message.topic }]);
    ports.deviceLog.isWanted = false;
    for (const tap of grant.taps) tap(message);
    expect(ports.deviceLog.entries).toHaveLength(1);
  });

  test("a handler takes a system topic by its row", async () => {
    const tap: Tap = () => undefined;
    const systemTopics = { tapsFor: (row: string) => (row.endsWith("thing/event/property/post") ? [tap] : undefined) };
    const { rights } = await admitted({ ...fakePorts(), systemTopics });
    expect(rights.publish(message.topic)).toEqual({ isRouted: false, taps: [tap] });
  });

  test("[alibaba-device 4.2] a topic with ?_sn=default has the taps of the product's script", async () => {
    const tap: Tap = () => undefined;
    const payloadScripts = {
      tapsFor: (subject: { productKey: string }, topic: string) =>
        subject.productKey === "pk" && topic === "/pk/dev1/update" ? [tap] : [],
    };
    const { rights } = await admitted({ ...fakePorts(), payloadScripts });
    expect(rights.publish("/pk/dev1/update?_sn=default")).toEqual({ isRouted: true, taps: [tap], topic: "/pk/dev1/update" });
    expect(rights.publish("/pk/dev1/update")).not.toHaveProperty("topic");
  });

  test("changed topic classes reach sessions that are connected", async () => {
    const ports = fakePorts();
    const { rights } = await admitted(ports);
    expect(rights.publish("/pk/dev1/new")).toMatchObject({ code: "access.topic_undefined" });
    ports.registry.classes.push(topicClass("new", "PUB"));
    await ports.topicBook.refresh("pk");
    expect(rights.publish("/pk/dev1/new")).toMatchObject({ isRouted: true });
    ports.topicBook.close("pk");
    expect(rights.publish("/pk/dev1/new")).toMatchObject({ code: "access.topic_undefined" });
  });
});

test("[alibaba-device 2.1, 4.4] what a device says of itself at connecting goes with its session", async () => {
  const packet = packetOf(signConnect(triple));
  const clientId = `${packet.clientId.slice(0, -1)},_ss=1,ext=3|`;
  const { subject, isAddressable } = await admitted(fakePorts(), { ...packet, clientId });
  expect(subject).toMatchObject({ isAutoSubscribed: true, acceptsCustomRrpc: true });
  expect(isAddressable).toBe(true);
  const plain = await admitted(fakePorts(), packet);
  expect(plain.subject).not.toHaveProperty("isAutoSubscribed");
  expect(plain).not.toHaveProperty("isAddressable");
});
