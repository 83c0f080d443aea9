/** A retained message and a newer one on its topic, while the commit of the subscription is awaited. */
import { expect, test } from "vitest";
import type { QoS } from "../codec/index.ts";
import { RememberingJournal } from "../testing/remembering-journal.ts";
import { TestBroker } from "../testing/test-broker.ts";

const wanted = { filter: "t", isNoLocal: false, isRetainAsPublished: false, retainHandling: 1 } as const;

async function subscribing(qos: QoS) {
  const journal = new RememberingJournal();
  const world = await new TestBroker({ journal }).start();
  const [publisher, client] = [world.open(), world.open()];
  await publisher.connect("publisher");
  publisher.publish("t", "old", qos, { isRetained: true });
  await client.connect("kept", { isCleanStart: false });
  journal.isQuick = false;
  client.send({ type: "subscribe", packetId: 7, subscriptions: [{ ...wanted, qos }] });
  const finish = () => {
    journal.commit();
    world.clock.endTurn();
    return client.texts();
  };
  return { journal, publisher, finish };
}

test.each([0, 1, 2] as const)("[MQTT-4.6.0-6] QoS %i: the old one does not come after the new one", async (qos) => {
  const { publisher, finish } = await subscribing(qos);
  publisher.publish("t", "new", qos, { isRetained: true });
  // At QoS 0 the old one is not sent any more: it was replaced before the subscription was answered.
  expect(finish()).toEqual(qos === 0 ? ["new"] : ["old", "new"]);
});

test.each([0, 1, 2] as const)("QoS %i: without a new one it comes", async (qos) => {
  const { finish } = await subscribing(qos);
  expect(finish()).toEqual(["old"]);
});

test("a crash behind the commit of the subscription does not lose it", async () => {
  const { journal } = await subscribing(1);
  journal.commit();
  const after = journal.afterCrash();
  after.isQuick = true;
  const client = (await new TestBroker({ journal: after }).start()).open();
  await client.connect("kept", { isCleanStart: false });
  expect(client.texts()).toEqual(["old"]);
});
