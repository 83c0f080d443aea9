/** Judges a history by what an acknowledgement promises. */
import { type Delivered, type History, keyOf, type Published } from "./history.ts";

export interface Violation {
  kind: "lost" | "duplicated" | "reordered" | "unknown" | "session_lost" | "retained_wrong";
  text: string;
}

export function checkHistory(history: History): Violation[] {
  const violations: Violation[] = [];
  for (const { client, isSessionPresent } of history.reconnected) {
    if (!isSessionPresent) violations.push({ kind: "session_lost", text: `${client} came back to no session` });
  }
  for (const [subscriber, prefix] of history.subscribers) {
    const own = history.delivered.filter((delivery) => delivery.subscriber === subscriber);
    violations.push(...checkCopies(history, subscriber, prefix, own), ...checkOrder(subscriber, own));
  }
  violations.push(...checkRetained(history));
  return violations;
}

function checkCopies(history: History, subscriber: string, prefix: string, own: readonly Delivered[]): Violation[] {
  const violations: Violation[] = [];
  const copies = new Map<string, Delivered[]>();
  for (const delivery of own) {
    const key = keyOf(delivery);
    if (!history.published.has(key)) violations.push({ kind: "unknown", text: `${subscriber} got ${key}, which nobody published` });
    const known = copies.get(key);
    if (known === undefined) copies.set(key, [delivery]);
    else known.push(delivery);
  }
  for (const [key, published] of history.published) {
    if (!published.topic.startsWith(prefix)) continue;
    const got = copies.get(key) ?? [];
    if (published.isAcknowledged && got.length === 0)
      violations.push({ kind: "lost", text: `${subscriber} never got ${key} (QoS ${published.qos})` });
    const excess = excessOf(published, got);
    if (excess !== undefined) violations.push({ kind: "duplicated", text: `${subscriber} got ${key} (QoS ${published.qos}) ${excess}` });
  }
  return violations;
}

/**
 * QoS 2 from end to end: once. Otherwise a copy without DUP is a publish of its own, of which there are as many as the publisher
 * transmitted it; a copy with DUP repeats one of an earlier connection.
 */
function excessOf(published: Published, got: readonly Delivered[]): string | undefined {
  const qos = got.reduce<number>((lowest, delivery) => Math.min(lowest, delivery.qos), published.qos);
  if (qos === 2) return got.length > 1 ? `${got.length} times, exactly once was promised` : undefined;
  const fresh = got.filter((delivery) => !delivery.isDuplicate);
  if (fresh.length > published.transmissions) return `${fresh.length} times without DUP, published ${published.transmissions} times`;
  if (published.qos === 2 && fresh.length > 1) return `${fresh.length} times without DUP, though taken over once`;
  const perConnection = new Map<number, number>();
  for (const { connection } of got) perConnection.set(connection, (perConnection.get(connection) ?? 0) + 1);
  for (const [connection, count] of perConnection) {
    if (count > published.transmissions) return `${count} times on connection ${connection}`;
  }
  return undefined;
}

/** The first copies of one publisher's messages on one topic come in the order of their numbers. */
function checkOrder(subscriber: string, own: readonly Delivered[]): Violation[] {
  const violations: Violation[] = [];
  const latest = new Map<string, number>();
  const seen = new Set<string>();
  for (const delivery of own) {
    const key = keyOf(delivery);
    if (seen.has(key)) continue;
    seen.add(key);
    const line = `${delivery.publisher} ${delivery.topic}`;
    const before = latest.get(line) ?? 0;
    if (delivery.number < before) violations.push({ kind: "reordered", text: `${subscriber} got ${key} after number ${before}` });
    else latest.set(line, delivery.number);
  }
  return violations;
}

/** Retained is the message acknowledged last, or one that was sent after it and not answered. */
function checkRetained(history: History): Violation[] {
  const violations: Violation[] = [];
  const bounds = new Map<string, { acknowledged: number; sent: number }>();
  for (const { topic, number, isRetained, isAcknowledged } of history.published.values()) {
    if (!isRetained) continue;
    const bound = bounds.get(topic) ?? { acknowledged: 0, sent: 0 };
    if (isAcknowledged) bound.acknowledged = Math.max(bound.acknowledged, number);
    bound.sent = Math.max(bound.sent, number);
    bounds.set(topic, bound);
  }
  for (const [topic, { acknowledged, sent }] of bounds) {
    const found = history.retained.get(topic) ?? 0;
    if (found < acknowledged || found > sent) {
      violations.push({ kind: "retained_wrong", text: `${topic} retains number ${found}, acknowledged ${acknowledged}, sent ${sent}` });
    }
  }
  return violations;
}
