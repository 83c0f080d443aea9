/** What every journal must do, as cases that any test runner can run. */
import assert from "node:assert/strict";
import type { Journal, JournalOwner, OwedMessage, StoredRetained, StoredSession } from "../ports.ts";

/** One life of a journal's storage. */
export interface JournalUnderTest {
  /** A journal over what earlier ones kept; the one before was closed or left behind as by a crash. */
  create(): Journal | Promise<Journal>;
}

export interface JournalCase {
  name: string;
  run(under: JournalUnderTest): Promise<void>;
}

const nobody: JournalOwner = { rewrite: () => [][Symbol.iterator](), caughtUp: () => {} };

const behaviour: StoredSession["behaviour"] = {
  qosMax: 2,
  onQosAboveMax: "disconnect",
  retain: "store",
  will: "publish",
  wildcards: true,
  sharedSubscriptions: true,
  deliveryQos: "minimum",
  onPublishRefused: "acknowledge",
  subscriptionsMax: 10,
  filtersPerSubscribeMax: 10,
  receiveMaximum: 10,
  inflightMax: 10,
  payloadBytesMax: 1000,
  topicBytesMax: 100,
  topicAliasMax: 0,
  sessionExpirySecondsMax: 3600,
  queueMessagesMax: 10,
  queueBytesMax: 10_000,
  queueAgeSecondsMax: 3600,
};

const subscription = {
  filter: "a/+/ü",
  qos: 1,
  isNoLocal: true,
  isRetainAsPublished: false,
  retainHandling: 2,
  identifier: 300_000,
} as const;

function session(key: number, change: Partial<StoredSession> = {}): StoredSession {
  return {
    key,
    sessionId: `session ${key} 设备`,
    protocolVersion: 5,
    expirySeconds: 3600,
    behaviour,
    subscriptions: [],
    cancelledFilters: [],
    receivedIds: [],
    ...change,
  };
}

function owed(sequence: number, change: Partial<OwedMessage> = {}): OwedMessage {
  const message = { topic: "a/b/ü", payload: Buffer.from(`payload ${sequence}`), properties: undefined, receivedAt: 1_700_000_000_123 };
  return {
    sequence,
    message,
    qos: 1,
    isRetained: false,
    identifiers: undefined,
    shareFilter: undefined,
    packetId: 0,
    isReleased: false,
    ...change,
  };
}

function retained(topic: string, text: string): StoredRetained {
  return { topic, payload: Buffer.from(text), qos: 1, receivedAt: 1_700_000_000_456 };
}

const committed = (journal: Journal): Promise<void> => new Promise((resolve) => journal.afterCommit(resolve));

async function reopened(under: JournalUnderTest) {
  const journal = await under.create();
  return { journal, ...(await journal.open(nobody)) };
}

/** Plain data: bytes as text, no slots, nothing absent spelled out. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, member) => {
      if (key === "slot") return undefined;
      if (member?.type === "Buffer") return Buffer.from(member.data).toString("latin1");
      return member instanceof Uint8Array ? Buffer.from(member).toString("latin1") : member;
    }),
  );
}

/** Any journal, whatever it remembers. */
export const journalOrderCases: readonly JournalCase[] = [
  {
    name: "callbacks run in the order of the calls, also without a write",
    async run(under) {
      const { journal } = await reopened(under);
      const seen: number[] = [];
      journal.afterCommit(() => seen.push(1));
      const slot = journal.saveSession(session(1), undefined);
      journal.afterCommit(() => seen.push(2));
      journal.appendMessage(1, owed(1));
      journal.afterCommit(() => seen.push(3));
      journal.removeSession(1, slot);
      await committed(journal);
      assert.deepEqual(seen, [1, 2, 3]);
      await journal.close();
    },
  },
  {
    name: "slots never get a smaller number",
    async run(under) {
      const { journal } = await reopened(under);
      const slots = [journal.saveSession(session(1), undefined)];
      await committed(journal);
      slots.push(journal.appendMessage(1, owed(1)));
      await committed(journal);
      slots.push(journal.saveRetained(retained("a", "x"), undefined));
      const numbers = slots.map(({ number }) => number);
      assert.deepEqual(
        numbers,
        [...numbers].sort((one, other) => one - other),
      );
      await journal.close();
    },
  },
];

