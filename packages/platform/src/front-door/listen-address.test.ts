import { expect, test } from "vitest";
import { formatAddress, parseListenAddress } from "./listen-address.ts";

test.each([
  ["1883", { port: 1883 }],
  [" 0 ", { port: 0 }],
  ["*:1883", { port: 1883 }],
  ["127.0.0.1:8883", { host: "127.0.0.1", port: 8883 }],
  ["localhost:65535", { host: "localhost", port: 65535 }],
  ["[::1]:1883", { host: "::1", port: 1883 }],
  ["[fe80::1%eth0]:1", { host: "fe80::1%eth0", port: 1 }],
])("reads %j", (text, expected) => {
  expect(parseListenAddress(text, "listen.device")).toEqual(expected);
});

test.each([
  "",
  "65536",
  "-1",
  "1883x",
  "host",
  "host:",
  ":1883",
  "::1:1883",
  "[::1]",
  "[127.0.0.1]:1",
  "1.2.3.400:1",
  "a b:1",
  "http://x:1",
])("refuses %j and names the setting", (text) => {
  expect(() => parseListenAddress(text, "listen.device")).toThrow(
    expect.objectContaining({ code: "front_door.bad_listen_address", details: { setting: "listen.device", received: text } }),
  );
});

test("formats what it reads", () => {
  for (const text of ["1883", "127.0.0.1:8883", "[::1]:1883"]) {
    const { host, port } = parseListenAddress(text, "x");
    expect(formatAddress(host, port)).toBe(text);
  }
});
