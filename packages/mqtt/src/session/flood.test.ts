import { expect, test } from "vitest";
import { encodePacket } from "../codec/index.ts";
import { TestBroker } from "../testing/test-broker.ts";

const limits = { readBytesPerTurnMax: 10_000, closingBytesMax: 20_000 };
const publish = encodePacket(
  { type: "publish", topic: "t", payload: Buffer.alloc(4_000), qos: 0, isDuplicate: false, isRetained: false },
  4,
);

async function connected() {
  const world = await new TestBroker({ limits }).start();
  const client = world.open();
  await client.connect("flooding");
  return { world, client };
}

test("a stream that is always full is not read on before everybody else had a turn", async () => {
  const { client } = await connected();
  const { connection, transport } = client;
  connection.receive(publish);
  connection.receive(publish);
  expect(transport.isPaused).toBe(false);
  connection.receive(publish);
  expect(transport.isPaused).toBe(true);
  client.endTurn();
  expect(transport.isPaused).toBe(false);
  connection.receive(publish);
  expect(transport.isPaused).toBe(false);
});

test("a client that was refused and goes on sending is cut", async () => {
  const { world, client } = await connected();
  const { connection, transport } = client;
  client.sendBytes(Buffer.from([0, 0]));
  expect([transport.isEnded, transport.isDestroyed]).toEqual([true, false]);
  const received = world.broker.statistics().bytesReceived;
  for (let sent = 0; sent < 20_000; sent += 4_000) connection.receive(new Uint8Array(4_000));
  expect(transport.isDestroyed).toBe(false);
  connection.receive(new Uint8Array(1));
  expect(transport.isDestroyed).toBe(true);
  expect(world.broker.statistics().bytesReceived).toBe(received);
});
