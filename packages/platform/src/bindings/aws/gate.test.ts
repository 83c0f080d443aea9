import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { isThingClientSubject } from "../../access/index.ts";
import { settle } from "../../fake-clock.ts";
import { account, createGateWorld, everything, factsOf, policyOf } from "./testing/gate-world.ts";

const thing = { name: "c1", id: "uuid", attributes: {}, version: 1, createdAt: 0, isExclusive: false };

describe("who is an AWS client", () => {
  test.each([
    ["nothing points to the vendor", {}, factsOf(), "next"],
    ["a certificate that nobody knows", {}, factsOf("unknown"), "next"],
    [
      "a certificate that nobody knows, by a host of the vendor's",
      {},
      factsOf("unknown", { serverName: "x.iot.us-east-2.amazonaws.com" }),
      "access.certificate_unregistered",
    ],
    [
      "a host of the vendor's, no credentials",
      {},
      factsOf(undefined, { serverName: "x.iot.us-east-2.amazonaws.com" }),
      "access.credentials_missing",
    ],
    [
      "our own host for these clients, no credentials",
      {},
      factsOf(undefined, { serverName: "iot.example.com" }),
      "access.credentials_missing",
    ],
    ["ALPN of certificates, no certificate", {}, factsOf(undefined, { alpn: "x-amzn-mqtt-ca" }), "access.credentials_missing"],
    ["an authorizer in the user name", { userName: "u?x-amz-customauthorizer-name=a" }, factsOf(), "access.authorizer_unknown"],
    ["metrics of an SDK in the user name", { userName: "?SDK=JavaScript&Version=2" }, factsOf(), "next"],
    [
      "a signed WebSocket",
      {},
      { ...factsOf(), upgrade: { target: "/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=x", headers: { host: "h" } } },
      "access.request_signature",
    ],
    [
      "a signed WebSocket on another path",
      {},
      { ...factsOf(), upgrade: { target: "/other?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=x", headers: { host: "h" } } },
      "next",
    ],
  ])("%s", async (_, packet, facts, code) => {
    const { connect } = createGateWorld();
    expect(await connect(packet, facts)).toMatchObject({ code });
  });

  test("[AWS 1] with a certificate user name and password do not matter", async () => {
    const { admit } = createGateWorld();
    const admission = await admit({ userName: "espressif", password: Buffer.from("1234567890") });
    expect(admission).toMatchObject({ sessionId: "aws/client/c1", keepAliveSeconds: 60, behaviour: { qosMax: 1 } });
  });
});

describe("refusals", () => {
  test.each([
    ["INACTIVE", { status: "INACTIVE" as const }, {}, "access.certificate_inactive", 5, 0x87],
    ["REVOKED", { status: "REVOKED" as const }, {}, "access.certificate_inactive", 5, 0x87],
    ["expired", { notAfter: 1 }, {}, "access.certificate_expired", 5, 0x87],
    ["SNI_ONLY without a name", { mode: "SNI_ONLY" as const }, {}, "access.server_name_missing", 5, 0x87],
    ["MQTT 3.1", {}, { protocolVersion: 3 as const }, "access.protocol_level", 1, 0x84],
    ["a wildcard in the client id", {}, { clientId: "a#" }, "access.client_id_malformed", 2, 0x85],
  ])("[AWS 3.2, 6.1] %s", async (_, certificate, packet, code, returnCode, reasonCode) => {
    const { connect, addCertificate } = createGateWorld();
    addCertificate("c", certificate);
    expect(await connect(packet)).toMatchObject({ code, returnCode, reasonCode });
  });

  test("[AWS 5.6] a denied CONNECT is told, silent by setting, and an event", async () => {
    for (const [deniedConnect, protocolVersion, isSilent] of [
      ["connack-5", 4, undefined],
      ["close", 4, true],
      ["close", 5, undefined],
    ] as const) {
      const { connect, addCertificate, failedConnects } = createGateWorld({ deniedConnect });
      addCertificate("c", {}, { policies: [] });
      const answer = await connect({ protocolVersion });
      expect(answer).toMatchObject({ code: "access.policy_denied", returnCode: 5, reasonCode: 0x87 });
      expect("isSilent" in answer ? answer.isSilent : undefined).toBe(isSilent);
      expect(failedConnects).toEqual(["c1"]);
    }
  });

  test("[AWS 6.5] the will is judged as a publish, and as a retained one", async () => {
    const { connect, addCertificate } = createGateWorld();
    const allowed = { Effect: "Allow", Action: ["iot:Connect", "iot:Publish"], Resource: "*" };
    addCertificate(
      "c",
      {},
      { policies: [policyOf(allowed, { Effect: "Deny", Action: "iot:Publish", Resource: "arn:aws:iot:*:*:topic/no" })] },
    );
    const will = (topic: string, isRetained = false) => ({ will: { topic, payload: Buffer.from("x"), qos: 1 as const, isRetained } });
    expect(await connect(will("yes"))).toMatchObject({ sessionId: "aws/client/c1" });
    expect(await connect(will("no"))).toMatchObject({ code: "access.policy_denied" });
    expect(await connect(will("yes", true))).toMatchObject({ code: "access.policy_denied" });
    expect(await connect({ ...will("$bad"), protocolVersion: 5 })).toMatchObject({ code: "access.topic_reserved", reasonCode: 0x90 });
  });

  test("a store that fails is not the client's fault", async () => {
    const { connect, hooks, failures } = createGateWorld();
    hooks.beforeFacts = () => {
      throw new Error("disk");
    };
    expect(await connect()).toMatchObject({ code: "access.unavailable", returnCode: 3, reasonCode: 0x88 });
    expect(failures).toHaveLength(1);
  });
});

