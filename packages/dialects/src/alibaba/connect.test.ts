import fc from "fast-check";
import { describe, expect, test } from "vitest";
import vectors from "../../../../conformance/alibaba/signatures.json" with { type: "json" };
import type { ConnectRequest, TransportFacts } from "../dialect.ts";
import { alibabaDialect as dialect } from "./alibaba.ts";
import { signConnect, tokenConnect } from "./connect.ts";
import { preAuthContent, signPreAuth } from "./pre-auth.ts";
import { connectText, readSignMethod, sign, signedText } from "./signing.ts";

const plain: TransportFacts = { isSecure: false, carrier: "tcp" };
const secure: TransportFacts = { isSecure: true, carrier: "tcp" };

function request(clientId: string, userName?: string, password?: string): ConnectRequest {
  return {
    protocolVersion: 4,
    clientId,
    keepAliveSeconds: 60,
    isCleanStart: true,
    ...(userName === undefined ? {} : { userName }),
    ...(password === undefined ? {} : { password: Buffer.from(password) }),
  };
}

function check(wire: ConnectRequest, secret: string, transport = plain) {
  const claim = dialect.identify(wire, transport);
  return claim.kind === "device-signature" ? dialect.verify(claim, secret) : claim;
}

describe("signature vectors (2.2)", () => {
  test("all of V0 to V16 are there", () => {
    expect(vectors.vectors.map(({ id }) => id)).toEqual(Array.from({ length: 17 }, (_, index) => `V${index}`));
  });

  test.each(vectors.vectors)("$id $use $method", (vector) => {
    const method = readSignMethod(vector.method);
    if (method === undefined) throw new Error(`method ${vector.method}`);
    const fields = Object.entries(vector.fields).map(([name, value]) => [name, String(value)] as const);
    expect(signedText(fields)).toBe(vector.text);
    expect(sign(method, vector.secret, vector.text)).toBe(vector.signature.toLowerCase());
  });

  test.each(vectors.vectors.filter(({ use }) => use === "connect"))("$id connects, in any letter case", (vector) => {
    const { clientId = "", deviceName, productKey, timestamp } = vector.fields;
    const extension = `securemode=3,signmethod=${vector.method.toUpperCase()}${timestamp === undefined ? "" : `,timestamp=${timestamp}`}`;
    for (const password of [vector.signature.toLowerCase(), vector.signature.toUpperCase()]) {
      const wire = request(`${clientId}|${extension}|`, `${deviceName}&${productKey}`, password);
      expect(check(wire, vector.secret)).toEqual({ kind: "verified" });
      expect(check(wire, `${vector.secret}x`)).toMatchObject({ code: "access.signature_mismatch", expected: vector.text });
    }
  });

  test.each(vectors.vectors.filter(({ use }) => use === "pre-auth"))("$id pre-authenticates", (vector) => {
    const fields = { ...(vector.fields as Record<string, string>), sign: vector.signature, version: "default", resouces: "mqtt" };
    const withMethod = vector.method === "hmacmd5" ? fields : { ...fields, signmethod: vector.method };
    expect(preAuthContent(withMethod)).toBe(vector.text);
    const claim = dialect.preAuth?.read(withMethod);
    if (claim?.kind !== "pre-auth") throw new Error(JSON.stringify(claim));
    expect(dialect.preAuth?.verify(claim, vector.secret)).toEqual({ kind: "verified" });
    expect(dialect.preAuth?.verify(claim, "other")).toMatchObject({ code: "access.signature_mismatch", expected: vector.text });
  });
});

describe("signatures of real clients", () => {
  const names = { clientId: "pk&dev1_aliyun-iot-device-sdk-js", deviceName: "dev1", productKey: "pk", timestamp: "1611111111111" };

  test("field notes: Node SDK 1.0.1 signs the base and the time stamp without the white space around them", () => {
    const clientId = `${names.clientId}|securemode=3,\n        signmethod=hmacsha1,\n        timestamp=${names.timestamp}|`;
    expect(check(request(clientId, "dev1&pk", sign("hmacsha1", "s", connectText(names))), "s")).toEqual({ kind: "verified" });
  });

  test("2.1 an absent signmethod means hmacmd5", () => {
    const text = connectText({ clientId: "x", deviceName: "dev1", productKey: "pk" });
    expect(check(request("x|securemode=3|", "dev1&pk", sign("hmacmd5", "s", text)), "s")).toEqual({ kind: "verified" });
  });

  test.each(["Sha256", "hmacSha256", "HMACSHA256", "sha256"])("signmethod %s is HMAC-SHA256", (name) => {
    const text = connectText({ clientId: "x", deviceName: "dev1", productKey: "pk" });
    const wire = request(`x|securemode=2,signmethod=${name}|`, "dev1&pk", sign("hmacsha256", "s", text));
    expect(check(wire, "s", secure)).toEqual({ kind: "verified" });
  });
});

