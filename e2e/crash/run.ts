/** Rounds of load, `kill -9` at a moment nobody chose, and a new start; then everything must arrive, and the checker speaks. */
import { createServer } from "node:net";
import { startServerProcess } from "../support/server-process.ts";
import { checkHistory, type Violation } from "./checker.ts";
import { History } from "./history.ts";
import { LibraryClient } from "./library-client.ts";
import { createRandom, type SeededRandom } from "./random.ts";
import { RawClient } from "./raw-client.ts";

const windowMessages = 12;
const tickMilliseconds = 4;
const drainMilliseconds = 20_000;
const topicsPerPublisher = 2;

export interface CrashOptions {
  rounds: number;
  seed: number;
  log?: (line: string) => void;
}

export interface CrashOutcome {
  violations: Violation[];
  published: number;
  acknowledged: number;
  delivered: number;
  duplicates: number;
}

interface Publisher {
  name: string;
  client: RawClient | LibraryClient;
  /** On its second topic; on the first, retained, it is 1. */
  qos: 1 | 2;
  numbers: Map<string, number>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

export async function runCrashes({ rounds, seed, log = () => {} }: CrashOptions): Promise<CrashOutcome> {
  const random = createRandom(seed);
  const history = new History();
  const port = await freePort();
  const environment = {
    THINGSTEAD_PLAIN: "anonymous",
    THINGSTEAD_LISTEN_DEVICE: `127.0.0.1:${port}`,
    THINGSTEAD_LOG_LEVEL: "error",
    // Small, so that the journal is compacted again and again and a crash also meets that.
    THINGSTEAD_LIMITS_JOURNAL_SEGMENT_BYTES: "16384",
    THINGSTEAD_LIMITS_JOURNAL_COMPACT_BYTES_MIN: "65536",
  };
  let server = await startServerProcess({ environment });
  const { dataDir } = server;
  const subscribers = createSubscribers(port, history, random);
  const publishers = createPublishers(port, history);
  try {
    await Promise.all([...subscribers, ...publishers.map(({ client }) => client)].map((client) => client.start()));
    for (let round = 1; round <= rounds; round += 1) {
      // One subscriber is away in every other round: its queue is all it has.
      const [sleeper] = subscribers;
      if (round % 2 === 0) sleeper?.stop();
      await publishFor(random.between(150, 900), publishers, history);
      await server.kill();
      if (round % 2 === 0) sleeper?.start();
      const killed = performance.now();
      server = await startServerProcess({ dataDir, environment });
      log(
        `round ${round}: ${history.published.size} published, ${history.delivered.length} delivered, back in ${Math.round(performance.now() - killed)} ms`,
      );
    }
    await drain(publishers, history);
    await readRetained(port, history);
  } finally {
    for (const client of [...subscribers, ...publishers.map((publisher) => publisher.client)]) client.stop();
    await server.remove();
  }
  return summarise(history);
}

function createSubscribers(port: number, history: History, random: SeededRandom) {
  const slow = () => random.between(0, 12);
  const base = { port, history };
  const subscribers = [
    { name: "raw-1", filter: { filter: "crash/#", qos: 1 }, protocolVersion: 4, prefix: "crash/", ackDelay: undefined },
    { name: "raw-2", filter: { filter: "crash/#", qos: 2 }, protocolVersion: 5, prefix: "crash/", ackDelay: undefined },
    { name: "raw-slow", filter: { filter: "crash/raw/+", qos: 2 }, protocolVersion: 4, prefix: "crash/raw/", ackDelay: slow },
  ] as const;
  for (const { name, prefix } of subscribers) history.subscribers.set(name, prefix);
  history.subscribers.set("library-2", "crash/");
  return [
    ...subscribers.map(
      ({ prefix: _prefix, ackDelay, ...options }) =>
        new RawClient({ ...base, ...options, ...(ackDelay === undefined ? {} : { ackDelay }) }),
    ),
    new LibraryClient({ ...base, name: "library-2", protocolVersion: 5, filter: { filter: "crash/#", qos: 2 } }),
  ] as const;
}

function createPublishers(port: number, history: History): Publisher[] {
  const base = { port, history };
  return [
    {
      name: "raw",
      client: new RawClient({ ...base, name: "publisher-raw", protocolVersion: 4 }),
      qos: 2,
      numbers: new Map(),
    },
    { name: "raw-5", client: new RawClient({ ...base, name: "publisher-raw-5", protocolVersion: 5 }), qos: 1, numbers: new Map() },
    {
      name: "library",
      client: new LibraryClient({ ...base, name: "publisher-library", protocolVersion: 4 }),
      qos: 1,
      numbers: new Map(),
    },
  ];
}

async function publishFor(milliseconds: number, publishers: readonly Publisher[], history: History): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    for (const { name, client, qos, numbers } of publishers) {
      for (let index = 0; index < topicsPerPublisher && client.unanswered < windowMessages; index += 1) {
        // QoS 1 and 2 do not share a topic: their order is promised for each alone. [MQTT-4.6.0-5]
        const number = (numbers.get(`${index}`) ?? 0) + 1;
        numbers.set(`${index}`, number);
        client.publish(
          history.publish({
            publisher: name,
            topic: `crash/${name}/${index}`,
            number,
            qos: index === 0 ? 1 : qos,
            isRetained: index === 0,
          }),
        );
      }
    }
    await sleep(tickMilliseconds);
  }
}

/** Everything is answered and everything acknowledged has arrived, or the time is up: then the checker says what is missing. */
async function drain(publishers: readonly Publisher[], history: History): Promise<void> {
  const deadline = performance.now() + drainMilliseconds;
  while (performance.now() < deadline) {
    await sleep(200);
    if (publishers.some(({ client }) => client.unanswered > 0)) continue;
    if (!checkHistory(history).some(({ kind }) => kind === "lost")) break;
  }
  // What should not come needs time to come all the same.
  await sleep(300);
}

async function readRetained(port: number, history: History): Promise<void> {
  const found = new History();
  const reader = new RawClient({
    name: "retained-reader",
    port,
    history: found,
    protocolVersion: 4,
    filter: { filter: "crash/+/0", qos: 1 },
  });
  await reader.start();
  await sleep(300);
  reader.stop();
  for (const { topic, number } of found.delivered) history.retained.set(topic, number);
}

function summarise(history: History): CrashOutcome {
  const all = [...history.published.values()];
  return {
    violations: checkHistory(history),
    published: all.length,
    acknowledged: all.filter(({ isAcknowledged }) => isAcknowledged).length,
    delivered: history.delivered.length,
    duplicates: history.delivered.filter(({ isDuplicate }) => isDuplicate).length,
  };
}
