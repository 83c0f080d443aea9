import { expect, test } from "vitest";
import type { AuthPacket } from "../codec/index.ts";
import type { AuthenticationExchange, Gatekeeper } from "../ports.ts";
import { settlePromises } from "../testing/fake-clock.ts";
import { TestBroker } from "../testing/test-broker.ts";
import type { TestClient } from "../testing/test-client.ts";

const method = "ECHO";

/** Asks twice; admits who answers "yes" each time. */
function echoGatekeeper(identity: { id: string; canPublish: boolean }): Gatekeeper {
  const base = new TestBroker().gatekeeper;
  return {
    connect: base.connect,
    authenticate(packet, facts): AuthenticationExchange | undefined {
      if (packet.properties?.authenticationMethod !== method) return undefined;
      let asked = 0;
      return {
        async step(data) {
          const word = data === undefined ? "" : Buffer.from(data).toString();
          if (asked > 0 && word !== "yes") {
            return { kind: "refused", refusal: { code: "access.no", received: word, returnCode: 4, reasonCode: 0x86 } };
          }
          asked += 1;
          if (asked <= 2) return { kind: "continue", data: Buffer.from(`ask ${asked} ${word}`) };
          const admission = await base.connect({ ...packet, clientId: identity.id }, facts);
          if ("code" in admission) throw new Error("not admitted");
          const publish = admission.rights.publish;
          admission.rights.publish = (topic) => (identity.canPublish ? publish(topic) : { code: "access.not_now" });
          return { kind: "admitted", admission, data: Buffer.from("welcome") };
        },
      };
    },
  };
}

function auth(reasonCode: number, text: string, name = method): AuthPacket {
  return { type: "auth", reasonCode, properties: { authenticationMethod: name, authenticationData: Buffer.from(text) } };
}

async function answer(client: TestClient, packet: AuthPacket): Promise<unknown[]> {
  client.send(packet);
  await settlePromises();
  client.endTurn();
  return client.packets();
}

async function begin(world: TestBroker, properties = { authenticationMethod: method }) {
  const client = world.open();
  client.send({ type: "connect", protocolVersion: 5, clientId: "one", isCleanStart: true, keepAliveSeconds: 0, properties });
  await settlePromises();
  client.endTurn();
  return client;
}

async function admitted(identity = { id: "one", canPublish: true }, limits = {}) {
  const world = await new TestBroker({ gatekeeper: echoGatekeeper(identity), limits }).start();
  const client = await begin(world);
  const first = client.packets();
  const second = await answer(client, auth(0x18, "yes"));
  const connack = await answer(client, auth(0x18, "yes"));
  return { world, client, first, second, connack };
}

test("[MQTT-4.12.0-1] a method that nobody knows is refused with 0x8C", async () => {
  for (const gatekeeper of [undefined, echoGatekeeper({ id: "one", canPublish: true })]) {
    const world = await new TestBroker(gatekeeper === undefined ? {} : { gatekeeper }).start();
    const client = await begin(world, { authenticationMethod: "OTHER" });
    expect(client.packets()).toMatchObject([{ type: "connack", reasonCode: 0x8c }]);
    expect(client.isClosed).toBe(true);
  }
});

test("[MQTT-4.12.0-2] [MQTT-4.12.0-3] [MQTT-4.12.0-5] AUTH goes back and forth, CONNACK repeats the method", async () => {
  const { world, client, first, second, connack } = await admitted();
  expect(first).toMatchObject([{ type: "auth", reasonCode: 0x18, properties: { authenticationMethod: method } }]);
  expect(second).toMatchObject([{ type: "auth", reasonCode: 0x18 }]);
  expect(connack).toMatchObject([{ type: "connack", reasonCode: 0, properties: { authenticationMethod: method } }]);
  expect(client.isClosed).toBe(false);
  expect(world.named("connected")).toHaveLength(1);
  expect(world.bugs).toEqual([]);
});

