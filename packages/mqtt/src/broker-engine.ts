/** Builds the engine from its ports. */
import { randomBytes } from "node:crypto";
import type { Broker, BrokerStatistics, CloudMessage, Connection } from "./broker.ts";
import type { BugReporter, Engine, Random } from "./engine.ts";
import { type BrokerLimits, defaultBrokerLimits } from "./limits.ts";
import type { Clock, Gatekeeper, Journal, Observer, Peers } from "./ports.ts";
import { RetainedStore } from "./routing/retained-store.ts";
import { RoutedMessage } from "./routing/routed-message.ts";
import { Router } from "./routing/router.ts";
import { retainMessage } from "./session/accept-message.ts";
import { ClientConnection } from "./session/client-connection.ts";
import { JournalPressure } from "./session/journal-pressure.ts";
import { SlabPool } from "./session/outbox.ts";
import { SessionRegistry } from "./session/session-registry.ts";
import { reauthoriseSubscriptions, subscribeFor, unsubscribeFor } from "./session/subscribe.ts";
import { Turn } from "./session/turn.ts";
import { SysTopics } from "./sys-topics.ts";

const slabsMax = 4096;
/** Records looked at in one piece of a journal's compaction: about a millisecond. */
const rewritePieceRecords = 2_000;
/** Retained messages looked at in one sweep for those that have expired. */
const expiryPieceMessages = 1_000;

export interface BrokerPorts {
  gatekeeper: Gatekeeper;
  journal: Journal;
  peers: Peers;
  clock: Clock;
  observer: Observer;
  /** What differs from `defaultBrokerLimits`. */
  limits?: Partial<BrokerLimits>;
  random?: Random;
  /** What `$SYS/broker/version` says. */
  version?: string;
  /** Told about errors of the engine itself, of taps and of ports; default: nobody. */
  onBug?: BugReporter;
}

/**
 * An MQTT 3.1, 3.1.1 and 5.0 broker without sockets: the front door hands it streams, the ports decide who may do what.
 *
 * @example
 * const broker = createBroker({ gatekeeper, journal: createMemoryJournal(), peers: createSinglePeer(), clock, observer: createObserver() });
 * await broker.start();
 * const connection = broker.accept(transport, facts);
 * socket.on("data", (bytes) => connection.receive(bytes));
 */
