/** From a topic to the handler of its row in the dialect's reserved topic table, whoever publishes on it. */
import { type ReservedTopicName, reservedRequestTopics } from "@thingstead/dialects";
import type { Message, Tap } from "@thingstead/mqtt";
import type { RuleTrail } from "./rule-trail.ts";
import type { AwsUplink, AwsUplinkHandler, AwsUplinkHandlers } from "./uplink.ts";

export interface AwsRouterPorts {
  trail: RuleTrail;
  /** A handler threw or rejected: a fault of ours or of the world, never of the client. */
  onFailure(error: unknown): void;
}

export interface AwsRouter {
  /** Before the broker starts. A second handler for a row is a fault of ours. */
  add(family: AwsUplinkHandlers): void;
  /** Of topics without a handler: none. */
  tapsFor(topic: string): readonly Tap[];
  /** A message that came through no session: as if it had been published by one. */
  offer(message: Message): undefined | Promise<void>;
}

interface Row {
  name: ReservedTopicName;
  levels: readonly string[];
}

const root = "$aws/";
const noTaps: readonly Tap[] = [];
/** Whatever follows belongs to the message, not to the row. */
const openRow: ReservedTopicName = "basic-ingest";

const rows: readonly Row[] = Object.entries(reservedRequestTopics).map(([name, template]) => ({
  name: name as ReservedTopicName,
  levels: template.split("/"),
}));

export function createAwsRouter({ trail, onFailure }: AwsRouterPorts): AwsRouter {
  const handlers = new Map<ReservedTopicName, AwsUplinkHandler>();

  function tapsFor(topic: string): readonly Tap[] {
    const row = findReservedRequest(topic);
    const handler = row === undefined ? undefined : handlers.get(row.name);
    return row === undefined || handler === undefined ? noTaps : [createTap(handler, topic, row.parts, trail, onFailure)];
  }

  return {
    add(family) {
      for (const [name, handler] of Object.entries(family) as [ReservedTopicName, AwsUplinkHandler][]) {
        if (handlers.has(name)) throw new Error(`two handlers for ${name}`);
        handlers.set(name, handler);
      }
    },
    tapsFor,
    offer: (message) => tapsFor(message.topic)[0]?.(message),
  };
}

/** The row of a request topic and what its named levels stand for. */
export function findReservedRequest(topic: string): { name: ReservedTopicName; parts: AwsUplink["parts"] } | undefined {
  if (!topic.startsWith(root)) return undefined;
  const levels = topic.split("/");
  for (const row of rows) {
    if (row.levels.length !== levels.length && !(row.name === openRow && levels.length > row.levels.length)) continue;
    const parts = partsOf(row.levels, levels);
    if (parts !== undefined) return { name: row.name, parts };
  }
  return undefined;
}

function partsOf(row: readonly string[], topic: readonly string[]): Record<string, string> | undefined {
  const parts: Record<string, string> = {};
  for (const [index, level] of row.entries()) {
    const text = topic[index] ?? "";
    if (!level.startsWith("{")) {
      if (level !== text) return undefined;
    } else if (text === "") return undefined;
    else parts[level.slice(1, -1)] = text;
  }
  return parts;
}

/** Made once for each session and topic. */
function createTap(
  handler: AwsUplinkHandler,
  topic: string,
  parts: AwsUplink["parts"],
  trail: RuleTrail,
  onFailure: (error: unknown) => void,
): Tap {
  const failed = (error: unknown): never => {
    onFailure(error);
    // Not acknowledged: the client sends it again.
    throw error;
  };
  return ({ payload, qos, receivedAt, publisherSessionId, hops }: Message) => {
    const sender = publisherSessionId === undefined ? {} : { sessionId: publisherSessionId };
    let wait: Promise<void> | undefined;
    try {
      wait = trail.follow(hops, () => handler({ topic, parts, payload, qos, receivedAt, ...sender }));
    } catch (error) {
      onFailure(error);
      return qos > 0 ? Promise.reject(error) : undefined;
    }
    if (wait === undefined) return undefined;
    if (qos > 0) return wait.catch(failed);
    wait.catch(onFailure);
    return undefined;
  };
}
