import { expect, test } from "vitest";
import { device, fakePorts, topicClass } from "./fake-ports.ts";
import { defaultAccessLimits } from "./limits.ts";
import { createAccessWatcher } from "./watcher.ts";

const change = { productKey: "pk", deviceName: "dev1", iotId: "iotIdOfDev1" };
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function setUp() {
  const ports = fakePorts();
  const calls: string[] = [];
  const connected = new Set(["pk/dev1"]);
  const broker = {
    kick: (sessionId: string, reason: string, refusal?: { code: string }) => {
      calls.push(`kick ${sessionId} ${reason} ${refusal?.code}`);
      return connected.delete(sessionId);
    },
    endSession: (sessionId: string, reason: string, refusal?: { code: string }) => {
      connected.delete(sessionId);
      calls.push(`end ${sessionId} ${reason} ${refusal?.code}`);
    },
    forgetGrants: () => {
      calls.push("forget");
    },
    isConnected: (sessionId: string) => connected.has(sessionId),
  };
  const subjects = new Map<string, unknown>();
  const certificates = { fingerprints: [] as string[], remove: (_fingerprint: string) => {} };
  const watcher = createAccessWatcher({
    ...ports,
    broker: { ...broker, subjectOf: (sessionId: string) => subjects.get(sessionId) },
    certificates: {
      list: async () =>
        certificates.fingerprints.map((fingerprint) => ({
          productKey: "pk",
          deviceName: "dev1",
          fingerprint,
          serialNumber: "1",
          certificate: "",
          expiresAt: 1,
          createdAt: 0,
        })),
      onRemoved: (listener) => {
        certificates.remove = (fingerprint) => listener({ productKey: "pk", deviceName: "dev1", fingerprint });
      },
    },
    limits: defaultAccessLimits,
  });
  return { subjects, certificates, ...ports, calls, connected, watcher };
}

test("a disabled device is cut at once, and again if it slipped in meanwhile", async () => {
  const { registry, calls, connected, clock } = setUp();
  registry.devices = [device({ isEnabled: false })];
  registry.emit({ kind: "device.disabled", ...change });
  expect(calls).toEqual(["kick pk/dev1 kicked access.device_disabled"]);
  connected.add("pk/dev1");
  clock.advance(defaultAccessLimits.cutRecheckMilliseconds);
  await settle();
  expect(calls).toHaveLength(2);
});

test("a device that was enabled again meanwhile is left alone", async () => {
  const { registry, calls, connected, clock } = setUp();
  registry.emit({ kind: "device.disabled", ...change });
  connected.add("pk/dev1");
  clock.advance(defaultAccessLimits.cutRecheckMilliseconds);
  await settle();
  expect(calls).toHaveLength(1);
});

test("a deleted device loses its session and its tokens, not those of others", async () => {
  const { registry, calls, tokens } = setUp();
  const row = { iotId: "i", productKey: "pk", expiresAt: 1 };
  tokens.rows = [
    { ...row, tokenHash: "a", deviceName: "dev1" },
    { ...row, tokenHash: "b", deviceName: "dev2" },
  ];
  registry.emit({ kind: "device.deleted", ...change });
  await settle();
  expect(calls).toEqual(["end pk/dev1 kicked access.device_deleted"]);
  expect(tokens.rows.map(({ tokenHash }) => tokenHash)).toEqual(["b"]);
});

test("grants are forgotten after the new topic classes are read, not before", async () => {
  const { registry, calls, topicBook } = setUp();
  const page = await topicBook.open("pk");
  registry.classes.push(topicClass("new", "SUB"));
  registry.emit({ kind: "topics.changed", productKey: "pk" });
  expect(calls).toEqual([]);
  await settle();
  expect(calls).toEqual(["forget"]);
  expect(page.classes.map(({ template }) => template)).toContain("/${productKey}/${deviceName}/new");
});

test("a change that crosses the first read of a product is not lost", async () => {
  const { registry, topicBook } = setUp();
  const list = registry.listTopicClasses.bind(registry);
  registry.listTopicClasses = async () => {
    const old = await list();
    if (registry.listCalls === 1) {
      registry.classes.push(topicClass("new", "SUB"));
      registry.emit({ kind: "topics.changed", productKey: "pk" });
    }
    return old;
  };
  const page = await topicBook.open("pk");
  expect(page.classes).toHaveLength(4);
});

test("a closed watcher takes no second look", async () => {
  const { registry, calls, clock, watcher } = setUp();
  registry.devices = [];
  registry.emit({ kind: "device.deleted", ...change });
  watcher.close();
  clock.advance(60_000);
  await settle();
  expect(calls).toHaveLength(1);
});

test("2.7 a withdrawn certificate cuts the connection that it opened, also one that slipped in, and no other", async () => {
  const { subjects, certificates, calls, connected, clock } = setUp();
  const subject = { kind: "device", dialect: "alibaba", productKey: "pk", deviceName: "dev1", iotId: "iotIdOfDev1" };
  subjects.set("pk/dev1", { ...subject, certificate: "new" });
  certificates.remove("old");
  expect(calls).toEqual([]);
  certificates.remove("new");
  expect(calls).toEqual(["kick pk/dev1 kicked access.certificate_withdrawn"]);
  connected.add("pk/dev1");
  clock.advance(defaultAccessLimits.cutRecheckMilliseconds);
  await settle();
  expect(calls).toHaveLength(2);
  connected.add("pk/dev1");
  certificates.remove("new");
  connected.add("pk/dev1");
  certificates.fingerprints = ["new"];
  clock.advance(defaultAccessLimits.cutRecheckMilliseconds);
  await settle();
  expect(calls).toHaveLength(3);
});