test("the thing is the client's only when its certificate is attached", async () => {
  const { admit, addCertificate, disabled, connect } = createGateWorld();
  for (const isAttached of [true, false]) {
    addCertificate("c", {}, { policies: [everything], thing: { ...thing, isAttached } });
    const { subject } = await admit();
    if (!isThingClientSubject(subject)) throw new Error("another kind of subject");
    expect(subject.device?.deviceName).toBe(isAttached ? "c1" : undefined);
  }
  addCertificate("c", {}, { policies: [everything], thing: { ...thing, isAttached: true } });
  disabled.add("c1");
  expect(await connect()).toMatchObject({ code: "access.device_disabled" });
});

describe("what is taken away", () => {
  test("[AWS 3.2] a certificate deactivated while its client was being checked does not let it in", async () => {
    const { connect, addCertificate, hooks } = createGateWorld();
    hooks.beforeFacts = () => addCertificate("c", { status: "REVOKED" });
    expect(await connect()).toMatchObject({ code: "access.certificate_inactive" });
  });

  test("its sessions are cut, also one that was admitted just before and opened just after", async () => {
    const { admit, open, kicks, tellFleet, addCertificate, clock } = createGateWorld();
    open(await admit());
    const late = await admit({ clientId: "late" });
    addCertificate("c", { status: "INACTIVE" });
    tellFleet({ kind: "certificate.status", certificateId: "c", status: "INACTIVE" });
    expect(kicks).toEqual([{ sessionId: "aws/client/c1", code: "access.certificate_inactive" }]);
    open(late);
    await clock.pass(2_000);
    expect(kicks.at(-1)).toEqual({ sessionId: "aws/client/late", code: "access.certificate_inactive" });
  });

  test("one that is active again by then is left alone", async () => {
    const { admit, open, kicks, tellFleet, clock } = createGateWorld();
    tellFleet({ kind: "certificate.status", certificateId: "c", status: "INACTIVE" });
    open(await admit());
    await clock.pass(2_000);
    expect(kicks).toEqual([]);
  });

  test("sessions of others, and those that are gone, are not touched", async () => {
    const { admit, open, kicks, tellFleet, addCertificate } = createGateWorld();
    addCertificate("other");
    open(await admit({}, factsOf("other")));
    open(await admit({ clientId: "gone" })).close();
    tellFleet({ kind: "certificate.status", certificateId: "c", status: "REVOKED" });
    expect(kicks).toEqual([]);
  });

  test("[AWS 5.1] rights are looked up anew when permissions change", async () => {
    const { admit, open, tellFleet, addCertificate, forgotten } = createGateWorld();
    const admission = await admit();
    open(admission);
    expect(admission.rights.publish("a")).toMatchObject({ isRouted: true });
    addCertificate("c", {}, { policies: [] });
    tellFleet({ kind: "permissions", certificateId: "c" });
    await settle();
    expect(forgotten).toEqual(["aws/client/c1"]);
    expect(admission.rights.publish("a")).toMatchObject({ code: "access.policy_denied", reasonCode: 0x87 });
  });

  test("also of a client that was being admitted at that moment", async () => {
    const { admit, open, tellFleet, addCertificate } = createGateWorld();
    const admission = await admit();
    addCertificate("c", {}, { policies: [] });
    tellFleet({ kind: "permissions" });
    open(admission);
    await settle();
    expect(admission.rights.publish("a")).toMatchObject({ code: "access.policy_denied" });
  });

  test("a disabled thing's client is cut", async () => {
    const { admit, open, addCertificate, tellRegistry, kicks } = createGateWorld();
    addCertificate("c", {}, { policies: [everything], thing: { ...thing, isAttached: true } });
    open(await admit());
    tellRegistry("other");
    expect(kicks).toEqual([]);
    tellRegistry("c1");
    expect(kicks).toEqual([{ sessionId: "aws/client/c1", code: "access.device_disabled" }]);
  });
});

