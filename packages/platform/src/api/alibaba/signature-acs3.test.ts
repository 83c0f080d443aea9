import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { canonicalRequestAcs3, hashPayload, parseAcs3Authorization, signAcs3, stringToSignAcs3 } from "./signature-acs3.ts";

const headers = {
  host: "iot.cn-shanghai.aliyuncs.com",
  "content-type": "application/x-www-form-urlencoded",
  "x-acs-action": "Pub",
  "x-acs-version": "2018-01-20",
  "x-acs-date": "2024-01-02T03:04:05Z",
  "x-acs-signature-nonce": "d410180a5abf7fe235dd9b74aca91fc0",
  "x-acs-content-sha256": "8f76583a3b23bb624971236a19039208ce3a29752ff48a4cd4b10c8da12f3765",
};

test("reference 1.4: the computed vector", () => {
  const payloadHash = hashPayload(Buffer.from("MessageContent=aGVsbG8%3D"));
  expect(payloadHash).toBe(headers["x-acs-content-sha256"]);
  const canonicalRequest = canonicalRequestAcs3({
    method: "POST",
    path: "/",
    query: [
      ["TopicFullName", "/a1Test00001/dev1/user/get"],
      ["ProductKey", "a1Test00001"],
      ["Qos", "0"],
    ],
    headers,
    signedHeaders: Object.keys(headers),
    payloadHash,
  });
  expect(createHash("sha256").update(canonicalRequest).digest("hex")).toBe(
    "328106c294efc8c6bf0dd980dec9245084aaed1c6faa83b01498063ba505f410",
  );
  const signature = signAcs3("testsecret", stringToSignAcs3(canonicalRequest));
  expect(signature).toBe("79c08eacc408eee144f098dd85366b429722ee97edbbf9eb26396cd41ccbf1cf");
});

test("reference 1.4: an empty body has the hash of nothing", () => {
  expect(hashPayload(Buffer.alloc(0))).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test("reference 1.4: the Authorization header in its parts", () => {
  expect(parseAcs3Authorization("ACS3-HMAC-SHA256 Credential=k,SignedHeaders=Host;x-acs-date, Signature=ab")).toEqual({
    algorithm: "ACS3-HMAC-SHA256",
    accessKeyId: "k",
    signedHeaders: ["host", "x-acs-date"],
    signature: "ab",
  });
  expect(parseAcs3Authorization("ACS3-HMAC-SHA256 Credential=k,Signature=ab")).toBeUndefined();
  expect(parseAcs3Authorization("ACS3-HMAC-SHA256")).toBeUndefined();
});
