import { tokenConnect } from "@thingstead/dialects";
import { expect, test } from "vitest";
import { connectPacket, facts, fakePorts } from "./fake-ports.ts";
import { createGatekeeper } from "./gatekeeper.ts";
import { defaultPlainSessionLimits } from "./limits.ts";
import { createAnonymousGate } from "./plain-gate.ts";

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