describe("authorizers", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const times = { createdAt: 0, modifiedAt: 0, isCachedForHttp: true };
  const answer = (change: object = {}) => ({
    status: 200,
    body: JSON.stringify({
      isAuthenticated: true,
      principalId: "user1",
      policyDocuments: [everything.document],
      disconnectAfterInSeconds: 400,
      refreshAfterInSeconds: 300,
      ...change,
    }),
  });
  function world() {
    const made = createGateWorld();
    made.authorizers.set("open", { name: "open", functionArn: "http://a/", isActive: true, ...times });
    made.authorizers.set("off", { name: "off", functionArn: "http://a/", isActive: false, ...times });
    const publicKeys = { bad: "no key", one: publicKey.export({ type: "spki", format: "pem" }).toString() };
    made.authorizers.set("signed", {
      name: "signed",
      functionArn: "http://s/",
      isActive: true,
      signing: { tokenKeyName: "t", publicKeys },
      ...times,
    });
    made.webhook.answer = answer();
    return made;
  }
  const by = (name: string, more = "") => ({ userName: `ada?x-amz-customauthorizer-name=${name}${more}`, password: Buffer.from("pw") });

  test("[AWS 2.2] is asked with what the client said, and its answer decides how long", async () => {
    const { admit, open, asked, kicks, clock } = world();
    const admission = await admit(by("open"), factsOf());
    expect(admission.subject).toMatchObject({ principal: { kind: "authorizer", name: "open", id: "user1" } });
    const [question = ""] = asked;
    expect(JSON.parse(question.slice("http://a/ ".length))).toMatchObject({
      signatureVerified: false,
      protocols: ["tls", "mqtt"],
      protocolData: { mqtt: { username: by("open").userName, password: "cHc=", clientId: "c1" } },
    });
    open(admission);
    await clock.pass(300_000);
    expect(asked).toHaveLength(2);
    expect(kicks).toEqual([]);
    await clock.pass(100_000);
    expect(kicks).toEqual([{ sessionId: "aws/client/c1", code: "access.connection_lifetime" }]);
  });

  test("who is refused at a later question is cut", async () => {
    const { admit, open, webhook, kicks, clock } = world();
    open(await admit(by("open"), factsOf()));
    webhook.answer = answer({ isAuthenticated: false });
    await clock.pass(300_000);
    expect(kicks).toEqual([{ sessionId: "aws/client/c1", code: "access.authorizer_refused" }]);
  });

  test.each([
    ["off", "", answer(), "access.authorizer_unknown"],
    ["open", "", answer({ isAuthenticated: false }), "access.authorizer_refused"],
    ["open", "", answer({ principalId: "with blank" }), "access.authorizer_failed"],
    ["open", "", { status: 200, body: "<html>" }, "access.authorizer_failed"],
    ["open", "", { code: "rules.webhook_timeout" }, "access.authorizer_failed"],
    ["open", "", answer({ policyDocuments: [] }), "access.policy_denied"],
    ["open", "", answer({ policyDocuments: ["{"] }), "access.policy_denied"],
    ["signed", "", answer(), "access.authorizer_token"],
    ["signed", "&t=good", answer(), "access.authorizer_token"],
    ["signed", "&t=good&x-amz-customauthorizer-signature=AAAA", answer(), "access.authorizer_token"],
  ])("[AWS 2.2] %s%s: %j gives %s", async (name, more, reply, code) => {
    const { connect, webhook } = world();
    webhook.answer = reply;
    expect(await connect(by(name, more), factsOf())).toMatchObject({ code, returnCode: 5 });
  });

  test("a signed token is checked before anybody is asked", async () => {
    const { admit, asked } = world();
    const signature = encodeURIComponent(sign("RSA-SHA256", Buffer.from("good"), privateKey).toString("base64"));
    await admit(by("signed", `&t=good&x-amz-customauthorizer-signature=${signature}`), factsOf());
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain('"signatureVerified":true');
  });
});

test("[AWS 5.4] policies with variables are compiled for each connection", async () => {
  const { admit, addCertificate } = createGateWorld();
  const varies = {
    policies: [policyOf({ Effect: "Allow", Action: "iot:*", Resource: `arn:aws:iot:${account.region}:*:*/\${iot:ClientId}` })],
  };
  addCertificate("c", {}, varies);
  const [one, two] = [await admit({ clientId: "one" }), await admit({ clientId: "two" })];
  expect(one.rights.publish("one")).toMatchObject({ isRouted: true });
  expect(one.rights.publish("two")).toMatchObject({ code: "access.policy_denied" });
  expect(two.rights.publish("two")).toMatchObject({ isRouted: true });
});
