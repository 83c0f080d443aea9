import { describe, expect, test } from "vitest";
import vectors from "../../../../conformance/alibaba/signatures.json" with { type: "json" };
import type { TransportFacts } from "../dialect.ts";
import { alibabaDialect as dialect } from "./alibaba.ts";
import {
  alibabaRegistration,
  deviceTokenConnect,
  readRegistrationAnswer,
  registrationConnect,
  registrationTopics,
  signRegistration,
} from "./registration.ts";
import { deviceOfTopic } from "./topic-device.ts";

const secure: TransportFacts = { isSecure: true, carrier: "tcp" };
const wire = ({ clientId, userName, password }: { clientId: string; userName: string; password: string }) => ({
  protocolVersion: 4 as const,
  clientId,
  userName,
  password: Buffer.from(password),
  keepAliveSeconds: 60,
  isCleanStart: true,
});

describe("2.5 over HTTPS", () => {
  test.each(vectors.vectors.filter(({ use }) => use === "registration"))("$id", ({ fields, method, secret, signature, text }) => {
    const claim = alibabaRegistration.read({ ...(fields as object), sign: signature.toUpperCase(), signMethod: method });
    if (claim.kind !== "registration") throw new Error(claim.code);
    expect(claim).toMatchObject({ mode: "known", signedText: text });
    expect(alibabaRegistration.verify(claim, secret)).toEqual({ kind: "verified" });
    expect(alibabaRegistration.verify(claim, "other")).toMatchObject({ code: "access.registration_signature", expected: text });
  });

  test("what the device writes, the platform reads", () => {
    const form = signRegistration({ productKey: "pk", deviceName: "dev1", productSecret: "ps", random: "567345" });
    const claim = alibabaRegistration.read(form);
    expect(claim.kind === "registration" && alibabaRegistration.verify(claim, "ps")).toEqual({ kind: "verified" });
    for (const name of ["productKey", "deviceName", "random", "sign"]) {
      expect(alibabaRegistration.read({ ...form, [name]: "" })).toMatchObject({ code: "access.parameter_missing" });
    }
    expect(alibabaRegistration.read({ ...form, signMethod: "md4" })).toMatchObject({ code: "access.sign_method_unknown" });
    expect(alibabaRegistration.read({ ...form, deviceName: "a/b" })).toMatchObject({ code: "access.parameter_malformed" });
  });

  test("the answer is compact, in order and fits into 256 bytes with the longest values", () => {
    const names = { productKey: "p".repeat(20), deviceName: "d".repeat(32) };
    const text = JSON.stringify(alibabaRegistration.grant({ ...names, deviceSecret: "s".repeat(64) }));
    expect(text).toMatch(/^\{"code":200,"data":\{"productKey":"p+","deviceName":"d+","deviceSecret":"s+"\},"message":"success"\}$/);
    expect(text.length).toBeLessThanOrEqual(256);
    expect(alibabaRegistration.refuse("access.registration_closed")).toMatchObject({ code: 6288 });
    expect(alibabaRegistration.refuse("anything else")).toMatchObject({ code: 500 });
  });

  test("2.9 where to connect fits into 192 bytes", () => {
    const text = JSON.stringify(alibabaRegistration.bootstrap({ host: "h".repeat(64), port: 65535 }));
    expect(text).toContain('"code":200');
    expect(text).toContain(`"host":"${"h".repeat(64)}","port":65535`);
    expect(text.length).toBeLessThanOrEqual(192);
  });
});

describe("2.6 over MQTT", () => {
  const options = { productKey: "pk", deviceName: "dev1", productSecret: "ps", random: "r1" };

  test.each([
    ["register", "known"],
    ["regnwl", "self"],
  ] as const)("%s", (authType, mode) => {
    const claim = dialect.identify(wire(registrationConnect({ ...options, authType })), secure);
    expect(claim).toMatchObject({ kind: "registration", mode, productKey: "pk", deviceName: "dev1" });
    expect(claim.kind === "registration" && alibabaRegistration.verify(claim, "ps")).toEqual({ kind: "verified" });
    const plain = dialect.identify(wire(registrationConnect({ ...options, authType })), { ...secure, isSecure: false });
    expect(plain).toMatchObject({ code: "access.registration_insecure" });
    expect(dialect.refusalCodes("access.registration_insecure").returnCode).toBe(2);
    expect(dialect.refusalCodes("access.registration_signature").returnCode).toBe(4);
  });

  test.each(["connwl", "regnwl"])("a token comes with authType=%s; so does one with securemode=-2 alone", (authType) => {
    const credentials = deviceTokenConnect({ productKey: "pk", deviceName: "dev1", clientId: "c1", deviceToken: "tok" });
    for (const clientId of [credentials.clientId.replace("connwl", authType), "c1|securemode=-2,_ss=1|"]) {
      expect(dialect.identify(wire({ ...credentials, clientId }), secure)).toMatchObject({
        kind: "device-token",
        clientMark: "c1",
        token: "tok",
      });
    }
  });

  test.each([
    ["x|authType=register,securemode=2,signmethod=hmacsha256|", "access.client_id_malformed"],
    ["x|authType=register,random=1,signmethod=md4|", "access.sign_method_unknown"],
  ])("%s is refused", (clientId, code) => {
    expect(dialect.identify(wire({ clientId, userName: "dev1&pk", password: "s" }), secure)).toMatchObject({ code });
    expect(dialect.refusalCodes(code).returnCode).toBe(2);
  });

  test("the pushed answers are read back", () => {
    const secret = alibabaRegistration.announceSecret({ productKey: "pk", deviceName: "dev1", deviceSecret: "s" });
    expect(readRegistrationAnswer(secret.topic, secret.payload)).toMatchObject({ kind: "secret", deviceSecret: "s" });
    const token = alibabaRegistration.announceToken({ productKey: "pk", deviceName: "dev1", clientId: "c", deviceToken: "t" });
    expect(token.topic).toBe(registrationTopics.token);
    expect(readRegistrationAnswer(token.topic, token.payload)).toMatchObject({ kind: "token", clientId: "c", deviceToken: "t" });
    for (const text of ["", "null", "[]", "{}"]) expect(readRegistrationAnswer(token.topic, Buffer.from(text))).toBeUndefined();
  });
});

test.each([
  ["/sys/pk/dev1/thing/event/property/post", "pk/dev1"],
  ["/ext/session/pk/dev1/combine/login", "pk/dev1"],
  ["/ext/rrpc/12/pk/dev1/user/x", "pk/dev1"],
  ["/ota/device/inform/pk/dev1", "pk/dev1"],
  ["/shadow/get/pk/dev1", "pk/dev1"],
  ["/pk/dev1/user/get", "pk/dev1"],
  ["/sys/pk/+/thing", undefined],
  ["nothing", undefined],
])("%s is a topic of %s", (topic, owner) => {
  const names = deviceOfTopic(topic);
  expect(names && `${names.productKey}/${names.deviceName}`).toBe(owner);
});
