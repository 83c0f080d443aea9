import mqtt from "mqtt";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { TestDoors, until } from "./testing/test-door.ts";

const doors = new TestDoors();

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
