import { expect, test } from "vitest";
import { TestBroker } from "./testing/test-broker.ts";
import type { TestClient } from "./testing/test-client.ts";

function values(client: TestClient): Record<string, string> {
  return Object.fromEntries(client.publishes().map(({ topic, payload }) => [topic, Buffer.from(payload).toString()]));
}

test("who subscribes hears the present numbers at once, as retained messages, and changes at every interval", async () => {
  const world = await new TestBroker({ limits: { statisticsMilliseconds: 10_000 } }).start();
  const reader = world.open();
  await reader.connect("reader");
  reader.subscribe("$SYS/broker/#");
  const first = reader.publishes();
  expect(first.length).toBeGreaterThan(10);
  expect(first.every(({ isRetained, qos }) => isRetained && qos === 0)).toBe(true);
  world.clock.advance(10_000);
  expect(values(reader)["$SYS/broker/uptime"]).toBe("10 seconds");
  const writer = world.open();
  await writer.connect("writer");
  writer.publish("a", "x");
  world.clock.advance(10_000);
  const next = values(reader);
  expect(next).toMatchObject({
    "$SYS/broker/clients/connected": "2",
    "$SYS/broker/publish/messages/received": "1",
    "$SYS/broker/uptime": "20 seconds",
  });
  // What did not change is not repeated.
  expect(next).not.toHaveProperty("$SYS/broker/version");
  writer.drop();
  world.clock.advance(10_000);
  expect(values(reader)).toMatchObject({ "$SYS/broker/clients/connected": "1", "$SYS/broker/clients/total": "1" });
});

test("nothing is sent while nobody subscribes; [MQTT-4.7.2-1] a wildcard at the front does not subscribe", async () => {
  const world = await new TestBroker().start();
  const reader = world.open();
  await reader.connect("reader");
  reader.subscribe("#");
  reader.subscribe("+/broker/uptime");
  world.clock.advance(60_000);
  expect(reader.packets()).toEqual([]);
  expect(world.broker.statistics().messagesSent).toBe(0);
});

test("one topic alone", async () => {
  const world = await new TestBroker({ limits: { statisticsMilliseconds: 1_000 } }).start();
  const reader = world.open();
  await reader.connect("reader");
  reader.subscribe("$SYS/broker/uptime");
  world.clock.advance(3_000);
  expect(reader.texts()).toEqual(["0 seconds", "1 seconds", "2 seconds", "3 seconds"]);
});
