/**
 * The journal alone: how fast it takes messages, what a commit costs, how long a start takes. `node bench/journal.ts [messages] [sessions]`
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalOwner, JournalSlot, StoredSession } from "@thingstead/mqtt";
import { systemClock } from "../packages/platform/src/clock.ts";
import { defaultJournalLimits, SqliteJournal } from "../packages/platform/src/store/index.ts";

const messages = Number(process.argv[2] ?? 1_000_000);
const sessions = Number(process.argv[3] ?? 100_000);
const payload = Buffer.alloc(128, "x");
const perTurn = 100;

const behaviour: StoredSession["behaviour"] = {
  qosMax: 2,
  onQosAboveMax: "disconnect",
  retain: "store",
  will: "publish",
  wildcards: true,
  sharedSubscriptions: true,
  deliveryQos: "minimum",
  onPublishRefused: "acknowledge",
  subscriptionsMax: 100,
  filtersPerSubscribeMax: 8,
  receiveMaximum: 100,
  inflightMax: 50,
  payloadBytesMax: 262_144,
  topicBytesMax: 512,
  topicAliasMax: 10,
  sessionExpirySecondsMax: 604_800,
  queueMessagesMax: 5_000,
  queueBytesMax: 8_388_608,
  queueAgeSecondsMax: 604_800,
};
const nobody: JournalOwner = { rewrite: () => [][Symbol.iterator](), caughtUp: () => {} };
const dataDir = mkdtempSync(join(tmpdir(), "thingstead-journal-bench-"));
const file = join(dataDir, "journal.db");
const open = () => new SqliteJournal({ dataDir, clock: systemClock, limits: defaultJournalLimits, report: console.error });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

async function fill(): Promise<void> {
  const journal = open();
  await journal.open(nobody);
  for (let key = 1; key <= sessions; key += 1) {
    const subscriptions = [
      { filter: `/product/device-${key}/user/get`, qos: 1, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 } as const,
    ];
    journal.saveSession(
      {
        key,
        sessionId: `product&device-${key}`,
        protocolVersion: 4,
        expirySeconds: 604_800,
        behaviour,
        subscriptions,
        cancelledFilters: [],
        receivedIds: [],
      },
      undefined,
    );
    if (key % 1000 === 0) await turn();
  }
  const started = performance.now();
  const cpu = process.cpuUsage();
  for (let count = 1; count <= messages; count += 1) {
    const key = (count % sessions) + 1;
    const message = { topic: `/product/device-${key}/user/get`, payload, properties: undefined, receivedAt: 1_700_000_000_000 + count };
    journal.appendMessage(key, {
      sequence: count,
      message,
      qos: 1,
      isRetained: false,
      identifiers: undefined,
      shareFilter: undefined,
      packetId: 0,
      isReleased: false,
    });
    if (count % perTurn > 0) continue;
    journal.afterCommit(() => {});
    await turn();
    while (journal.isBehind) await turn();
  }
  await new Promise<void>((resolve) => journal.afterCommit(resolve));
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `${messages} messages in ${seconds.toFixed(2)} s (${Math.round(messages / seconds)}/s), ${((user + system) / messages).toFixed(2)} us CPU each with both threads`,
  );
  await journal.close();
  console.log(`file ${mebibytes(statSync(file).size)}`);
}

async function lightLoad(): Promise<void> {
  const journal = open();
  await journal.open(nobody);
  const waits: number[] = [];
  for (let count = 0; count < 300; count += 1) {
    const asked = performance.now();
    journal.saveReceivedId(1, 7);
    await new Promise<void>((resolve) => journal.afterCommit(resolve));
    waits.push(performance.now() - asked);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  waits.sort((one, other) => one - other);
  console.log(`one message alone waits ${waits[150]?.toFixed(2)} ms (p50), ${waits[297]?.toFixed(2)} ms (p99)`);
  await journal.close();
}

async function recover(): Promise<void> {
  const before = process.memoryUsage().rss;
  const started = performance.now();
  const journal = open();
  const contents = await journal.open(nobody);
  const owed = contents.sessions.reduce((sum, entry) => sum + entry.messages.length, 0);
  console.log(
    `start: ${contents.sessions.length} sessions, ${owed} messages in ${((performance.now() - started) / 1000).toFixed(2)} s, ${mebibytes(process.memoryUsage().rss - before)} more`,
  );
  await journal.close();
}

/** A queue of constant length: what is written dies soon. The file must not grow with it. */
async function churn(): Promise<void> {
  rmSync(file);
  const journal = open();
  const live: { sequence: number; slot: JournalSlot }[] = [];
  const session: StoredSession = {
    key: 1,
    sessionId: "s",
    protocolVersion: 4,
    behaviour,
    subscriptions: [],
    cancelledFilters: [],
    receivedIds: [],
  };
  let slot: JournalSlot | undefined;
  const save = (): void => {
    slot = journal.saveSession(session, slot);
  };
  const append = (sequence: number): JournalSlot => {
    const message = { topic: "t", payload, properties: undefined, receivedAt: 1_700_000_000_000 };
    return journal.appendMessage(1, {
      sequence,
      message,
      qos: 1,
      isRetained: false,
      identifiers: undefined,
      shareFilter: undefined,
      packetId: 0,
      isReleased: false,
    });
  };
  await journal.open({
    caughtUp: () => {},
    *rewrite(slotNumberMax) {
      save();
      for (const message of live) {
        if (message.slot.number > slotNumberMax) continue;
        journal.forget(message.slot);
        message.slot = append(message.sequence);
      }
      yield undefined;
    },
  });
  save();
  for (let count = 1; count <= messages; count += 1) {
    live.push({ sequence: count, slot: append(count) });
    const oldest = live.length > 1000 ? live.shift() : undefined;
    if (oldest !== undefined) journal.removeMessage(1, oldest.sequence, oldest.slot);
    if (count % perTurn === 0) await turn();
    while (journal.isBehind) await turn();
  }
  await journal.close();
  console.log(`after ${messages} messages that came and went: file ${mebibytes(statSync(file).size)}`);
}

await lightLoad();
await fill();
await recover();
await churn();
rmSync(dataDir, { recursive: true });
