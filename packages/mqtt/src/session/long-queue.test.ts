/** A queue that is long enough to be packed behaves as a short one: order, content, limits, shared members, moving in the journal. */
import { expect, test } from "vitest";
import { RememberingJournal } from "../testing/remembering-journal.ts";
import { TestBroker } from "../testing/test-broker.ts";
import type { TestClient } from "../testing/test-client.ts";

const kept = { isCleanStart: false };
const count = 300;
const texts = Array.from({ length: count }, (_, index) => `message ${index}`);
/** Every tenth is too large to be packed. */
const sent = texts.map((text, index) => (index % 10 === 7 ? text.padEnd(1_500, ".") : text));

/** A subscriber that is away, and a client that published `sent` one by one, so that its read buffer was used again for each. */
async function filled(filter = "t", behaviour = {}) {
  const journal = new RememberingJournal();
  const world = await new TestBroker({ journal, behaviour }).start();
  const subscriber = world.open();
  await subscriber.connect("one", kept);
  subscriber.subscribe(filter, 1);
  subscriber.drop();
  const publisher = world.open();
  await publisher.connect("two");
  for (const [index, text] of sent.entries()) publisher.publish("t", text, 1, { packetId: index + 1 });
  return { journal, world, publisher };
}

/** Everything that comes, acknowledged as it comes. */
function receive(client: TestClient): string[] {
  const received: string[] = [];
  for (;;) {
    const publishes = client.publishes();
    if (publishes.length === 0) return received;
    for (const { payload, packetId } of publishes) {
      received.push(Buffer.from(payload).toString());
      client.send({ type: "puback", packetId: packetId ?? 0 });
    }
  }
}

test("every message comes in order, and the journal owes nothing afterwards", async () => {
  const { world, journal } = await filled();
  expect(journal.owed).toBe(count);
  const again = world.open();
  await again.connect("one", kept);
  expect(receive(again)).toEqual(sent);
  expect(journal.owed).toBe(0);
});

test("the same after a crash, and after what is live was moved in the journal", async () => {
  const { journal } = await filled();
  const after = journal.afterCrash();
  after.isQuick = true;
  const world = await new TestBroker({ journal: after }).start();
  const publisher = world.open();
  await publisher.connect("two");
  for (const text of sent) publisher.publish("t", text, 1, { packetId: 1 });
  const steps = after.owner?.rewrite(Number.MAX_SAFE_INTEGER);
  while (steps?.next().done === false);
  expect(after.owed).toBe(2 * count);
  const again = world.open();
  await again.connect("one", kept);
  expect(receive(again)).toEqual([...sent, ...sent]);
  expect(after.owed).toBe(0);
});

test("the oldest go when it is too long", async () => {
  const { world, journal } = await filled("t", { queueMessagesMax: 200 });
  expect(world.named("dropped").map(({ topic, reason }) => `${topic} ${reason}`)).toEqual(Array(count - 200).fill("t queue_full"));
  expect(journal.owed).toBe(200);
  const again = world.open();
  await again.connect("one", kept);
  expect(receive(again)).toEqual(sent.slice(count - 200));
});

test("a session that ends leaves nothing in the journal", async () => {
  const { world, journal } = await filled();
  await world.open().connect("one", { isCleanStart: true });
  expect(journal.owed).toBe(0);
});
