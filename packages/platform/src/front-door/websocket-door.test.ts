import mqtt from "mqtt";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { connectPacket, TestDoors, until } from "./testing/test-door.ts";

describe.each([{ sharedReadBuffer: true }, { sharedReadBuffer: false }])("sharedReadBuffer $sharedReadBuffer", (limits) => {
  const doors = new TestDoors(limits);

  test.each(["ws", "wss"] as const)("MQTT.js connects over %s on any path", async (protocol) => {
    const { broker, door, port } = await doors.open();
    const client = await mqtt.connectAsync(`${protocol}://localhost:${port}/any/path`, {
      ca: doors.certificates.caPem,
      reconnectPeriod: 0,
      protocolVersion: 4,
    });
    expect(broker.facts[0]?.carrier).toBe("websocket");
    expect(broker.facts[0]?.tls === undefined).toBe(protocol === "ws");
    client.end();
    await until(() => broker.closedCount === 1 && door.statistics().connections === 0);
  });

  test("[MQTT-6.0.0-1] a text frame closes the WebSocket; [MQTT-6.0.0-3] a foreign sub-protocol is refused", async () => {
    const { log, port } = await doors.open();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ["mqtt"]);
    socket.on("open", () => socket.send("text"));
    expect(await new Promise((resolve) => socket.on("close", resolve))).toBe(1003);
    const foreign = new WebSocket(`ws://127.0.0.1:${port}/`, ["soap"]);
    expect(await new Promise((resolve) => foreign.on("error", (error) => resolve(error.message)))).toContain("400");
    expect(log.map((entry) => entry.code)).toEqual(["front_door.websocket_text_frame", "front_door.websocket_protocol_unknown"]);
  });

  test("a Close frame is a goodbye; a stream that breaks, or that we close, is none", async () => {
    const { broker, port } = await doors.open();
    const open = async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ["mqtt"]);
      socket.on("error", () => {});
      await new Promise((resolve) => socket.on("open", resolve));
      return socket;
    };
    (await open()).close();
    await until(() => broker.closedCount === 1);
    (await open()).close(1000, "bye");
    await until(() => broker.closedCount === 2);
    (await open()).terminate();
    await until(() => broker.closedCount === 3);
    (await open()).send("text");
    await until(() => broker.closedCount === 4);
    expect(broker.goodbyes).toEqual([true, true, false, false]);
  });

  test("[MQTT-6.0.0-2] every message holds one packet, however many are written at once", async () => {
    const { broker, port } = await doors.open();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ["mqtt"]);
    const messages: string[] = [];
    socket.on("message", (data: Buffer) => messages.push(data.toString("hex")));
    socket.on("open", () => socket.send(connectPacket));
    await until(() => messages.length === 1);
    const [transport] = broker.transports;
    transport?.write(Buffer.from("30050001617879400200013004", "hex"));
    transport?.write(Buffer.from("00016278", "hex"));
    transport?.write(Buffer.from("d000", "hex"));
    await until(() => messages.length === 5);
    expect(messages).toEqual(["20020000", "30050001617879", "40020001", "300400016278", "d000"]);
    socket.close();
  });

  test("[MQTT-6.0.0-2] a packet may come in several messages, and [MQTT-6.0.0-4] the sub-protocol is mqtt", async () => {
    const { broker, port } = await doors.open();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ["mqtt"]);
    const messages: string[] = [];
    socket.on("message", (data: Buffer) => messages.push(data.toString("hex")));
    socket.on("open", () => {
      expect(socket.protocol).toBe("mqtt");
      for (const byte of connectPacket) socket.send(Buffer.from([byte]));
    });
    await until(() => Buffer.concat(broker.received).equals(connectPacket));
    expect(messages).toEqual(["20020000"]);
    expect(broker.facts).toHaveLength(1);
    socket.close();
  });
});
