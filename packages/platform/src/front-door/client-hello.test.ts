import fc from "fast-check";
import { expect, test } from "vitest";
import { describeClientHello, parseClientHello } from "./client-hello.ts";

function vector(size: number, ...parts: (Buffer | number[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const length = Buffer.alloc(size);
  length.writeUIntBE(body.length, 0, size);
  return Buffer.concat([length, body]);
}

const extension = (kind: number, value: Buffer): Buffer => Buffer.concat([Buffer.from([0, kind]), vector(2, value)]);

function record(suites: number[], extensions?: Buffer): Buffer {
  const hello = [Buffer.from([3, 3]), Buffer.alloc(32, 1), vector(1, []), vector(2, suites), vector(1, [0])];
  if (extensions !== undefined) hello.push(vector(2, extensions));
  return Buffer.concat([Buffer.from([0x16, 3, 1]), vector(2, [1], vector(3, ...hello))]);
}

test("[RFC 5246 7.4.1.2] a hello without extensions: the vendor's C SDK 2.x", () => {
  const hello = parseClientHello(record([0x00, 0x3d]));
  expect(hello).toEqual({ version: 0x0303, cipherSuites: [0x3d], alpn: [] });
  expect(describeClientHello(hello)).toBe("TLS 1.2, suites 003d, no server name");
});

test("[RFC 8446 4.1.2] server name, ALPN and versions, GREASE ignored", () => {
  const extensions = Buffer.concat([
    extension(0, vector(2, [0], vector(2, Buffer.from("PK.iot-as-mqtt.cn-shanghai.aliyuncs.com")))),
    extension(16, vector(2, vector(1, Buffer.from("x-amzn-mqtt-ca")), vector(1, Buffer.from("mqtt")))),
    extension(43, vector(1, [0xfa, 0xfa, 3, 4, 3, 3])),
    extension(99, Buffer.from([1])),
  ]);
  const hello = parseClientHello(record([0x13, 0x01, 0xc0, 0x2f], extensions));
  expect(hello).toEqual({
    version: 0x0304,
    cipherSuites: [0x1301, 0xc02f],
    serverName: "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com",
    alpn: ["x-amzn-mqtt-ca", "mqtt"],
  });
  expect(describeClientHello(hello, 1)).toBe(
    "TLS 1.3, suites 1301 and 1 more, server name pk.iot-as-mqtt.cn-shanghai.aliyuncs.com, ALPN x-amzn-mqtt-ca,mqtt",
  );
});

test("a hello that is cut or damaged anywhere is never an exception", () => {
  const whole = record([0x13, 0x01], extension(0, vector(2, [0], vector(2, Buffer.from("host")))));
  expect(parseClientHello(whole)?.serverName).toBe("host");
  for (let length = 0; length < whole.length; length++) expect(parseClientHello(whole.subarray(0, length))).toBeUndefined();
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, value) => {
      const damaged = Buffer.from(whole);
      damaged[at] = value;
      describeClientHello(parseClientHello(damaged));
    }),
  );
});