/** Journals that outlive their process. */
export const journalSurvivalCases: readonly JournalCase[] = [
  {
    name: "a session comes back as it was saved last, with later changes",
    async run(under) {
      const { journal } = await reopened(under);
      const will = {
        will: { topic: "w", payload: Buffer.from([0, 255]), qos: 1, isRetained: true, properties: { willDelayIntervalSeconds: 5 } },
        topic: "w/2",
        isRouted: true,
        dueAt: 77,
      } as const;
      const slot = journal.saveSession(session(1, { subscriptions: [subscription] }), undefined);
      journal.saveSession(
        session(1, { subscriptions: [subscription], expiresAt: 99, cancelledFilters: ["c"], receivedIds: [7], will }),
        slot,
      );
      journal.saveSubscription(1, { ...subscription, filter: "later" });
      journal.saveSubscription(1, { ...subscription, filter: "gone" });
      journal.removeSubscription(1, "gone");
      journal.saveReceivedId(1, 8);
      journal.saveReceivedId(1, 9);
      journal.removeReceivedId(1, 7);
      const { expirySeconds: _never, ...endless } = session(2);
      journal.saveSession(endless, undefined);
      journal.removeSession(3, journal.saveSession(session(3), undefined));
      await committed(journal);
      const { sessions, ...after } = await reopened(under);
      assert.deepEqual(plain(sessions.map((entry) => entry.session)), [
        plain(
          session(1, {
            subscriptions: [subscription, { ...subscription, filter: "later" }],
            expiresAt: 99,
            cancelledFilters: ["c"],
            receivedIds: [8, 9],
            will,
          }),
        ),
        plain(endless),
      ]);
      await after.journal.close();
    },
  },
  {
    name: "messages come back in order, with what is known of their delivery",
    async run(under) {
      const { journal } = await reopened(under);
      journal.saveSession(session(1), undefined);
      journal.saveSession(session(2), undefined);
      const properties = {
        correlationData: Buffer.from([1, 0, 200]),
        contentType: "x",
        userProperties: [["a", "b"]] as [string, string][],
        messageExpiryIntervalSeconds: 60,
      };
      const shared = { topic: "t", payload: Buffer.from("one for two"), properties, receivedAt: 5 };
      const first = journal.appendMessage(1, owed(1));
      journal.appendMessage(1, owed(2, { qos: 2, identifiers: [1, 200_000], isRetained: true, message: shared, packetId: 65_535 }));
      journal.appendMessage(2, owed(40, { message: shared, shareFilter: "$share/g/ü/+" }));
      journal.appendMessage(1, owed(3, { qos: 2, packetId: 4, message: { ...shared, payload: Buffer.alloc(0) } }));
      journal.saveReleased(1, 3);
      journal.saveSent(2, 40, 12);
      journal.removeMessage(1, 1, first);
      journal.appendMessage(1, owed(4, { message: { ...shared, payload: Buffer.alloc(300_000, "z") } }));
      await committed(journal);
      const { sessions, ...after } = await reopened(under);
      assert.deepEqual(
        plain(sessions.map(({ messages }) => messages.map((message) => message.owed))),
        plain([
          [
            owed(2, { qos: 2, identifiers: [1, 200_000], isRetained: true, message: shared, packetId: 65_535 }),
            owed(3, { qos: 2, packetId: 4, isReleased: true, message: { ...shared, payload: Buffer.alloc(0) } }),
            owed(4, { message: { ...shared, payload: Buffer.alloc(300_000, "z") } }),
          ],
          [owed(40, { message: shared, shareFilter: "$share/g/ü/+", packetId: 12 })],
        ]),
      );
      await after.journal.close();
    },
  },
  {
    name: "a session that was removed takes its messages along, and its key begins anew",
    async run(under) {
      const { journal } = await reopened(under);
      const slot = journal.saveSession(session(1), undefined);
      journal.forget(journal.appendMessage(1, owed(1)));
      journal.removeSession(1, slot);
      journal.saveSession(session(1), undefined);
      journal.appendMessage(1, owed(2));
      await committed(journal);
      const { sessions, ...after } = await reopened(under);
      assert.deepEqual(
        sessions.map(({ messages }) => messages.map((message) => message.owed.sequence)),
        [[2]],
      );
      await after.journal.close();
    },
  },
  {
    name: "retained messages: the latest of each topic, none that was removed",
    async run(under) {
      const { journal } = await reopened(under);
      const old = journal.saveRetained(retained("a", "old"), undefined);
      journal.saveRetained(retained("a", "new"), old);
      journal.removeRetained("b", journal.saveRetained(retained("b", "x"), undefined));
      await committed(journal);
      const after = await reopened(under);
      assert.deepEqual(plain(after.retained.map(({ message }) => message)), plain([retained("a", "new")]));
      await after.journal.close();
    },
  },
  {
    name: "bytes are taken over during the call",
    async run(under) {
      const { journal } = await reopened(under);
      journal.saveSession(session(1), undefined);
      const payload = Buffer.from("kept");
      journal.appendMessage(1, owed(1, { message: { topic: "t", payload, properties: undefined, receivedAt: 1 } }));
      payload.fill("x");
      await committed(journal);
      const { sessions, ...after } = await reopened(under);
      assert.equal(Buffer.from(sessions[0]?.messages[0]?.owed.message.payload ?? []).toString(), "kept");
      await after.journal.close();
    },
  },
  {
    name: "what nobody waits for is kept by an orderly end",
    async run(under) {
      const { journal } = await reopened(under);
      journal.saveSession(session(1), undefined);
      await journal.close();
      const { sessions, ...after } = await reopened(under);
      assert.equal(sessions.length, 1);
      await after.journal.close();
    },
  },
];