export function createBroker(ports: BrokerPorts): Broker {
  const engine = createEngine(ports);
  const { clock, limits, sessions, connections, router, statistics } = engine;
  let cancelSweep: (() => void) | undefined;
  let cancelStatistics: (() => void) | undefined;

  function publishStatistics(): void {
    cancelStatistics = clock.after(limits.statisticsMilliseconds, publishStatistics);
    engine.sysTopics.publish();
  }

  function sweep(): void {
    cancelSweep = clock.after(limits.sweepMilliseconds, sweep);
    const now = clock.now();
    // Deleting the current element while iterating a Set is safe.
    for (const connection of connections) connection.sweep(now);
    sessions.sweep(now);
    engine.retained.removeExpired(now, expiryPieceMessages);
  }

  /** What the journal is to keep moves out of its oldest part, a piece at a time. */
  function* rewrite(slotNumberMax: number): Generator<undefined> {
    let weight = 0;
    for (const session of sessions) {
      if (session.slot !== undefined && session.slot.number <= slotNumberMax) sessions.save(session);
      session.rewrite(slotNumberMax);
      weight += 1 + session.queuedMessages + session.inflightMessages;
      if (weight < rewritePieceRecords) continue;
      weight = 0;
      yield undefined;
    }
    yield* engine.retained.rewrite(slotNumberMax, rewritePieceRecords);
  }

  function routedMessage(message: CloudMessage): RoutedMessage {
    const { topic, payload, qos, properties, isRetained } = message;
    return new RoutedMessage(topic, payload, qos, isRetained === true, properties, clock.now());
  }

  return {
    async start() {
      const { sessions: stored, retained } = await ports.journal.open({ rewrite, caughtUp: () => engine.pressure.releaseAll() });
      for (const session of stored) sessions.restore(session);
      for (const message of retained) engine.retained.restore(message);
      sessions.trimQueues();
      cancelSweep = clock.after(limits.sweepMilliseconds, sweep);
      cancelStatistics = clock.after(limits.statisticsMilliseconds, publishStatistics);
    },
    accept(transport, facts): Connection {
      const connection = new ClientConnection(engine, transport, facts);
      connections.add(connection);
      if (connections.size > limits.connectionsMax) {
        connection.close("quota_exceeded", {
          code: "mqtt.connections_exceeded",
          received: `connection ${connections.size}`,
          expected: `at most ${limits.connectionsMax} connections`,
        });
      }
      return connection;
    },
    publish(message) {
      const routed = routedMessage(message);
      const { turn } = engine;
      // A tap may call this in the middle of another message.
      const hadDebt = turn.hasDebt;
      turn.hasDebt = false;
      const isNotRetained = routed.isRetained && !retainMessage(engine, routed, routed.payload);
      const destinations = router.destinationsOf(message.topic);
      router.route(routed, destinations, undefined);
      const addressee = message.addressee === undefined ? undefined : sessions.get(message.addressee);
      if (addressee !== undefined) router.address(routed, destinations, addressee);
      const isOwed = turn.hasDebt;
      turn.hasDebt = hadDebt || isOwed;
      if (engine.peers.isAlone !== true) {
        engine.peers.forward({ ...message, hops: message.hops ?? 0, isRetained: routed.isRetained, receivedAt: routed.receivedAt });
      }
      const { delivered, queued } = router;
      return { delivered, queued, ...(isOwed ? { isOwed } : {}), ...(isNotRetained ? { isNotRetained } : {}) };
    },
    committed: () => new Promise((committed) => engine.turn.awaitCommit({ committed })),
    deliver(sessionId, message, onAcknowledged) {
      const session = sessions.get(sessionId);
      if (session === undefined) return "no_session";
      const qos = session.deliveryQos(message.qos, message.qos);
      const routed = routedMessage(message);
      const outcome =
        onAcknowledged === undefined ? session.offer(routed, qos, false, undefined) : session.offerAwaited(routed, qos, onAcknowledged);
      return outcome === "skipped" ? "no_session" : outcome;
    },
    isConnected: (sessionId) => sessions.get(sessionId)?.link !== undefined,
    connectionOf: (sessionId) => sessions.get(sessionId)?.link?.describe(),
    retainedMessage: (topic) => engine.retained.get(topic, clock.now()),
    listRetained: (afterTopic, countMax) => engine.retained.list(afterTopic, countMax, clock.now()),
    subjectOf: (sessionId) => sessions.get(sessionId)?.subject,
    sessionIdsOf: (prefix) => [...sessions].filter(({ id }) => id.startsWith(prefix)).map(({ id }) => id),
    subscriptionsOf: (sessionId) => [...(sessions.get(sessionId)?.subscriptions.values() ?? [])],
    subscribe(sessionId, filters, qos) {
      const session = sessions.get(sessionId);
      return session?.rights === undefined ? "no_session" : (subscribeFor(engine, session, filters, qos) ?? "ok");
    },
    unsubscribe(sessionId, filters) {
      const session = sessions.get(sessionId);
      if (session === undefined) return "no_session";
      unsubscribeFor(engine, session, filters);
      return "ok";
    },
    kick(sessionId, reason, refusal, options) {
      const link = sessions.get(sessionId)?.link;
      if (link === undefined) return false;
      if (options?.isWillSuppressed === true) link.withdrawWill();
      link.close(reason, refusal);
      return true;
    },
    endSession(sessionId, reason, refusal, options) {
      const isWillSuppressed = options?.isWillSuppressed === true;
      const link = sessions.get(sessionId)?.link;
      if (isWillSuppressed) link?.withdrawWill();
      link?.close(reason, refusal);
      const session = sessions.get(sessionId);
      if (session === undefined) return;
      if (isWillSuppressed) session.pendingWill = undefined;
      sessions.end(session);
    },
    forgetGrants(sessionId) {
      const chosen = sessionId === undefined ? [...sessions] : [sessions.get(sessionId)];
      for (const session of chosen) {
        if (session === undefined) continue;
        session.forgetRoutes();
        reauthoriseSubscriptions(engine, session);
      }
    },
    forgetRefusals(sessionId) {
      sessions.get(sessionId)?.forgetRoutes();
    },
    statistics: (): BrokerStatistics => ({ ...statistics, connections: connections.size, sessions: sessions.size }),
    async close() {
      cancelSweep?.();
      cancelStatistics?.();
      for (const connection of [...connections]) connection.close("server_shutdown");
    },
  };
}

function createEngine(ports: BrokerPorts): Engine {
  const { gatekeeper, journal, peers, clock, observer } = ports;
  const limits: Readonly<BrokerLimits> = { ...defaultBrokerLimits, ...ports.limits };
  const onBug: BugReporter = ports.onBug ?? (() => {});
  const engine: Engine = {
    gatekeeper,
    journal,
    peers,
    clock,
    observer,
    limits,
    random: ports.random ?? { bytes: (count) => randomBytes(count) },
    onBug,
    statistics: {
      connections: 0,
      sessions: 0,
      subscriptions: 0,
      messagesReceived: 0,
      messagesSent: 0,
      messagesDropped: 0,
      bytesReceived: 0,
      bytesSent: 0,
    },
    turn: new Turn(clock, journal, onBug),
    slabs: new SlabPool(slabsMax),
    router: new Router(limits),
    retained: new RetainedStore(limits, journal),
    pressure: new JournalPressure(),
    // The registry needs the engine that it is part of.
    get sessions() {
      return sessions;
    },
    get sysTopics() {
      return sysTopics;
    },
    connections: new Set(),
  };
  const sessions = new SessionRegistry(engine);
  const sysTopics = new SysTopics(engine, ports.version ?? "thingstead mqtt");
  return engine;
}
