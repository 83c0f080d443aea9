/** Scripts on the edges of the standard, where brokers differ most. */
import type { Scenario } from "./mqtt-scenario.ts";
import { connect, connect5, disconnect, kept, publish, send, subscribe } from "./scenario-steps.ts";

export const edgeScenarios: readonly Scenario[] = [
  {
    name: "will delay: a takeover of the session takes the will back",
    clauses: ["MQTT-3.1.3-9"],
    steps: [
      connect5("wdt"),
      subscribe("wdt", "wdt/w"),
      connect5("wdo", { ...kept, will: { topic: "wdt/w", payload: Buffer.from("gone"), qos: 0, properties: { willDelayInterval: 1 } } }),
      connect5("wdo", kept),
      { wait: 1500 },
      disconnect("wdo", { reasonCode: 0 }),
    ],
  },
  {
    name: "will delay: the end of the session is sooner",
    clauses: ["MQTT-3.1.3-9"],
    steps: [
      connect5("wde"),
      subscribe("wde", "wde/w"),
      connect5("wdx", { will: { topic: "wde/w", payload: Buffer.from("gone"), qos: 0, properties: { willDelayInterval: 60 } } }),
      ["wdx", "drop"],
    ],
  },
  {
    name: "takeover with QoS 2 pending both ways",
    clauses: ["MQTT-4.4.0-1", "MQTT-4.3.3-10"],
    steps: [
      connect("t2r", { clean: false }),
      subscribe("t2r", "t2/#", { qos: 2 }),
      publish("t2r", "t2/own", "own", { qos: 2, messageId: 5 }),
      connect("t2r", { clean: false }),
      publish("t2r", "t2/own", "own", { qos: 2, messageId: 5, dup: true }),
      send("t2r", { cmd: "pubrel", messageId: 5, qos: 1 }),
      send("t2r", { cmd: "pubrec", messageId: 1 }),
      send("t2r", { cmd: "pubcomp", messageId: 1 }),
    ],
  },
  {
    name: "takeover 5 with clean start: what was pending is gone",
    clauses: ["MQTT-3.1.2-4"],
    steps: [
      connect5("t5c", kept),
      subscribe("t5c", "t5c/t", { qos: 1 }),
      connect5("t5w"),
      publish("t5w", "t5c/t", "m", { qos: 1, messageId: 1 }),
      connect5("t5c"),
      publish("t5w", "t5c/t", "n", { qos: 1, messageId: 2 }),
    ],
  },
  {
    name: "overlapping subscriptions with and without an identifier",
    clauses: ["MQTT-3.3.4-3"],
    steps: [
      connect5("ovi"),
      subscribe("ovi", "ovi/+", { qos: 0 }, { properties: { subscriptionIdentifier: 9 } }),
      subscribe("ovi", "ovi/t", { qos: 0 }),
      publish("ovi", "ovi/other", "m"),
    ],
  },
  {
    name: "topic alias above the maximum",
    clauses: ["MQTT-3.3.2-9"],
    steps: [connect5("aliasmax"), ["aliasmax", "bytes", "30 08 0001 61 03 23 ffff 78"]],
  },
  {
    name: "server keep-alive and keep-alive 0",
    clauses: ["MQTT-3.1.2-22"],
    steps: [connect5("ka0", { keepalive: 0 }), { wait: 2000 }, send("ka0", { cmd: "pingreq" })],
  },
  {
    name: "silence beyond the keep-alive",
    clauses: ["MQTT-3.1.2-22"],
    steps: [
      connect5("kar"),
      subscribe("kar", "kar/w"),
      connect5("kas", { keepalive: 1, will: { topic: "kar/w", payload: Buffer.from("silent"), qos: 0 } }),
      { wait: 7000 },
    ],
  },
  {
    name: "$-topics: a filter that names them",
    clauses: ["MQTT-4.7.2-1"],
    steps: [
      connect("dol"),
      subscribe("dol", "+/dol/t"),
      connect("dolw"),
      publish("dolw", "$dol/dol/t", "hidden"),
      subscribe("dol", "$dol/#"),
      publish("dolw", "$dol/dol/t", "named"),
    ],
  },
  {
    name: "a retained message without payload to a subscriber",
    clauses: ["MQTT-3.3.1-6", "MQTT-3.3.1-7"],
    steps: [
      connect5("rze"),
      subscribe("rze", "rze/t", { qos: 1, rap: true }),
      publish("rze", "rze/t", "", { retain: true }),
      subscribe("rze", "rze/t", { qos: 1 }),
    ],
  },
  {
    name: "U+0000 in a topic",
    clauses: ["MQTT-1.5.4-2"],
    steps: [connect5("nul"), ["nul", "bytes", "30 07 0003 610062 00 78"]],
  },
  {
    name: "a topic that is no UTF-8",
    clauses: ["MQTT-1.5.4-1"],
    steps: [connect5("utf"), ["utf", "bytes", "30 06 0002 c328 00 78"]],
  },
  {
    name: "the same QoS 1 identifier twice is two messages",
    clauses: ["MQTT-4.3.2-5"],
    steps: [
      connect5("d1r"),
      subscribe("d1r", "d1/t"),
      connect5("d1w"),
      publish("d1w", "d1/t", "one", { qos: 1, messageId: 4 }),
      publish("d1w", "d1/t", "two", { qos: 1, messageId: 4 }),
    ],
  },
  {
    name: "packet identifier 0",
    clauses: ["MQTT-2.2.1-3"],
    steps: [connect5("pid0"), ["pid0", "bytes", "32 07 0001 61 0000 00 78"]],
  },
  {
    name: "UNSUBSCRIBE without filters",
    clauses: ["MQTT-3.10.3-2"],
    steps: [connect5("nof"), ["nof", "bytes", "a2 03 0001 00"]],
  },
  {
    name: "a shared subscription gets no retained messages",
    clauses: ["MQTT-3.8.4-4"],
    steps: [
      connect5("shr"),
      publish("shr", "shr/t", "kept", { retain: true }),
      subscribe("shr", "$share/g/shr/#", { qos: 1 }),
      publish("shr", "shr/t", "", { retain: true }),
    ],
  },
  {
    name: "one SUBSCRIBE with the same filter twice",
    clauses: ["MQTT-3.8.4-3", "MQTT-3.9.3-1"],
    steps: [
      connect("twice"),
      send("twice", {
        cmd: "subscribe",
        messageId: 3,
        subscriptions: [
          { topic: "twice/t", qos: 2 },
          { topic: "twice/t", qos: 0 },
        ],
      }),
      publish("twice", "twice/t", "m", { qos: 1, messageId: 1 }),
    ],
  },
  {
    name: "more in flight than the server takes",
    clauses: ["MQTT-3.3.4-7"],
    steps: [
      connect5("rmx"),
      ...[1, 2, 3].map((messageId) => publish("rmx", "rmx/t", "m", { qos: 2, messageId })),
      ...[3, 1, 2].map((messageId) => send("rmx", { cmd: "pubrel", messageId, qos: 1 })),
    ],
  },
];
