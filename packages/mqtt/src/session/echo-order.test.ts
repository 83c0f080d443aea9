/**
 * The echo of a publish to its own publisher leaves no later than its PUBACK: firmware that takes the acknowledgement for the end of
 * the exchange must not hear the message after it.
 */
import { expect, test } from "vitest";
import { settlePromises } from "../testing/fake-clock.ts";
import { RememberingJournal } from "../testing/remembering-journal.ts";
import { TestBroker, type TestBrokerOptions } from "../testing/test-broker.ts";

interface Case {
  name: string;
  options?: TestBrokerOptions;
  isCleanStart: boolean;
  /** Another session makes the journal owe a commit. */
  hasKeptReader?: boolean;
}

const slowTap: TestBrokerOptions = {
  admission: {
    rights: {
      publish: () => ({ isRouted: true, taps: [async () => settlePromises()] }),
      subscribe: (_filter, qos) => ({ qos }),
    },
  },
};

const cases: readonly Case[] = [
  { name: "nothing is awaited", isCleanStart: true },
  { name: "a kept session waits for its own commit", isCleanStart: false },
  { name: "another session's commit is awaited", isCleanStart: true, hasKeptReader: true },
  { name: "both sessions' commit is awaited", isCleanStart: false, hasKeptReader: true },
  { name: "a tap is awaited", options: slowTap, isCleanStart: true },
  { name: "a tap and a commit are awaited", options: slowTap, isCleanStart: false },
];

for (const { name, options, isCleanStart, hasKeptReader } of cases) {
  for (const protocolVersion of [4, 5] as const) {
    test(`the echo is there before the PUBACK: ${name}, MQTT level ${protocolVersion}`, async () => {
      for (const isSlowDisk of [false, true]) {
        for (const granted of [0, 1] as const) {
          for (const isRetained of [false, true]) {
            const journal = new RememberingJournal();
            const world = await new TestBroker({ ...options, journal }).start();
            if (hasKeptReader === true) {
              const reader = world.open();
              await reader.connect("reader", { isCleanStart: false });
              reader.subscribe("t", 1);
            }
            const client = world.open();
            await client.connect("one", {
              protocolVersion,
              isCleanStart,
              properties: { sessionExpiryIntervalSeconds: isCleanStart ? 0 : 60 },
            });
            client.subscribe("t", granted);
            journal.isQuick = !isSlowDisk;
            client.publish("t", "echo 1", 1, { isRetained });
            client.publish("t", "echo 2", 1, { isRetained });
            const types = client.packets().map(({ type }) => type);
            await settlePromises();
            journal.commit();
            world.clock.endTurn();
            await settlePromises();
            world.clock.endTurn();
            types.push(...client.packets().map(({ type }) => type));
            // Of the n-th acknowledgement at least n echoes came before.
            let echoes = 0;
            let acknowledgements = 0;
            for (const type of types) {
              if (type === "publish") echoes += 1;
              if (type === "puback") acknowledgements += 1;
              expect(echoes).toBeGreaterThanOrEqual(acknowledgements);
            }
            expect([echoes, acknowledgements]).toEqual([2, 2]);
          }
        }
      }
    });
  }
}
