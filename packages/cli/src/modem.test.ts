import { expect, test } from "vitest";
import { runThingstead } from "./index.ts";
import { createScriptedIo } from "./scripted-io.ts";

test("modem: options become what is switched on", async () => {
  const { io, seen } = createScriptedIo({ files: { "ca.crt": "PEM" } });
  const flags = [
    ["--listen", "[::1]:2323"],
    ["--pty", "ttyA"],
    ["--pty", "ttyB"],
    ["--firmware", "v2.2"],
    ["--map", "Xxx-ats.iot.us-east-2.amazonaws.com=127.0.0.1:8883"],
    ["--map", "other.example=[fe80::1]"],
    ["--certificate", "mqtt_ca=ca.crt"],
    ["--access-point", "open net@-80"],
    ["--access-point", "lab=pass@word=1@-62"],
    ["--fault", "tls=untrusted-server"],
    ["--fault", "delay=200"],
    ["--fault", "wifi-loss=30"],
    ["--state", "state"],
  ];
  expect(await runThingstead(["modem", ...flags.flat(), "--any-server-name", "--log"], io)).toBe(0);
  expect(seen.modems).toEqual([
    {
      version: "v2.2",
      listen: { host: "::1", port: 2323 },
      ptyLinks: ["ttyA", "ttyB"],
      hosts: { "xxx-ats.iot.us-east-2.amazonaws.com": { host: "127.0.0.1", port: 8883 }, "other.example": { host: "fe80::1" } },
      certificates: [{ use: "mqtt", kind: "ca", pem: Buffer.from("PEM") }],
      accessPoints: [
        { ssid: "open net", bssid: "02:00:00:00:01:00", channel: 6, rssiDbm: -80 },
        { ssid: "lab", password: "pass@word=1", bssid: "02:00:00:00:01:01", channel: 6, rssiDbm: -62 },
      ],
      faults: { tls: "untrusted-server", linkDelayMilliseconds: 200, wifiLossSeconds: 30 },
      checksServerName: false,
      stateFolder: "state",
      showsLog: true,
    },
  ]);
});

test.each([
  ["--listen", "here"],
  ["--listen", "127.0.0.1:70000"],
  ["--map", "=127.0.0.1"],
  ["--map", "name"],
  ["--map", "name=127.0.0.1:99999"],
  ["--certificate", "ca.crt"],
  ["--access-point", "=password"],
  ["--fault", "heap"],
  ["--fault", "clock=1980"],
  ["--fault", "tls=odd"],
])("modem: %s %s is a usage error, and nothing is switched on", async (flag, value) => {
  const { io, seen } = createScriptedIo();
  expect(await runThingstead(["modem", flag, value], io)).toBe(2);
  expect(seen.stderr).toMatch(/^error \[cli\.usage\] /);
  expect(seen.modems).toEqual([]);
});
