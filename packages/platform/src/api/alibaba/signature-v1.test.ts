import { expect, test } from "vitest";
import type { Pair } from "./parameters.ts";
import { signV1, stringToSignV1 } from "./signature-v1.ts";

const vector: Pair[] = [
  ["TopicFullName", "/productKey/testdevice/get"],
  ["Action", "Pub"],
  ["Format", "XML"],
  ["MessageContent", "aGVsbG93b3JsZA="],
  ["ProductKey", "12345abcdeZ"],
  ["Qos", "0"],
  ["RegionId", "cn-shanghai"],
  ["ServiceCode", "iot"],
  ["AccessKeyId", "testid"],
  ["SignatureMethod", "HMAC-SHA1"],
  ["SignatureNonce", "0715a395-aedf-4a41-bab7-746b43d38d88"],
  ["SignatureVersion", "1.0"],
  ["Timestamp", "2017-10-02T09:39:41Z"],
  ["Version", "2017-04-20"],
  ["Signature", "left out of the string"],
];

test("reference 1.3: the published vector", () => {
  const stringToSign = stringToSignV1("GET", vector);
  expect(
    stringToSign.startsWith("GET&%2F&AccessKeyId%3Dtestid%26Action%3DPub%26Format%3DXML%26MessageContent%3DaGVsbG93b3JsZA%253D%26"),
  ).toBe(true);
  expect(signV1("testsecret", stringToSign)).toBe("Y9eWn4nF8QPh3c4zAFkM/k/u7eA=");
});

test("reference 1.3: signs are encoded by RFC 3986 over UTF-8", () => {
  expect(stringToSignV1("POST", [["A", "a b*~!'()中"]])).toBe("POST&%2F&A%3Da%2520b%252A~%2521%2527%2528%2529%25E4%25B8%25AD");
});

test("reference 1.3: names are sorted by bytes, upper case first", () => {
  const pairs: Pair[] = [
    ["a", "3"],
    ["B.2", "2"],
    ["B.10", "1"],
  ];
  expect(stringToSignV1("GET", pairs)).toBe("GET&%2F&B.10%3D1%26B.2%3D2%26a%3D3");
});
