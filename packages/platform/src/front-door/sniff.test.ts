import fc from "fast-check";
import { expect, test } from "vitest";
import { showBytes, sniffProtocol } from "./sniff.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");

test.each([
  ["", "more"],
  ["10", "mqtt"],
  ["10 ff", "mqtt"],
  ["20", "unknown"],
  ["00", "unknown"],
  ["16", "more"],
  ["16 03", "more"],
  ["16 02", "unknown"],
  ["16 03 01 00 02 01", "more"],
  ["16 03 01 00 02 01 00", "tls"],
  ["16 03 01 00 00", "unknown"],
  ["16 03 01 40 01", "unknown"],
  ["80 2e 01", "unknown"],
])("[Alibaba 1.3] %j is %s", (hex, expected) => {
  expect(sniffProtocol(bytes(hex))).toBe(expected);
});

test.each([
  ["G", "more"],
  ["GET", "more"],
  ["GET ", "http"],
  ["GET / HTTP/1.1", "http"],
  ["P", "more"],
  ["POST /auth/devicename", "http"],
  ["PUTT ", "unknown"],
  ["get ", "unknown"],
  ["SSH-2.0", "unknown"],
  ["CONNECT x:443", "unknown"],
])("the text %j is %s", (text, expected) => {
  expect(sniffProtocol(Buffer.from(text))).toBe(expected);
});

test("a decision never changes when more bytes come", () => {
  const start = fc.constantFrom("10", "16030100020100", "1602", "47455420", "ff", "504f5354202f");
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 20 }), (hex, more) => {
      const whole = Buffer.concat([bytes(hex), more]);
      const decisions = Array.from(whole, (_, at) => sniffProtocol(whole.subarray(0, at + 1))).filter((decision) => decision !== "more");
      expect(new Set(decisions).size).toBe(1);
    }),
  );
});

test("shown bytes are bounded", () => {
  expect(showBytes(bytes("00ff10"), 8)).toBe("00 ff 10");
  expect(showBytes(bytes("00ff10"), 2)).toBe("00 ff … (3 bytes)");
  expect(showBytes(Buffer.alloc(0), 2)).toBe("nothing");
});
