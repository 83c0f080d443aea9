import { expect, test } from "vitest";
import { createCertificateRequests } from "./certificate-requests.ts";

const hello = (serverName: string | undefined, alpn: readonly string[] = []) => ({
  version: 0x0303,
  cipherSuites: [],
  alpn,
  ...(serverName === undefined ? {} : { serverName }),
});
const aliyun = "a1.iot-as-mqtt.cn-shanghai.aliyuncs.com";

test.each([
  ["x509.itls.cn-shanghai.aliyuncs.com", [], 1883, true],
  ["xxx-ats.iot.us-east-2.amazonaws.com", [], 443, true],
  ["localhost", ["x-amzn-mqtt-ca"], 443, true],
  ["localhost", ["x-amzn-http-ca", "http/1.1"], 443, true],
  ["localhost", ["mqtt"], 443, false],
  [undefined, [], 8883, true],
  ["localhost", [], 8883, true],
  [aliyun, [], 8883, false],
  [aliyun, [], 1883, false],
  [undefined, [], 1883, false],
  [undefined, [], 443, false],
] as const)("[AWS 2.2] a client that names %s and offers %s on port %i is asked: %s", (serverName, alpn, port, isAsked) => {
  expect(createCertificateRequests("auto", [8883])(hello(serverName, alpn), port)).toBe(isAsked);
});

test("a hello in several records tells nothing: the port decides", () => {
  const asks = createCertificateRequests("auto", [8883]);
  expect(asks(undefined, 8883)).toBe(true);
  expect(asks(undefined, 1883)).toBe(false);
});

test.each([
  ["x509-hosts", "x509.example", true],
  ["x509-hosts", "xxx-ats.iot.us-east-2.amazonaws.com", false],
  ["always", undefined, true],
  ["never", "x509.example", false],
] as const)("mode %s, host %s: %s", (mode, serverName, isAsked) => {
  expect(createCertificateRequests(mode, [8883])(hello(serverName), 8883)).toBe(isAsked);
});
