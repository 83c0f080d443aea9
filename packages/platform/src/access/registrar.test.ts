import { alibabaRegistration as dialect, registrationConnect, signRegistration } from "@thingstead/dialects";
import { expect, test } from "vitest";
import { connectPacket, device, facts, fakePorts, product } from "./fake-ports.ts";
import { createGatekeeper } from "./gatekeeper.ts";
import { defaultAccessLimits } from "./limits.ts";
import { createRegistrationSessions } from "./registration-sessions.ts";
import { hashToken } from "./token-hash.ts";

const secure = { ...facts, tls: { version: "TLSv1.3", cipher: "x" } };

function ask(ports: ReturnType<typeof fakePorts>, change: Record<string, string> = {}, isSecure = true) {
  const fields = { ...signRegistration({ productKey: "pk", deviceName: "dev1", productSecret: "psecret", random: "1" }), ...change };
  return ports.registrar.answer(dialect, { fields, remoteAddress: "192.0.2.7", isSecure });
}

test.each([
  ["the switch is off", {}, {}, {}, 6288],
  ["no such product", { productKey: "other" }, {}, {}, 6250],
  ["a wrong signature, told before anything about the device", {}, {}, { sign: "00" }, 6600],
  ["no such device", { isRegistrationOpen: true }, { deviceName: "dev2" }, {}, 6100],
  ["it has connected before", { isRegistrationOpen: true }, { activatedAt: 1 }, {}, 6289],
  ["it is disabled", { isRegistrationOpen: true }, { isEnabled: false }, {}, 6204],
  ["an unknown method", { isRegistrationOpen: true }, {}, { signMethod: "md4" }, 6292],
  ["a field is missing", { isRegistrationOpen: true }, {}, { random: "" }, 460],
  ["a form that is too large", { isRegistrationOpen: true }, {}, { more: "x".repeat(5000) }, 460],
  ["certificates are asked for", { isRegistrationOpen: true, authType: "x509" as const }, {}, {}, 6200],
])("2.5 %s", async (_name, ofProduct, ofDevice, fields, code) => {
  const ports = fakePorts();
  ports.registry.products = [product(ofProduct)];
  ports.registry.devices = [device(ofDevice)];
  expect((await ask(ports, fields)).body).toMatchObject({ code });
  expect(ports.deviceLog.entries.at(-1)).toMatchObject({ kind: "auth", isSuccess: false });
  expect(JSON.stringify(ports.deviceLog.entries)).not.toContain("psecret");
  expect(ports.registry.devices[0]?.deviceSecret).toBe("secret");
});

test("2.5 a secret is handed out once more until the device connects; over plain HTTP never", async () => {
  const ports = fakePorts();
  ports.registry.products = [product({ isRegistrationOpen: true })];
  expect((await ask(ports, {}, false)).body).toMatchObject({ code: 460 });
  expect((await ask(ports)).body).toEqual(dialect.grant({ productKey: "pk", deviceName: "dev1", deviceSecret: "secret+" }));
  expect((await ask(ports)).body).toMatchObject({ data: { deviceSecret: "secret++" } });
  ports.registry.failure = new Error("disk");
  expect((await ask(ports)).body).toMatchObject({ code: 500 });
  expect(ports.failures).toHaveLength(1);
});

test("2.6 a connection that registers is given the secret unsubscribed, may nothing else and ends after 15 s", async () => {
  const ports = fakePorts();
  ports.registry.products = [product({ isRegistrationOpen: true })];
  const credentials = registrationConnect({
    productKey: "pk",
    deviceName: "dev1",
    productSecret: "psecret",
    random: "1",
    authType: "register",
  });
  const packet = connectPacket({ ...credentials, password: Buffer.from(credentials.password), keepAliveSeconds: 1 });
  const admission = await createGatekeeper(ports).connect(packet, secure);
  if ("code" in admission) throw new Error(admission.code);
  expect(admission).toMatchObject({ keepAliveSeconds: 0, behaviour: { sessionExpirySecondsMax: 0 } });
  expect(admission.rights.publish("/pk/dev1/update")).toMatchObject({ code: "access.registration_session" });
  expect(admission.rights.subscribe("/ext/register", 0)).toMatchObject({ code: "access.registration_session" });
  const calls: unknown[] = [];
  const sessions = createRegistrationSessions({
    broker: () => ({
      deliver: (sessionId, { topic, payload, qos }) => {
        calls.push([sessionId, topic, Buffer.from(payload).toString(), qos]);
        return "delivered";
      },
      endSession: (sessionId) => calls.push(["end", sessionId]),
    }),
    clock: ports.clock,
    limits: defaultAccessLimits,
  });
  const { sessionId, subject } = admission;
  sessions.connected?.({ sessionId, subject, facts, clientId: "c", protocolVersion: 4, keepAliveSeconds: 0, isSessionPresent: false });
  const body = '{"productKey":"pk","deviceName":"dev1","deviceSecret":"secret+"}';
  expect(calls).toEqual([[sessionId, "/ext/register", body, 0]]);
  ports.clock.advance(14_999);
  expect(calls).toHaveLength(1);
  ports.clock.advance(1);
  expect(calls.at(-1)).toEqual(["end", sessionId]);
});

test("2.6 a device registers itself where that is allowed; tokens are kept as hashes; one with a secret in use is not taken over", async () => {
  const ports = fakePorts();
  const claim = (deviceName: string) => {
    const { sign, ...fields } = signRegistration({ productKey: "pk", deviceName, productSecret: "psecret", random: "1" });
    const read = dialect.read({ ...fields, sign: sign ?? "" });
    if (read.kind === "refused") throw new Error(read.code);
    return { ...read, mode: "self" as const };
  };
  ports.registry.products = [product({ isRegistrationOpen: true })];
  expect(await ports.registrar.register(dialect, claim("new1"), "")).toMatchObject({ code: "access.registration_closed" });
  ports.registry.products = [product({ isSelfRegistrationOpen: true })];
  const registered = await ports.registrar.register(dialect, claim("new1"), "");
  if (registered.kind !== "token") throw new Error(registered.kind);
  expect(ports.deviceTokens.rows).toMatchObject([{ clientId: registered.clientId, tokenHash: hashToken(registered.deviceToken) }]);
  ports.registry.devices = [device({ deviceName: "dev1", activatedAt: 1 })];
  expect(await ports.registrar.register(dialect, claim("dev1"), "")).toMatchObject({ code: "access.registration_activated" });
});