describe("what a refusal tells", () => {
  const text = connectText({ clientId: "x", deviceName: "dev1", productKey: "pk", timestamp: "7" });
  const clientId = "x|securemode=3,signmethod=hmacsha1,timestamp=7|";

  test("the signed text and the received form, never the key or the right signature", () => {
    const secret = "TopSecretOfTheDevice";
    const refusal = check(request(clientId, "dev1&pk", "00".repeat(20)), secret);
    expect(refusal).toMatchObject({ code: "access.signature_mismatch", expected: text });
    expect(JSON.stringify(refusal)).toContain("hmacsha1 signature of 40 characters: 0000");
    expect(JSON.stringify(refusal)).not.toContain(secret);
    expect(JSON.stringify(refusal)).not.toContain(sign("hmacsha1", secret, text));
  });

  test.each([
    ["signed without timestamp", sign("hmacsha1", "s", connectText({ clientId: "x", deviceName: "dev1", productKey: "pk" }))],
    ["made with hmacsha256", sign("hmacsha256", "s", text)],
  ])("hint: %s", (hint, password) => {
    expect(check(request(clientId, "dev1&pk", password), "s")).toMatchObject({ received: expect.stringContaining(`hint: ${hint}`) });
  });

  test("a password that is no signature is not repeated", () => {
    expect(JSON.stringify(check(request(clientId, "dev1&pk", "my own password"), "s"))).not.toContain("my own password");
  });
});

describe("secure modes (2.3)", () => {
  test.each(["1", "4", "5", "7", "8", "x", ""])("securemode=%s is refused", (mode) => {
    expect(dialect.identify(request(`x|securemode=${mode}|`, "dev1&pk", "p"), plain)).toMatchObject({
      code: "access.secure_mode_unsupported",
    });
  });

  test.each(["2", "3"])("securemode=%s is a signature on either transport; the wrong one is remarked", (mode) => {
    for (const transport of [plain, secure]) {
      const claim = dialect.identify(request(`x|securemode=${mode}|`, "dev1&pk", "p"), transport);
      const isRight = transport.isSecure === (mode === "2");
      expect(claim.kind).toBe("device-signature");
      expect(claim.kind === "device-signature" && claim.remarks?.[0]?.code).toBe(isRight ? undefined : "access.secure_mode_differs");
    }
  });

  test.each(["-1", "0"])("securemode=%s is a token", (mode) => {
    expect(dialect.identify(request(`x|securemode=${mode},gw=0|`, "IotId1", "tok"), plain)).toMatchObject({
      kind: "token",
      iotId: "IotId1",
      token: "tok",
      clientMark: "x",
    });
  });
});

describe("who it is", () => {
  test("no extension and no & in the user name is a token", () => {
    expect(dialect.identify(request("18fe34ed87fc", "42Ze0mk3556498a1AlTP", "t"), plain).kind).toBe("token");
  });

  test.each([[request("any-client")], [request("any-client", "user@example.org", "p")], [request("x".repeat(200))]])(
    "clients of other dialects are left to them",
    (wire) => {
      expect(dialect.identify(wire, plain)).toEqual({ kind: "notMine" });
    },
  );

  test.each([
    ["no& blank", "access.user_name_malformed"],
    ["&pk", "access.user_name_malformed"],
    ["dev1&pk&x", "access.user_name_malformed"],
    ["dev/1&pk", "access.user_name_malformed"],
  ])("user name %s is refused", (userName, code) => {
    expect(dialect.identify(request("x|securemode=3|", userName, "p"), plain)).toMatchObject({ code });
  });

  test("a missing password is named", () => {
    expect(dialect.identify(request("x|securemode=3|", "dev1&pk"), plain)).toMatchObject({ code: "access.password_missing" });
  });

  test("an unknown signmethod is refused with the known ones", () => {
    expect(dialect.identify(request("x|securemode=3,signmethod=rsa|", "dev1&pk", "p"), plain)).toMatchObject({
      code: "access.sign_method_unknown",
      expected: "hmacmd5, hmacsha1, hmacsha256",
    });
  });
});

test("anything at all is answered, never thrown at", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."|=,&-0123 securemodtiph\n") }));
  fc.assert(
    fc.property(text, fc.option(text), fc.option(text), (clientId, userName, password) => {
      const wire = request(clientId, userName ?? undefined, password ?? undefined);
      expect(["verified", "refused", "notMine", "token"]).toContain(check(wire, "secret").kind);
    }),
    { numRuns: 500 },
  );
});

