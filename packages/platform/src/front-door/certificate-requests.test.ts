import { expect, test } from "vitest";
import { createCertificateRequests } from "./certificate-requests.ts";

const ecdheSuite = 0xc02b;
/** AES256-SHA256 alone, as in seed 000. */
const oldSuite = 0x003d;
const hello = (serverName: string | undefined, alpn: readonly string[] = [], suite = ecdheSuite) => ({
  version: 0x0303,
  // TLS_EMPTY_RENEGOTIATION_INFO_SCSV is none.
  cipherSuites: [0x00ff, suite],
  alpn,
  ...(serverName === undefined ? {} : { serverName }),
});
const aliyun = "a1.iot-as-mqtt.cn-shanghai.aliyuncs.com";

test.each([
  ["x509.itls.cn-shanghai.aliyuncs.com", [], true],
  ["xxx-ats.iot.us-east-2.amazonaws.com", [], true],
  ["localhost", ["x-amzn-mqtt-ca"], true],
  ["localhost", ["x-amzn-http-ca", "http/1.1"], true],
  ["localhost", ["h2", "http/1.1"], true],
  ["localhost", ["mqtt"], false],
  [undefined, [], true],
  ["localhost", [], true],
  [aliyun, [], false],
] as const)("[AWS 2.2] a client that names %s and offers %s is asked on every port: %s", (serverName, alpn, isAsked) => {
  for (const port of [443, 1883, 8883]) {
    expect(createCertificateRequests("auto", [8883])(hello(serverName, alpn), port)).toBe(isAsked);
  }
});

test.each([
  [undefined, 1883, false],
  [undefined, 8883, true],
  ["xxx-ats.iot.us-east-2.amazonaws.com", 1883, true],
  ["x509.itls.cn-shanghai.aliyuncs.com", 1883, true],
  [aliyun, 8883, false],
] as const)("a stack without elliptic curves that names %s is asked on port %i: %s", (serverName, port, isAsked) => {
  expect(createCertificateRequests("auto", [8883])(hello(serverName, [], oldSuite), port)).toBe(isAsked);
});

test("a client of TLS 1.3 is asked, whatever else it offers", () => {
  expect(createCertificateRequests("auto", [])({ ...hello(undefined, [], oldSuite), version: 0x0304 }, 1883)).toBe(true);
});

test("a hello in several records is none of an old stack", () => {
  expect(createCertificateRequests("auto", [])(undefined, 1883)).toBe(true);
});

test.each([
  ["x509-hosts", "x509.example", true],
  ["x509-hosts", "xxx-ats.iot.us-east-2.amazonaws.com", false],
  ["always", undefined, true],
  ["never", "x509.example", false],
] as const)("mode %s, host %s: %s", (mode, serverName, isAsked) => {
  expect(createCertificateRequests(mode, [8883])(hello(serverName), 8883)).toBe(isAsked);
});
