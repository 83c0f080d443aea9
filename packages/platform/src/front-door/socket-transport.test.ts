import { connect as connectTcp, type Socket } from "node:net";
import type { Transport } from "@thingstead/mqtt";
import { describe, expect, test } from "vitest";
import { connack, connectPacket, isConnack, readFrom, TestDoors, until } from "./testing/test-door.ts";

/** More than the kernel buffers for a peer that does not read. */
const floodBytes = 32 * 1024 * 1024;

describe.each([{ sharedReadBuffer: true }, { sharedReadBuffer: false }])("sharedReadBuffer $sharedReadBuffer", (limits) => {
  const doors = new TestDoors(limits);

  async function connectDevice(doorLimits: { closeGraceMilliseconds?: number } = {}) {
    const opened = await doors.open({ limits: doorLimits });
    const socket = connectTcp({ port: opened.port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    socket.write(connectPacket);
    expect(await readFrom(socket, isConnack)).toEqual(connack);
    socket.removeAllListeners("data");
    const transport = opened.broker.transports[0];
    if (transport === undefined) throw new Error("nothing was accepted");
    const isGone = () => opened.broker.closedCount === 1 && opened.door.statistics().connections === 0;
    return { ...opened, socket, transport, isGone };
  }

  function flood(socket: Socket, transport: Transport): void {
    socket.pause();
    for (let sent = 0; sent < floodBytes; sent += 1024 * 1024) transport.write(Buffer.alloc(1024 * 1024, sent >> 20));
  }

  function countBytes(socket: Socket): () => number {
    let bytes = 0;
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.resume();
    return () => bytes;
  }

  test("what the kernel does not take is counted, kept in order, and told when it is gone", async () => {
    const { broker, socket, transport } = await connectDevice();
    expect(transport.bufferedBytes).toBe(0);
    flood(socket, transport);
    expect(transport.bufferedBytes).toBeGreaterThan(1024 * 1024);
    expect(transport.bufferedBytes).toBeLessThanOrEqual(floodBytes);
    let next = 0;
    let isInOrder = true;
    socket.on("data", (chunk: Buffer) => {
      isInOrder &&= chunk[0] === next >> 20;
      next += chunk.length;
    });
    socket.resume();
    await until(() => next === floodBytes && broker.drainedCount > 0);
    expect(isInOrder).toBe(true);
    expect(transport.bufferedBytes).toBe(0);
    socket.destroy();
  });

  test("a paused connection is not read, and loses nothing", async () => {
    const { broker, socket, transport } = await connectDevice();
    transport.pause();
    let isWritten = false;
    socket.write(Buffer.alloc(floodBytes), () => {
      isWritten = true;
    });
    const before = broker.received.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    // One read may have been under way.
    expect(broker.received.length - before).toBeLessThanOrEqual(1);
    expect(isWritten).toBe(false);
    transport.resume();
    const receivedBytes = () => broker.received.reduce((sum, bytes) => sum + bytes.length, 0);
    await until(() => isWritten && receivedBytes() === connectPacket.length + floodBytes);
    socket.destroy();
  });

  test("end() sends everything written before, then FIN", async () => {
    const { socket, transport, isGone } = await connectDevice();
    flood(socket, transport);
    transport.end();
    transport.write(connack);
    const count = countBytes(socket);
    await new Promise((resolve) => socket.once("end", resolve));
    expect(count()).toBe(floodBytes);
    socket.end();
    await until(isGone);
  });

  test("end() of a paused connection hears the peer's FIN", async () => {
    const { socket, transport, isGone } = await connectDevice({ closeGraceMilliseconds: 60_000 });
    transport.pause();
    transport.end();
    socket.resume();
    socket.end();
    await until(isGone);
  });

  test("a peer that never answers the end is cut after closeGraceMilliseconds", async () => {
    const { socket, transport, isGone } = await connectDevice({ closeGraceMilliseconds: 40 });
    flood(socket, transport);
    transport.end();
    await until(isGone);
    socket.destroy();
  });

  test("a goodbye does not cut what the kernel has not taken", async () => {
    const { socket, transport, isGone } = await connectDevice();
    flood(socket, transport);
    transport.end(true);
    const count = countBytes(socket);
    await new Promise((resolve) => socket.once("end", resolve));
    expect(count()).toBe(floodBytes);
    socket.end();
    await until(isGone);
  });

  test.each(["reading", "paused", "flooded"])("a reset while %s closes it once and harms nobody", async (state) => {
    const { bugs, socket, transport, isGone } = await connectDevice();
    if (state === "paused") transport.pause();
    if (state === "flooded") flood(socket, transport);
    socket.resetAndDestroy();
    await until(() => {
      // A paused one hears of it when it writes.
      transport.write(connack);
      return isGone();
    });
    transport.write(connack);
    transport.pause();
    transport.resume();
    transport.end();
    transport.destroy();
    expect(transport.bufferedBytes).toBe(0);
    expect(isGone()).toBe(true);
    expect(bugs).toEqual([]);
  });

  test("destroy() tells later, not during the call", async () => {
    const { broker, socket, transport, isGone } = await connectDevice();
    flood(socket, transport);
    transport.destroy();
    expect(broker.closedCount).toBe(0);
    await until(isGone);
    socket.destroy();
  });
});