test("what signConnect writes always verifies, and with no other secret", () => {
  fc.assert(
    fc.property(
      fc.record(
        {
          productKey: fc.stringMatching(/^[A-Za-z0-9]{1,20}$/),
          deviceName: fc.stringMatching(/^[A-Za-z0-9_@.:-]{4,32}$/),
          deviceSecret: fc.stringMatching(/^[A-Za-z0-9]{1,64}$/),
          clientId: fc.stringMatching(/^[A-Za-z0-9.&_-]{0,64}$/),
          signMethod: fc.constantFrom("hmacmd5" as const, "hmacsha1" as const, "hmacsha256" as const),
          timestamp: fc.stringMatching(/^[0-9]{0,13}$/),
          secureMode: fc.constantFrom(2 as const, 3 as const),
          parameters: fc.constantFrom<Record<string, string>>({}, { lan: "JS|Ali", _v: "1.2.8" }, { ext: "0", gw: "1" }),
        },
        { requiredKeys: ["productKey", "deviceName", "deviceSecret", "secureMode"] },
      ),
      (options) => {
        const { clientId, userName, password } = signConnect(options);
        expect(check(request(clientId, userName, password), options.deviceSecret)).toEqual({ kind: "verified" });
        expect(check(request(clientId, userName, password), `${options.deviceSecret}.`).kind).toBe("refused");
      },
    ),
  );
});

test("2.4 tokenConnect is read as a token", () => {
  const { clientId, userName, password } = tokenConnect({ iotId: "abc", iotToken: "0d7f", clientId: "mac", secureMode: 0 });
  expect(dialect.identify(request(clientId, userName, password), plain)).toMatchObject({ kind: "token", iotId: "abc", token: "0d7f" });
});

describe("pre-authentication (2.4)", () => {
  const device = { productKey: "pk", deviceName: "dev1", deviceSecret: "s", clientId: "c" };

  test("an unknown parameter is signed, too", () => {
    expect(preAuthContent({ productKey: "pk", deviceName: "d", clientId: "c", zone: "z", sign: "x", signmethod: "y" })).toBe(
      "clientIdcdeviceNamedproductKeypkzonez",
    );
  });

  test("a signed form verifies", () => {
    const claim = dialect.preAuth?.read(signPreAuth({ ...device, timestamp: "1" }));
    expect(claim?.kind === "pre-auth" && dialect.preAuth?.verify(claim, "s")).toEqual({ kind: "verified" });
  });

  test.each(["productKey", "deviceName", "clientId", "sign"])("a form without %s is refused", (name) => {
    expect(dialect.preAuth?.read({ ...signPreAuth(device), [name]: "" })).toMatchObject({ code: "access.parameter_missing" });
  });

  test("the answer is the documentation's, member by member", () => {
    expect(JSON.stringify(dialect.preAuth?.grant({ iotId: "i", token: "t", host: "h", port: 1883 }))).toBe(
      '{"code":200,"data":{"iotId":"i","iotToken":"t","resources":{"mqtt":{"host":"h","port":1883}}},"message":"success"}',
    );
    expect(dialect.preAuth?.refuse("access.signature_mismatch")).toEqual({ code: 401, message: "request auth error" });
    expect(dialect.preAuth?.refuse("anything else")).toEqual({ code: 500, message: "unknow error" });
  });
});

describe("keep-alive (3, Appendix B)", () => {
  test.each([
    [0, undefined, undefined],
    [29, undefined, undefined],
    [30, 30, undefined],
    [60, 60, 60],
    [300, 300, 300],
    [301, 301, undefined],
    [1200, 1200, undefined],
    [65535, 1200, undefined],
  ])("%i s", async (asked, live, strict) => {
    const { alibabaKeepAlivePolicy, alibabaStrictKeepAlivePolicy } = await import("./keep-alive.ts");
    const secondsOf = (answer: ReturnType<typeof dialect.keepAlive>) => (answer.kind === "accepted" ? answer.seconds : undefined);
    expect(secondsOf(dialect.keepAlive(asked, alibabaKeepAlivePolicy))).toBe(live);
    expect(secondsOf(dialect.keepAlive(asked, alibabaStrictKeepAlivePolicy))).toBe(strict);
  });
});

test.each([
  ["access.client_id_too_long", 2, 0x85],
  ["access.token_invalid", 3, 0x86],
  ["access.keep_alive_out_of_range", 3, 0x88],
  ["access.user_name_malformed", 4, 0x86],
  ["access.signature_mismatch", 5, 0x86],
  ["access.device_disabled", 5, 0x87],
  ["toString", 5, 0x87],
])("2.10 %s answers CONNACK %i", (code, returnCode, reasonCode) => {
  expect(dialect.refusalCodes(code)).toEqual({ returnCode, reasonCode });
});