test("[MQTT-4.12.0-4] a wrong answer is refused by CONNACK", async () => {
  const world = await new TestBroker({ gatekeeper: echoGatekeeper({ id: "one", canPublish: true }) }).start();
  const client = await begin(world);
  client.packets();
  expect(await answer(client, auth(0x18, "no"))).toMatchObject([{ type: "connack", reasonCode: 0x86 }]);
  expect(client.isClosed).toBe(true);
  expect(world.broker.statistics().sessions).toBe(0);
});

test.each([
  ["another method", auth(0x18, "yes", "OTHER")],
  ["re-authentication before CONNACK", auth(0x19, "yes")],
])("[MQTT-4.12.0-5] before CONNACK %s ends the connection", async (_name, packet) => {
  const world = await new TestBroker({ gatekeeper: echoGatekeeper({ id: "one", canPublish: true }) }).start();
  const client = await begin(world);
  await answer(client, packet);
  expect(client.isClosed).toBe(true);
});

test("[MQTT-3.1.2-30] before CONNACK nothing but AUTH and DISCONNECT", async () => {
  const world = await new TestBroker({ gatekeeper: echoGatekeeper({ id: "one", canPublish: true }) }).start();
  const client = await begin(world);
  client.send({ type: "pingreq" });
  expect(client.isClosed).toBe(true);
  expect(world.named("refused")).toMatchObject([{ refusal: { code: "mqtt.authentication_not_expected" } }]);
  const other = await begin(world);
  other.send({ type: "disconnect" });
  expect(other.isClosed).toBe(true);
  expect(world.named("refused")).toHaveLength(1);
});

test("an exchange that does not end is cut", async () => {
  const { connack, client } = await admitted({ id: "one", canPublish: true }, { authenticationStepsMax: 1 });
  expect(connack).toMatchObject([{ type: "connack", reasonCode: 0x87 }]);
  expect(client.isClosed).toBe(true);
});

test("a client that never answers is cut by the time-out of CONNECT", async () => {
  const world = await new TestBroker({ gatekeeper: echoGatekeeper({ id: "one", canPublish: true }) }).start();
  const client = await begin(world);
  expect(client.transport.isPaused).toBe(false);
  world.clock.advance(11_000);
  expect(client.isClosed).toBe(true);
});

test("[MQTT-4.12.1-1] re-authentication while messages flow renews the rights", async () => {
  const identity = { id: "one", canPublish: true };
  const { world, client } = await admitted(identity);
  client.publish("t", "before", 1);
  expect(client.packets()).toMatchObject([{ type: "puback" }]);
  identity.canPublish = false;
  expect(await answer(client, auth(0x19, ""))).toMatchObject([{ type: "auth", reasonCode: 0x18 }]);
  client.publish("t", "during", 1);
  expect(client.packets()).not.toMatchObject([{ reasonCode: 0x87 }]);
  await answer(client, auth(0x18, "yes"));
  expect(await answer(client, auth(0x18, "yes"))).toMatchObject([
    { type: "auth", reasonCode: 0, properties: { authenticationMethod: method } },
  ]);
  client.publish("t", "after", 1);
  expect(client.packets()).toMatchObject([{ type: "puback", reasonCode: 0x87 }]);
  expect(world.bugs).toEqual([]);
});

test("[MQTT-4.12.1-2] a failed re-authentication ends the connection with DISCONNECT", async () => {
  const { client } = await admitted();
  await answer(client, auth(0x19, ""));
  expect(await answer(client, auth(0x18, "no"))).toMatchObject([{ type: "disconnect", reasonCode: 0x87 }]);
  expect(client.isClosed).toBe(true);
});

test("re-authentication cannot change who the client is", async () => {
  const identity = { id: "one", canPublish: true };
  const { client } = await admitted(identity);
  identity.id = "two";
  await answer(client, auth(0x19, ""));
  await answer(client, auth(0x18, "yes"));
  expect(await answer(client, auth(0x18, "yes"))).toMatchObject([{ type: "disconnect", reasonCode: 0x87 }]);
});

test("[MQTT-4.12.0-7] AUTH of a client without a method is a protocol error", async () => {
  const world = await new TestBroker().start();
  const client = world.open();
  await client.connect("one", { protocolVersion: 5 });
  expect(await answer(client, auth(0x19, ""))).toMatchObject([{ type: "disconnect", reasonCode: 0x82 }]);
});
