import { describe, expect, test } from "vitest";
import vectors from "../../../../conformance/alibaba/signatures.json" with { type: "json" };
import { readSubDeviceClaim, readSubDeviceNames, signSubDevice, verifySubDevice } from "./sub-devices.ts";

describe("6.2, 6.3 signatures of sub-devices", () => {
  test.each(vectors.vectors.filter(({ id }) => ["V14", "V15", "V16"].includes(id)))("$id is taken, and another secret is not", (vector) => {
    const item = { ...vector.fields, sign: vector.signature.toUpperCase(), signMethod: vector.method, cleanSession: "true" };
    const claim = readSubDeviceClaim(item);
    if (claim.kind !== "sub-device") throw new Error(claim.code);
    expect(claim.signedText).toBe(vector.text);
    expect(verifySubDevice(claim, vector.secret)).toEqual({ kind: "verified" });
    expect(verifySubDevice(claim, "other")).toMatchObject({ kind: "refused", code: "access.signature_mismatch" });
  });

  test("topo/add spells signmethod, and a timestamp may be a number", () => {
    const signed = signSubDevice({ productKey: "pk", deviceName: "sub1", deviceSecret: "s", timestamp: "15", signMethod: "hmacsha1" });
    const { signMethod, ...rest } = signed;
    const claim = readSubDeviceClaim({ ...rest, signmethod: "hmacSha1", timestamp: 15 });
    expect(claim.kind === "sub-device" && verifySubDevice(claim, "s")).toEqual({ kind: "verified" });
    expect(signMethod).toBe("hmacsha1");
  });

  test("4.4 `_ss=1` of a sub-device stands in its client id", () => {
    const claim = readSubDeviceClaim(
      signSubDevice({ productKey: "pk", deviceName: "sub1", deviceSecret: "s", clientId: "pk.sub1|_ss=1,_v=sdk-c-3.2.0|" }),
    );
    expect(claim.kind === "sub-device" && claim.traits).toEqual({ isAutoSubscribed: true });
  });
});

test.each([
  [null, "access.parameter_malformed"],
  [[], "access.parameter_malformed"],
  [{ productKey: "pk", deviceName: "a/b", sign: "x" }, "access.parameter_malformed"],
  [{ productKey: "pk", deviceName: "sub1" }, "access.parameter_missing"],
  [{ productKey: "pk", deviceName: "sub1", sign: { a: 1 } }, "access.parameter_malformed"],
  [{ productKey: "pk", deviceName: "sub1", sign: "x", clientId: "c".repeat(2000) }, "access.parameter_malformed"],
  [{ productKey: "pk", deviceName: "sub1", sign: "x", signMethod: "md4" }, "access.sign_method_unknown"],
])("%j is refused", (item, code) => {
  expect(readSubDeviceClaim(item)).toMatchObject({ kind: "refused", code });
});

test("names are read, or not", () => {
  expect(readSubDeviceNames({ productKey: "pk", deviceName: "sub1", more: 1 })).toEqual({ productKey: "pk", deviceName: "sub1" });
  for (const item of [undefined, "x", {}, { productKey: 1, deviceName: "sub1" }]) expect(readSubDeviceNames(item)).toBeUndefined();
});
