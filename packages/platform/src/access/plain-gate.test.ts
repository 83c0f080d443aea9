import { tokenConnect } from "@thingstead/dialects";
import { expect, test } from "vitest";
import type { MqttUser } from "../registry/index.ts";
import { connectPacket, facts, fakePorts } from "./fake-ports.ts";
import { createGatekeeper } from "./gatekeeper.ts";
import { defaultPlainSessionLimits } from "./limits.ts";
import { createAnonymousGate, createUserGate, createUserWatcher } from "./plain-gate.ts";

function gatekeeper() {
  const ports = fakePorts();
  return createGatekeeper({ ...ports, plain: createAnonymousGate({ grants: ports.grants, limits: defaultPlainSessionLimits }) });
}

test("a client of no cloud is let in with all of MQTT", async () => {
  const answer = await gatekeeper().connect(connectPacket({ clientId: "any", keepAliveSeconds: 0 }), facts);
  expect(answer).toMatchObject({
    sessionId: "plain//any",
    keepAliveSeconds: 0,
    subject: { kind: "client", dialect: "plain", clientId: "any" },
    behaviour: { qosMax: 2, retain: "store", will: "publish", sharedSubscriptions: true, deliveryQos: "minimum" },
  });
});

test("user name and password that look like a token but are none do not shut a client out", async () => {
  const packet = connectPacket({ clientId: "any", userName: "dev", password: Buffer.from("secret") });
  expect(await gatekeeper().connect(packet, facts)).toMatchObject({ sessionId: "plain//any" });
  expect(await createGatekeeper(fakePorts()).connect(packet, facts)).toMatchObject({ code: "access.token_invalid" });
});

test("a client that speaks a cloud's words is held to them", async () => {
  const { clientId, userName, password } = tokenConnect({ iotId: "iot1", iotToken: "wrong", clientId: "mac" });
  expect(await gatekeeper().connect(connectPacket({ clientId, userName, password: Buffer.from(password) }), facts)).toMatchObject({
    code: "access.token_invalid",
  });
});

const ada: MqttUser = { userName: "ada", description: "", rights: [{ filter: "home/#", operation: "ALL" }], createdAt: 0, modifiedAt: 0 };

function userGate(verify: (userName: string, password: Uint8Array) => Promise<MqttUser | undefined>) {
  const ports = fakePorts();
  const listeners: Parameters<Parameters<typeof createUserGate>[0]["users"]["onChange"]>[0][] = [];
  const users = { verify, onChange: (listener: (typeof listeners)[number]) => void listeners.push(listener) };
  const gate = createUserGate({ users, grants: ports.grants, limits: defaultPlainSessionLimits, onFailure: ports.onFailure });
  return {
    ports,
    users,
    gate,
    tell: (change: Parameters<(typeof listeners)[number]>[0]) => listeners.forEach((listener) => void listener(change)),
  };
}

const adaPacket = connectPacket({ clientId: "any", userName: "ada", password: Buffer.from("right") });

test("a user is let in by its password, with its rights, and others are refused with one code", async () => {
  const { gate } = userGate(async (userName, password) =>
    userName === "ada" && Buffer.from(password).toString() === "right" ? ada : undefined,
  );
  const answer = await gate.connect(adaPacket, facts);
  if (!("sessionId" in answer)) throw new Error("refused");
  expect(answer).toMatchObject({ sessionId: "plain/ada/any", subject: { kind: "client", userName: "ada", clientId: "any" } });
  expect(answer.rights.publish("home/lamp")).toMatchObject({ isRouted: true });
  expect(answer.rights.publish("office/lamp")).toMatchObject({ code: "access.topic_not_granted" });
  expect(answer.rights.subscribe("home/+", 2)).toEqual({ qos: 2 });
  for (const change of [
    { userName: "ada", password: Buffer.from("wrong") },
    { userName: "bob", password: Buffer.from("right") },
    { userName: "ada" },
    {},
  ]) {
    expect(await gate.connect(connectPacket({ clientId: "any", ...change }), facts)).toMatchObject({
      code: "access.user_credentials_wrong",
      returnCode: 5,
      reasonCode: 0x86,
    });
  }
});

test("changed rights hold for sessions that are there; a deleted user has none", async () => {
  const { gate, tell } = userGate(async () => ada);
  const answer = await gate.connect(adaPacket, facts);
  if (!("sessionId" in answer)) throw new Error("refused");
  tell({ kind: "rights", userName: "ada", rights: [{ filter: "office/#", operation: "PUB" }] });
  expect(answer.rights.publish("office/lamp")).toMatchObject({ isRouted: true });
  expect(answer.rights.publish("home/lamp")).toMatchObject({ code: "access.topic_not_granted" });
  tell({ kind: "deleted", userName: "ada" });
  expect(answer.rights.publish("office/lamp")).toMatchObject({ code: "access.topic_not_granted" });
});

test("a store that fails is not the client's fault", async () => {
  const { gate, ports } = userGate(async () => {
    throw new Error("disk");
  });
  expect(await gate.connect(adaPacket, facts)).toMatchObject({ code: "access.unavailable", returnCode: 3, reasonCode: 0x88 });
  expect(ports.failures).toHaveLength(1);
});

test("deleting cuts sessions now and once more; a new password cuts connections only; rights are asked anew", () => {
  const { users, tell, ports } = userGate(async () => ada);
  const calls: string[] = [];
  const broker = {
    sessionIdsOf: (prefix: string) => [`${prefix}one`],
    kick: (sessionId: string) => calls.push(`kick ${sessionId}`) > 0,
    endSession: (sessionId: string) => void calls.push(`end ${sessionId}`),
    forgetGrants: () => void calls.push("forget"),
  };
  createUserWatcher({ users, broker, clock: ports.clock, limits: { cutRecheckMilliseconds: 1_000 } });
  tell({ kind: "rights", userName: "ada", rights: [] });
  tell({ kind: "password", userName: "ada" });
  tell({ kind: "deleted", userName: "ada" });
  ports.clock.advance(1_000);
  expect(calls).toEqual(["forget", "kick plain/ada/one", "end plain/ada/one", "end plain/ada/one"]);
});
