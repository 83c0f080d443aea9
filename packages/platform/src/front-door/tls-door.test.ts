import { X509Certificate } from "node:crypto";
import { connect as connectTcp } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { describe, expect, test } from "vitest";
import { createCertificateRequests } from "./certificate-requests.ts";
import { clientHello, connack, connectPacket, isConnack, readFrom, TestDoors, until } from "./testing/test-door.ts";

describe.each([{ sharedReadBuffer: true }, { sharedReadBuffer: false }])("sharedReadBuffer $sharedReadBuffer", (limits) => {
  const doors = new TestDoors(limits);

  test("[Alibaba 1.3] the same port takes TLS: with and without SNI, TLS 1.2 and 1.3", async () => {
    const { broker, door, port } = await doors.open();
    const cases: ConnectionOptions[] = [
      { servername: "localhost" },
      { servername: "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com" },
      { servername: "", checkServerIdentity: () => undefined },
      { maxVersion: "TLSv1.2", servername: "devices.example" },
    ];
    for (const options of cases) {
      const socket = await doors.secure(port, options);
      expect(socket.authorized).toBe(true);
      socket.write(connectPacket);
      expect(await readFrom(socket, isConnack)).toEqual(connack);
      socket.destroy();
    }
    expect(broker.facts.map((facts) => [facts.tls?.version, facts.tls?.serverName])).toEqual([
      ["TLSv1.3", "localhost"],
      ["TLSv1.3", "pk.iot-as-mqtt.cn-shanghai.aliyuncs.com"],
      ["TLSv1.3", undefined],
      ["TLSv1.2", "devices.example"],
    ]);
    await until(() => door.statistics().connections === 0);
    expect(door.statistics()).toMatchObject({ accepted: 4, tlsPending: 0, refused: {} });
  });

  const oldSuites = ["AES256-SHA256", "AES128-SHA256", "AES256-SHA", "AES128-SHA", "ECDHE-RSA-AES128-SHA"];
  test.each(oldSuites.flatMap((suite) => ["", "localhost"].map((servername) => ({ suite, servername }))))(
    "[field notes] an old stack gets in with $suite, server name '$servername'",
    async ({ suite, servername }) => {
      const { broker, port } = await doors.open();
      const socket = await doors.secure(port, {
        maxVersion: "TLSv1.2",
        ciphers: `${suite}:@SECLEVEL=0`,
        servername,
        ...(servername === "" && { checkServerIdentity: () => undefined }),
      });
      socket.write(connectPacket);
      expect(await readFrom(socket, isConnack)).toEqual(connack);
      expect(broker.facts[0]?.tls?.cipher).toBe(suite);
      socket.destroy();
    },
  );

  test("[RFC 5246 7.4.1.4.1] a TLS 1.2 client that knows SHA-1 signatures only gets in, unless legacy clients are shut out", async () => {
    const old: ConnectionOptions = {
      maxVersion: "TLSv1.2",
      ciphers: "ECDHE-RSA-AES128-SHA:@SECLEVEL=0",
      sigalgs: "RSA+SHA1",
      servername: "localhost",
    };
    const lenient = await doors.open();
    (await doors.secure(lenient.port, old)).destroy();
    const strict = await doors.open({ tls: { acceptsLegacyClients: false } });
    await expect(doors.secure(strict.port, old)).rejects.toThrow(/handshake failure/);
    (await doors.secure(strict.port, { servername: "localhost" })).destroy();
  });

  test("a TLS client without a common version or suite is refused and the log shows what it offered", async () => {
    const { log, port } = await doors.open();
    await expect(doors.secure(port, { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" })).rejects.toThrow();
    await until(() => log.length === 1);
    expect(log[0]).toMatchObject({ kind: "refuse", code: "front_door.tls_handshake_failed", isSuccess: false });
    expect(log[0]?.received).toMatch(/^TLS 1\.1, suites /);
  });

  test("tls.minVersion opens the door to TLS 1.0", async () => {
    const { broker, port } = await doors.open({ tls: { minVersion: "TLSv1" } });
    const socket = await doors.secure(port, {
      minVersion: "TLSv1",
      maxVersion: "TLSv1",
      ciphers: "AES128-SHA:@SECLEVEL=0",
      servername: "localhost",
    });
    socket.write(connectPacket);
    expect(await readFrom(socket, isConnack)).toEqual(connack);
    expect(broker.facts[0]?.tls?.version).toBe("TLSv1");
    socket.destroy();
  });

  test("a client that does not trust the CA says so in an alert, and the log repeats it", async () => {
    const { door, log, port } = await doors.open();
    const socket = connectTcp(port, "127.0.0.1");
    socket.write(clientHello);
    await new Promise((resolve) => socket.once("data", resolve));
    // RFC 5246 7.2: fatal, unknown_ca.
    socket.write(Buffer.from([0x15, 3, 3, 0, 2, 2, 48]));
    await readFrom(socket);
    expect(log.map((entry) => entry.reason)).toEqual([expect.stringContaining("alert unknown ca")]);
    await until(() => door.statistics().connections === 0);
  });

  test("session tickets outlive a restart of the front door", async () => {
    const first = await doors.open();
    const socket = await doors.secure(first.port, { servername: "localhost", maxVersion: "TLSv1.2" });
    const session = socket.getSession();
    socket.destroy();
    const second = await doors.open();
    const resumed = await doors.secure(second.port, { servername: "localhost", maxVersion: "TLSv1.2", ...(session && { session }) });
    expect(resumed.isSessionReused()).toBe(true);
    resumed.destroy();
  });

  test("[AWS protocols] ALPN names are answered, and one that nobody knows is refused", async () => {
    const { port } = await doors.open();
    for (const [offered, chosen] of [
      [["x-amzn-mqtt-ca"], "x-amzn-mqtt-ca"],
      [["mqtt"], "mqtt"],
      [["h2", "http/1.1"], "http/1.1"],
    ] as const) {
      const socket = await doors.secure(port, { ALPNProtocols: [...offered], servername: "localhost" });
      expect(socket.alpnProtocol).toBe(chosen);
      socket.destroy();
    }
    await expect(doors.secure(port, { ALPNProtocols: ["h2"], servername: "localhost" })).rejects.toThrow(/no application protocol/);
  });

  test("a client certificate is asked for only where wanted, and then in the facts", async () => {
    const { broker, port } = await doors.open({ tls: { requestClientCertificate: createCertificateRequests("auto", []) } });
    const identity = doors.certificates.identityFor("localhost");
    const credentials = { cert: identity.certificates[0] ?? "", key: identity.keys[0] ?? "", servername: "localhost" };
    for (const ALPNProtocols of [["x-amzn-mqtt-ca"], ["mqtt"]]) {
      const socket = await doors.secure(port, { ...credentials, ALPNProtocols });
      socket.write(connectPacket);
      await readFrom(socket, isConnack);
      socket.destroy();
    }
    expect(broker.facts[0]?.tls?.clientCertificate?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(broker.facts[0]?.tls?.clientCertificate?.isAuthorized).toBe(false);
    expect(broker.facts.map(({ tls }) => tls?.alpn)).toEqual(["x-amzn-mqtt-ca", "mqtt"]);
    expect(broker.facts[1]?.tls?.clientCertificate).toBeUndefined();
  });

  test("garbage inside TLS, and TLS inside TLS, are cut too", async () => {
    const { log, port } = await doors.open();
    const tlsHello = Buffer.concat([Buffer.from([0x16, 3, 1, 0, 4]), Buffer.alloc(4)]);
    for (const bytes of [Buffer.from("ÿÿÿ", "latin1"), tlsHello]) {
      const socket = await doors.secure(port, { servername: "localhost" });
      socket.write(bytes);
      await readFrom(socket);
    }
    expect(log.map((entry) => entry.code)).toEqual(["front_door.unknown_protocol", "front_door.unknown_protocol"]);
  });

  test("a TLS handshake that stops is cut after handshakeMilliseconds", async () => {
    const { door, log, port } = await doors.open({ limits: { handshakeMilliseconds: 60 } });
    const socket = connectTcp(port, "127.0.0.1");
    // The server has answered the hello and waits.
    socket.write(clientHello);
    await readFrom(socket);
    expect(log.map((entry) => entry.code)).toEqual(["front_door.tls_handshake_timeout"]);
    await until(() => door.statistics().connections === 0);
    expect(door.statistics().tlsPending).toBe(0);
  });

  test("handshakes under way are limited; those that are done do not count", async () => {
    const { door, log, port } = await doors.open({ limits: { tlsPendingMax: 1 } });
    const done = await doors.secure(port, { servername: "localhost" });
    // In TLS 1.3 the client is done half a round trip before the server.
    await until(() => door.statistics().tlsPending === 0);
    const stalled = connectTcp(port, "127.0.0.1");
    stalled.write(clientHello);
    await until(() => door.statistics().tlsPending === 1);
    await expect(doors.secure(port, { servername: "localhost" })).rejects.toThrow();
    expect(log.map((entry) => [entry.code, entry.expected])).toEqual([["front_door.too_many_handshakes", "1"]]);
    stalled.destroy();
    await until(() => door.statistics().tlsPending === 0);
    done.destroy();
  });

  test("[Alibaba 1.3] records can be kept small for clients with small buffers", async () => {
    const { broker, port } = await doors.open({ limits: { tlsSendFragmentBytesMax: 1024 } });
    const socket = await doors.secure(port, { servername: "localhost", maxVersion: "TLSv1.2" });
    const chunkBytes: number[] = [];
    socket.on("data", (chunk: Buffer) => chunkBytes.push(chunk.length));
    socket.write(connectPacket);
    await until(() => chunkBytes.length === 1);
    broker.transports[0]?.write(Buffer.alloc(10_000));
    await until(() => chunkBytes.reduce((sum, length) => sum + length, 0) === connack.length + 10_000);
    // OpenSSL hands out one record a read, so a chunk is never larger than a record.
    expect(Math.max(...chunkBytes)).toBeLessThanOrEqual(1024);
    socket.destroy();
  });

  test("renewed certificates are served without a restart", async () => {
    const [before, after] = [doors.certificates.identityFor("localhost"), doors.certificates.identityFor(undefined)];
    let identity = before;
    let renewed = (): void => {};
    const certificates = {
      ...doors.certificates,
      identityFor: () => identity,
      onRenewed: (listener: () => void) => {
        renewed = listener;
      },
    };
    const { port } = await doors.open({ certificates });
    const serialOf = async (): Promise<string | undefined> => {
      const socket = await doors.secure(port, { servername: "localhost" });
      const serial = socket.getPeerX509Certificate()?.serialNumber;
      socket.destroy();
      return serial;
    };
    const serials = (of: typeof before): string[] => of.certificates.map((pem) => new X509Certificate(pem).serialNumber);
    expect(serials(before)).toContain(await serialOf());
    identity = after;
    renewed();
    expect(serials(after)).toContain(await serialOf());
  });
});
