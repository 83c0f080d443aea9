/**
 * The engine alone behind a TCP port: everyone is let in, everything is allowed, nothing is stored. For benchmarks.
 *
 * Usage: node bench/bare-broker.ts [port]
 */
import { createServer, type Socket } from "node:net";
import {
  type Clock,
  createBroker,
  createMemoryJournal,
  createObserver,
  createSinglePeer,
  type Gatekeeper,
  type SessionBehaviour,
  type SessionRights,
  type Transport,
} from "../packages/mqtt/src/index.ts";

const port = Number(process.argv[2] ?? 1883);
const listenBacklog = 4096;

const clock: Clock = {
  now: () => Date.now(),
  after(milliseconds, task) {
    const timer = setTimeout(task, milliseconds);
    return () => clearTimeout(timer);
  },
  soon: (task) => void setImmediate(task),
};

const behaviour: SessionBehaviour = {
  qosMax: 2,
  onQosAboveMax: "disconnect",
  retain: "store",
  will: "publish",
  wildcards: true,
  sharedSubscriptions: true,
  deliveryQos: "minimum",
  onPublishRefused: "acknowledge",
  subscriptionsMax: 1000,
  filtersPerSubscribeMax: 100,
  receiveMaximum: 1000,
  inflightMax: 100,
  payloadBytesMax: 256 * 1024,
  topicBytesMax: 1024,
  topicAliasMax: 16,
  sessionExpirySecondsMax: 7 * 24 * 3600,
  queueMessagesMax: 10_000,
  queueBytesMax: 16 * 1024 * 1024,
  queueAgeSecondsMax: 7 * 24 * 3600,
};

const grant = { isRouted: true, taps: [] };
const rights: SessionRights = { publish: () => grant, subscribe: (_filter, qos) => ({ qos }) };
const gatekeeper: Gatekeeper = {
  connect: async ({ clientId, keepAliveSeconds }) => ({ sessionId: clientId, rights, behaviour, keepAliveSeconds, subject: undefined }),
};

const broker = createBroker({
  gatekeeper,
  journal: createMemoryJournal(),
  peers: createSinglePeer(),
  clock,
  observer: createObserver(
    process.env.VERBOSE === undefined
      ? {}
      : {
          connected: ({ sessionId }) => console.log("connected", sessionId),
          refused: ({ refusal }) => console.log("refused", refusal),
          disconnected: ({ sessionId, reason, refusal }) => console.log("disconnected", sessionId, reason, refusal ?? ""),
          dropped: (event) => console.log("dropped", event),
        },
  ),
  onBug: (error, state) => console.error("bug", state, error),
});

function transportOf(socket: Socket): Transport {
  return {
    write: (bytes) => void socket.write(bytes),
    get bufferedBytes() {
      return socket.writableLength;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
}

const server = createServer({ noDelay: true }, (socket) => {
  const { remoteAddress = "", remotePort = 0, localPort = 0 } = socket;
  const connection = broker.accept(transportOf(socket), { remoteAddress, remotePort, localPort, carrier: "tcp" });
  socket.on("data", (bytes) => connection.receive(bytes));
  socket.on("drain", () => connection.drained());
  socket.on("close", () => connection.closed());
  // A reset is followed by "close", which tells the engine.
  socket.on("error", () => {});
});

await broker.start();
server.listen({ port, host: "127.0.0.1", backlog: listenBacklog }, () => console.log("ready", server.address()));
if (process.env.STATISTICS !== undefined) setInterval(() => console.log(JSON.stringify(broker.statistics())), 1000);
