/** Statistics as topics, under the names mosquitto gave them where they mean the same. */
import type { Engine } from "./engine.ts";
import { RoutedMessage } from "./routing/routed-message.ts";
import { TopicTree } from "./routing/topic-tree.ts";

interface SysMessage {
  topic: string;
  payload: Buffer;
}

interface Moment {
  now: number;
  startedAt: number;
  version: string;
  connectionsMax: number;
}

/** One row a topic; asked only when somebody listens. */
const rows: Readonly<Record<string, (engine: Engine, moment: Moment) => number | string>> = {
  "$SYS/broker/version": (_engine, { version }) => version,
  "$SYS/broker/uptime": (_engine, { now, startedAt }) => `${Math.floor((now - startedAt) / 1000)} seconds`,
  "$SYS/broker/clients/connected": ({ connections }) => connections.size,
  "$SYS/broker/clients/maximum": (_engine, { connectionsMax }) => connectionsMax,
  "$SYS/broker/clients/total": ({ sessions }) => sessions.size,
  "$SYS/broker/clients/disconnected": ({ sessions }) => sessions.offlineCount,
  "$SYS/broker/subscriptions/count": ({ statistics }) => statistics.subscriptions,
  "$SYS/broker/shared_subscriptions/count": ({ router }) => router.sharedCount,
  "$SYS/broker/retained messages/count": ({ retained }) => retained.count,
  "$SYS/broker/store/messages/bytes": ({ sessions, retained }) => sessions.queuedBytes + retained.bytes,
  "$SYS/broker/publish/messages/received": ({ statistics }) => statistics.messagesReceived,
  "$SYS/broker/publish/messages/sent": ({ statistics }) => statistics.messagesSent,
  "$SYS/broker/publish/messages/dropped": ({ statistics }) => statistics.messagesDropped,
  "$SYS/broker/bytes/received": ({ statistics }) => statistics.bytesReceived,
  "$SYS/broker/bytes/sent": ({ statistics }) => statistics.bytesSent,
};

/** No filter reaches them but one that begins so. [MQTT-4.7.2-1] */
const prefix = "$SYS/";

export class SysTopics {
  readonly #engine: Engine;
  readonly #version: string;
  readonly #startedAt: number;
  readonly #published = new Map<string, string>();
  #connectionsMax = 0;

  constructor(engine: Engine, version: string) {
    this.#engine = engine;
    this.#version = version;
    this.#startedAt = engine.clock.now();
  }

  /** What changed since the last time, to whoever is subscribed. */
  publish(): void {
    const { router, clock, connections } = this.#engine;
    this.#connectionsMax = Math.max(this.#connectionsMax, connections.size);
    for (const topic of Object.keys(rows)) {
      const destinations = router.destinationsOf(topic);
      if (destinations.sessions.length === 0 && destinations.groups.length === 0) {
        this.#published.delete(topic);
        continue;
      }
      const text = this.#valueOf(topic);
      if (this.#published.get(topic) === text) continue;
      this.#published.set(topic, text);
      router.route(new RoutedMessage(topic, Buffer.from(text), 0, true, undefined, clock.now()), destinations, undefined);
    }
  }

  /** As if they were retained: who subscribes need not wait for the next round. */
  current(filter: string): SysMessage[] {
    if (!filter.startsWith(prefix)) return [];
    const tree = new TopicTree<true, true>();
    tree.set(filter, true, true);
    const found: SysMessage[] = [];
    for (const topic of Object.keys(rows)) {
      tree.match(topic, () => found.push({ topic, payload: Buffer.from(this.#valueOf(topic)) }));
    }
    return found;
  }

  #valueOf(topic: string): string {
    const row = rows[topic];
    if (row === undefined) return "";
    const connectionsMax = Math.max(this.#connectionsMax, this.#engine.connections.size);
    const moment = { now: this.#engine.clock.now(), startedAt: this.#startedAt, version: this.#version, connectionsMax };
    return String(row(this.#engine, moment));
  }
}
