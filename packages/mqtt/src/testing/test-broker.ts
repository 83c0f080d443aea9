import type { Broker } from "../broker.ts";
import { type BrokerPorts, createBroker } from "../broker-engine.ts";
import { createMemoryJournal } from "../journal/memory-journal.ts";
import type { BrokerLimits } from "../limits.ts";
import { createObserver } from "../observer.ts";
import type { Admission, ConnectionFacts, Gatekeeper, Observer, SessionBehaviour } from "../ports.ts";
import { createSinglePeer } from "../single-peer.ts";
import { FakeClock } from "./fake-clock.ts";
import { TestClient } from "./test-client.ts";

/** All of MQTT, with limits wide enough not to matter unless a test narrows them. */
export const testBehaviour: SessionBehaviour = {
  qosMax: 2,
  onQosAboveMax: "disconnect",
  retain: "store",
  will: "publish",
  wildcards: true,
  sharedSubscriptions: true,
  deliveryQos: "minimum",
  onPublishRefused: "acknowledge",
  subscriptionsMax: 100,
  filtersPerSubscribeMax: 20,
  receiveMaximum: 100,
  inflightMax: 20,
  payloadBytesMax: 256 * 1024,
  topicBytesMax: 1024,
  topicAliasMax: 10,
  sessionExpirySecondsMax: 3600,
  queueMessagesMax: 1000,
  queueBytesMax: 10 * 1024 * 1024,
  queueAgeSecondsMax: 3600,
};

export const testFacts: ConnectionFacts = { remoteAddress: "192.0.2.1", remotePort: 40_000, localPort: 1883, carrier: "tcp" };

export interface TestBrokerOptions extends Partial<Pick<BrokerPorts, "journal" | "gatekeeper" | "peers">> {
  behaviour?: Partial<SessionBehaviour>;
  admission?: Partial<Admission>;
  limits?: Partial<BrokerLimits>;
}

export interface RecordedEvent {
  name: keyof Observer;
  event: Record<string, unknown>;
}

/** A broker that admits everyone under their client id, and records what it tells its observer. */
export class TestBroker {
  readonly clock = new FakeClock();
  readonly events: RecordedEvent[] = [];
  readonly bugs: unknown[] = [];
  readonly broker: Broker;
  readonly gatekeeper: Gatekeeper;
  #failing: keyof Observer | undefined;

  constructor(options: TestBrokerOptions = {}) {
    const behaviour = { ...testBehaviour, ...options.behaviour };
    const record =
      (name: keyof Observer) =>
      (event: object): void => {
        if (this.#failing === name) {
          this.#failing = undefined;
          throw new Error(`observer ${name} fails`);
        }
        this.events.push({ name, event: { ...event } });
      };
    this.gatekeeper = options.gatekeeper ?? {
      connect: async ({ clientId, keepAliveSeconds }) => ({
        sessionId: clientId,
        rights: { publish: () => ({ isRouted: true, taps: [] }), subscribe: (_filter, qos) => ({ qos }) },
        behaviour,
        keepAliveSeconds,
        subject: clientId,
        ...options.admission,
      }),
    };
    this.broker = createBroker({
      gatekeeper: this.gatekeeper,
      journal: options.journal ?? createMemoryJournal(),
      peers: options.peers ?? createSinglePeer(),
      clock: this.clock,
      limits: options.limits ?? {},
      random: { bytes: (count) => new Uint8Array(count).fill(7) },
      onBug: (error) => this.bugs.push(error),
      observer: createObserver({
        connected: record("connected"),
        refused: record("refused"),
        disconnected: record("disconnected"),
        subscribed: record("subscribed"),
        subscribeRefused: record("subscribeRefused"),
        unsubscribed: record("unsubscribed"),
        publishRefused: record("publishRefused"),
        dropped: record("dropped"),
      }),
    });
  }

  async start(): Promise<this> {
    await this.broker.start();
    return this;
  }

  /** A raw stream: nothing sent yet. */
  open(): TestClient {
    return new TestClient(this.broker, this.clock);
  }

  /** The observer throws at the next event of that name. */
  failNext(name: keyof Observer): void {
    this.#failing = name;
  }

  named(name: keyof Observer): Record<string, unknown>[] {
    return this.events.filter((entry) => entry.name === name).map((entry) => entry.event);
  }
}
