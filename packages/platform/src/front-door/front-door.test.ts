import { connect as connectTcp, createServer } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { connack, connectPacket, exchange, isConnack, readFrom, TestDoors, until } from "./testing/test-door.ts";

describe.each([{ sharedReadBuffer: true }, { sharedReadBuffer: false }])("sharedReadBuffer $sharedReadBuffer", (limits) => {
  const doors = new TestDoors(limits);

  test("hands plain MQTT to the engine, first bytes included, however they are cut", async () => {
    const { broker, port } = await doors.open();
    const socket = connectTcp({ port, host: "127.0.0.1", noDelay: true });
    socket.write(connectPacket.subarray(0, 1));
    expect(await readFrom(socket, isConnack)).toEqual(connack);
    socket.write(connectPacket.subarray(1));
    await until(() => Buffer.concat(broker.received).length === connectPacket.length);
    expect(Buffer.concat(broker.received)).toEqual(connectPacket);
    expect(broker.facts[0]).toMatchObject({ remoteAddress: "127.0.0.1", localPort: port, carrier: "tcp" });
    expect(broker.facts[0]?.tls).toBeUndefined();
    socket.destroy();
    await until(() => broker.closedCount === 1);
  });

  test("garbage is cut with one entry that shows the bytes", async () => {
    const { log, port } = await doors.open();
    expect(await exchange(port, Buffer.from([0, 1, 2, 0xff]))).toEqual(Buffer.alloc(0));
    expect(await exchange(port, "get / http/1.1\r\n\r\n")).toEqual(Buffer.alloc(0));
    expect(log).toHaveLength(2);
    expect(log[0]).toMatchObject({
      kind: "refuse",
      code: "front_door.unknown_protocol",
      received: "00 01 02 ff",
      remoteAddress: "127.0.0.1",
    });
    expect(log[0]?.expected).toContain("0x10 (MQTT CONNECT)");
  });

  test("a client that says nothing, or half a hello, is cut after firstByteMilliseconds", async () => {
    const { door, log, port } = await doors.open({ limits: { firstByteMilliseconds: 30 } });
    await Promise.all([exchange(port, ""), exchange(port, Buffer.from([0x16, 3, 1, 2, 0, 1])), exchange(port, "POS")]);
    expect(log.map((entry) => [entry.code, entry.received]).sort()).toEqual([
      ["front_door.first_byte_timeout", "16 03 01 02 00 01"],
      ["front_door.first_byte_timeout", "50 4f 53"],
      ["front_door.first_byte_timeout", "nothing"],
    ]);
    await until(() => door.statistics().connections === 0);
  });

  test("a half-open client (FIN after CONNECT) is closed and reported once", async () => {
    const { broker, door, port } = await doors.open();
    const socket = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.end(connectPacket);
    await readFrom(socket);
    await until(() => broker.closedCount === 1 && door.statistics().connections === 0);
  });

  test("a client that said goodbye is closed without waiting for its end, and reads what was sent before", async () => {
    const { broker, door, port } = await doors.open();
    const socket = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.write(connectPacket);
    await until(() => broker.transports.length === 1);
    broker.transports[0]?.end(true);
    await until(() => broker.closedCount === 1 && door.statistics().connections === 0);
    expect(await readFrom(socket, isConnack)).toEqual(connack);
    socket.destroy();
  });

  test("connection limits close the surplus with their own codes", async () => {
    const byAddress = await doors.open({ limits: { connectionsPerAddressMax: 1 } });
    const inTotal = await doors.open({ limits: { connectionsMax: 1 } });
    for (const { port, log, code } of [
      { ...byAddress, code: "front_door.too_many_connections_of_address" },
      { ...inTotal, code: "front_door.too_many_connections" },
    ]) {
      const first = connectTcp(port, "127.0.0.1");
      first.write(connectPacket);
      await readFrom(first, isConnack);
      expect(await exchange(port, connectPacket)).toEqual(Buffer.alloc(0));
      expect(log.map((entry) => entry.code)).toEqual([code]);
      first.destroy();
      await until(() => doors.opened.every((door) => door.statistics().connections <= 1));
    }
  });

  test("an engine that throws costs one connection, not the process", async () => {
    const { bugs, broker, port } = await doors.open();
    broker.accept = () => {
      throw new Error("bug");
    };
    expect(await exchange(port, connectPacket)).toEqual(Buffer.alloc(0));
    expect(bugs).toHaveLength(1);
  });

  test("port in use, and no such address, name the address and the setting", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    const address = taken.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await expect(doors.open({ listen: ["127.0.0.1:0", `127.0.0.1:${port}`] })).rejects.toMatchObject({
      code: "front_door.address_in_use",
      details: { address: `127.0.0.1:${port}`, setting: "listen.device" },
    });
    taken.close();
    await expect(doors.open({ listen: ["192.0.2.1:0"] })).rejects.toMatchObject({ code: "front_door.address_not_available" });
    await expect(doors.open({ listen: [] })).rejects.toMatchObject({ code: "front_door.no_listen_address" });
  });

  test("close() ends the silent at once and the rest after the drain time", async () => {
    const { broker, door, port } = await doors.open();
    const silent = connectTcp(port, "127.0.0.1");
    const speaking = connectTcp(port, "127.0.0.1");
    speaking.write(connectPacket);
    await readFrom(speaking, isConnack);
    await until(() => door.statistics().connections === 2);
    const ended = readFrom(silent);
    const closing = door.close(5_000);
    await ended;
    expect(door.statistics().connections).toBe(1);
    broker.transports[0]?.end();
    await closing;
    await expect(doors.secure(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("random bytes on a port disturb nobody", async () => {
    const { bugs, broker, door, port } = await doors.open({ limits: { firstByteMilliseconds: 50, httpRequestMilliseconds: 50 } });
    const steady = connectTcp(port, "127.0.0.1");
    steady.write(connectPacket);
    await readFrom(steady, isConnack);
    const starts = ["", "16", "1603010005", "47455420", "504f5354202f20485454502f312e310d0a", "160301000401000000"];
    const garbage = fc.tuple(fc.constantFrom(...starts), fc.uint8Array({ minLength: 1, maxLength: 60 }));
    const notMqtt = fc
      .sample(garbage, { numRuns: 60, seed: 20_260_115 })
      .map(([start, rest]) => Buffer.concat([Buffer.from(start, "hex"), rest]));
    await Promise.all(notMqtt.filter((bytes) => bytes[0] !== 0x10).map((bytes) => exchange(port, bytes)));
    await until(() => door.statistics().connections === 1);
    expect(bugs).toEqual([]);
    expect(broker.closedCount).toBe(0);
    steady.destroy();
  });
});
