/** The scripts that every broker is asked. Client ids and topics are used by one scenario only: all run at the same time. */
import type { Scenario, Step } from "./mqtt-scenario.ts";

const v5 = { protocolVersion: 5 };
const connect = (clientId: string, more: object = {}): Step => [clientId, "connect", { clientId, ...more }];
const connect5 = (clientId: string, more: object = {}): Step => [clientId, "connect", { clientId, ...v5, ...more }];
const subscribe = (client: string, topic: string, options: object = { qos: 0 }, more: object = {}): Step => [
  client,
  "send",
  { cmd: "subscribe", messageId: 1, subscriptions: [{ topic, ...options }], ...more },
];
const publish = (client: string, topic: string, payload: string, more: object = {}): Step => [
  client,
  "send",
  { cmd: "publish", topic, payload, qos: 0, retain: false, dup: false, ...more },
];
const send = (client: string, packet: object): Step => [client, "send", packet];
const disconnect = (client: string, more: object = {}): Step => [client, "send", { cmd: "disconnect", ...more }];
const kept = { clean: false, properties: { sessionExpiryInterval: 600 } };

export const scenarios: readonly Scenario[] = [
  { name: "connect 3.1", clauses: ["MQTT-3.2.2-4"], steps: [connect("c31", { protocolVersion: 3 }), send("c31", { cmd: "pingreq" })] },
  {
    name: "connect 3.1.1 with session present",
    clauses: ["MQTT-3.2.2-2", "MQTT-3.2.2-3"],
    steps: [connect("c311", { clean: false }), disconnect("c311"), connect("c311", { clean: false }), disconnect("c311"), connect("c311")],
  },
  {
    name: "connect 5 without a client id",
    clauses: ["MQTT-3.1.3-6", "MQTT-3.2.2-16"],
    steps: [["anon", "connect", { clientId: "", ...v5 }]],
  },
  {
    name: "connect 3.1.1 without a client id and without clean session",
    clauses: ["MQTT-3.1.3-8"],
    steps: [
      ["noid", "open", 4],
      ["noid", "bytes", "10 0c 0004 4d515454 04 00 0000 0000"],
    ],
  },
  {
    name: "unknown protocol level",
    clauses: ["MQTT-3.1.2-2"],
    steps: [
      ["lvl", "open", 4],
      ["lvl", "bytes", "10 0f 0004 4d515454 09 02 0000 0003 6c766c"],
    ],
  },
  {
    name: "second CONNECT",
    clauses: ["MQTT-3.1.0-2"],
    steps: [connect("second"), send("second", { cmd: "connect", clientId: "second", protocolVersion: 4, clean: true, keepalive: 0 })],
  },
  { name: "takeover 3.1.1", clauses: ["MQTT-3.1.4-2"], steps: [connect("take3"), connect("take3"), send("take3", { cmd: "pingreq" })] },
  { name: "takeover 5", clauses: ["MQTT-3.1.4-3"], steps: [connect5("take5"), connect5("take5"), send("take5", { cmd: "pingreq" })] },
  ...([0, 1, 2] as const).map(
    (qos): Scenario => ({
      name: `publish at QoS ${qos}, delivered at the lower QoS`,
      clauses: ["MQTT-4.3.1-1", "MQTT-4.3.2-4", "MQTT-4.3.3-11", "MQTT-3.8.4-8"],
      steps: [
        connect(`q${qos}r0`),
        connect(`q${qos}r1`),
        connect(`q${qos}r2`),
        connect(`q${qos}w`),
        subscribe(`q${qos}r0`, `q${qos}/t`, { qos: 0 }),
        subscribe(`q${qos}r1`, `q${qos}/t`, { qos: 1 }),
        subscribe(`q${qos}r2`, `q${qos}/t`, { qos: 2 }),
        publish(`q${qos}w`, `q${qos}/t`, "m", { qos, messageId: 7 }),
        ...(qos === 2 ? [send(`q${qos}w`, { cmd: "pubrel", messageId: 7, qos: 1 })] : []),
        ...(qos > 0 ? [send(`q${qos}r1`, { cmd: "puback", messageId: 1 })] : []),
        ...(qos === 2 ? [send(`q${qos}r2`, { cmd: "pubrec", messageId: 1 }), send(`q${qos}r2`, { cmd: "pubcomp", messageId: 1 })] : []),
      ],
    }),
  ),
  {
    name: "the same QoS 2 identifier twice is one message",
    clauses: ["MQTT-4.3.3-10"],
    steps: [
      connect("dupr"),
      subscribe("dupr", "dup/t", { qos: 2 }),
      connect("dupw"),
      publish("dupw", "dup/t", "m", { qos: 2, messageId: 3 }),
      publish("dupw", "dup/t", "m", { qos: 2, messageId: 3, dup: true }),
      send("dupw", { cmd: "pubrel", messageId: 3, qos: 1 }),
      send("dupw", { cmd: "pubrel", messageId: 3, qos: 1 }),
    ],
  },
  {
    name: "unacknowledged QoS 1 comes again with DUP, in order",
    clauses: ["MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-4.6.0-1"],
    steps: [
      connect("redo", { clean: false }),
      subscribe("redo", "redo/t", { qos: 1 }),
      connect("redow"),
      publish("redow", "redo/t", "one", { qos: 1, messageId: 1 }),
      publish("redow", "redo/t", "two", { qos: 1, messageId: 2 }),
      ["redo", "drop"],
      publish("redow", "redo/t", "three", { qos: 1, messageId: 3 }),
      connect("redo", { clean: false }),
      send("redo", { cmd: "puback", messageId: 1 }),
      send("redo", { cmd: "puback", messageId: 2 }),
      send("redo", { cmd: "puback", messageId: 3 }),
    ],
  },
  {
    name: "a released QoS 2 message comes again as PUBREL",
    clauses: ["MQTT-4.3.3-8", "MQTT-4.4.0-1"],
    steps: [
      connect("rel", { clean: false }),
      subscribe("rel", "rel/t", { qos: 2 }),
      connect("relw"),
      publish("relw", "rel/t", "m", { qos: 2, messageId: 1 }),
      send("relw", { cmd: "pubrel", messageId: 1, qos: 1 }),
      send("rel", { cmd: "pubrec", messageId: 1 }),
      ["rel", "drop"],
      connect("rel", { clean: false }),
      send("rel", { cmd: "pubcomp", messageId: 1 }),
    ],
  },
  {
    name: "offline messages of a persistent session",
    clauses: ["MQTT-3.1.2-4", "MQTT-4.1.0-1"],
    steps: [
      connect5("off", kept),
      subscribe("off", "off/#", { qos: 1 }),
      disconnect("off"),
      connect("offw"),
      publish("offw", "off/a", "one", { qos: 1, messageId: 1 }),
      publish("offw", "off/b", "two", { qos: 1, messageId: 2 }),
      publish("offw", "off/b", "zero"),
      connect5("off", kept),
    ],
  },
  {
    name: "a session that expires",
    clauses: ["MQTT-3.1.2-23"],
    steps: [
      connect5("exp", { clean: false, properties: { sessionExpiryInterval: 1 } }),
      disconnect("exp"),
      { wait: 3500 },
      connect5("exp", kept),
    ],
  },
  {
    name: "session expiry cannot rise from 0 at DISCONNECT",
    clauses: ["MQTT-3.14.2-2"],
    steps: [connect5("rise"), disconnect("rise", { reasonCode: 0, properties: { sessionExpiryInterval: 60 } })],
  },
  {
    name: "retained: to new subscribers, replaced, removed",
    clauses: ["MQTT-3.3.1-5", "MQTT-3.3.1-6", "MQTT-3.3.1-8"],
    steps: [
      connect("retw"),
      publish("retw", "ret/t", "one", { retain: true }),
      publish("retw", "ret/t", "two", { retain: true, qos: 1, messageId: 1 }),
      connect("ret1"),
      subscribe("ret1", "ret/+", { qos: 1 }),
      publish("retw", "ret/t", "three", { retain: true }),
      publish("retw", "ret/t", "", { retain: true }),
      connect("ret2"),
      subscribe("ret2", "ret/#"),
    ],
  },
  ...([0, 1, 2] as const).map(
    (rh): Scenario => ({
      name: `retain handling ${rh}`,
      clauses: ["MQTT-3.3.1-9", "MQTT-3.3.1-10", "MQTT-3.3.1-11"],
      steps: [
        connect5(`rh${rh}w`),
        publish(`rh${rh}w`, `rh${rh}/t`, "old", { retain: true }),
        connect5(`rh${rh}`),
        subscribe(`rh${rh}`, `rh${rh}/t`, { qos: 0, rh }),
        subscribe(`rh${rh}`, `rh${rh}/t`, { qos: 0, rh }),
      ],
    }),
  ),
  {
    name: "retain as published",
    clauses: ["MQTT-3.3.1-12", "MQTT-3.3.1-13"],
    steps: [
      connect5("rap1"),
      subscribe("rap1", "rap/t", { qos: 0, rap: true }),
      connect5("rap0"),
      subscribe("rap0", "rap/t", { qos: 0, rap: false }),
      connect5("rapw"),
      publish("rapw", "rap/t", "m", { retain: true }),
      publish("rapw", "rap/t", "n"),
    ],
  },
  {
    name: "no local",
    clauses: ["MQTT-3.8.3-3"],
    steps: [
      connect5("nl"),
      subscribe("nl", "nl/t", { qos: 0, nl: true }),
      connect5("nlw"),
      publish("nl", "nl/t", "own"),
      publish("nlw", "nl/t", "other"),
    ],
  },
  {
    name: "no local on a shared subscription",
    clauses: ["MQTT-3.8.3-4"],
    steps: [connect5("nls"), ["nls", "bytes", "82 10 0001 00 000a 2473686172652f672f74 05"]],
  },
  {
    name: "subscription identifier",
    clauses: ["MQTT-3.3.4-3"],
    steps: [
      connect5("sid"),
      subscribe("sid", "sid/t", { qos: 0 }, { properties: { subscriptionIdentifier: 5 } }),
      connect5("sidw"),
      publish("sidw", "sid/t", "m"),
    ],
  },
  {
    name: "overlapping subscriptions",
    clauses: ["MQTT-3.3.4-2", "MQTT-3.3.4-4"],
    steps: [
      connect5("ovl"),
      subscribe("ovl", "ovl/t", { qos: 0 }, { properties: { subscriptionIdentifier: 5 } }),
      subscribe("ovl", "ovl/#", { qos: 1 }, { properties: { subscriptionIdentifier: 6 } }),
      connect5("ovlw"),
      publish("ovlw", "ovl/t", "m", { qos: 1, messageId: 1 }),
    ],
  },
  {
    name: "the same filter again replaces the subscription",
    clauses: ["MQTT-3.8.4-3"],
    steps: [
      connect("same"),
      subscribe("same", "same/t", { qos: 0 }),
      subscribe("same", "same/t", { qos: 1 }),
      connect("samew"),
      publish("samew", "same/t", "m", { qos: 1, messageId: 1 }),
    ],
  },
  {
    name: "unsubscribe",
    clauses: ["MQTT-3.10.4-1", "MQTT-3.10.4-4", "MQTT-3.11.3-1"],
    steps: [
      connect5("uns"),
      subscribe("uns", "uns/t"),
      send("uns", { cmd: "unsubscribe", messageId: 2, unsubscriptions: ["uns/t", "uns/other"] }),
      publish("uns", "uns/t", "m"),
    ],
  },
  {
    name: "wildcards and $-topics",
    clauses: ["MQTT-4.7.1-2", "MQTT-4.7.1-3", "MQTT-4.7.2-1"],
    steps: [
      connect("wild"),
      [
        "wild",
        "send",
        {
          cmd: "subscribe",
          messageId: 1,
          subscriptions: [
            { topic: "wild/+/x", qos: 0 },
            { topic: "wild/deep/#", qos: 0 },
            { topic: "+/wildroot", qos: 0 },
          ],
        },
      ],
      publish("wild", "wild/a/x", "1"),
      publish("wild", "wild/deep", "2"),
      publish("wild", "wild/deep/a/b", "3"),
      publish("wild", "wild//x", "4"),
      publish("wild", "$dollar/wildroot", "5"),
      publish("wild", "wild/a/b/x", "6"),
    ],
  },
  { name: "invalid filter", clauses: ["MQTT-4.7.1-2"], steps: [connect("badf"), subscribe("badf", "badf/#/x")] },
  { name: "publish to a wildcard", clauses: ["MQTT-3.3.2-2"], steps: [connect("badp"), ["badp", "bytes", "30 07 0003 612f23 6d6d"]] },
  { name: "QoS 3", clauses: ["MQTT-3.3.1-4"], steps: [connect("qos3"), ["qos3", "bytes", "36 07 0001 61 0001 6d6d"]] },
  { name: "SUBSCRIBE with wrong flags", clauses: ["MQTT-3.8.1-1"], steps: [connect("flag"), ["flag", "bytes", "80 06 0001 0001 61 00"]] },
  { name: "SUBSCRIBE without filters", clauses: ["MQTT-3.8.3-2"], steps: [connect("nofilter"), ["nofilter", "bytes", "82 02 0001"]] },
  {
    name: "will when the connection breaks",
    clauses: ["MQTT-3.1.2-8"],
    steps: [
      connect("willr"),
      subscribe("willr", "will/t", { qos: 1 }),
      connect("will", { will: { topic: "will/t", payload: "gone", qos: 1, retain: false } }),
      ["will", "drop"],
    ],
  },
  {
    name: "no will after DISCONNECT",
    clauses: ["MQTT-3.14.4-3"],
    steps: [
      connect("nowillr"),
      subscribe("nowillr", "nowill/t"),
      connect("nowill", { will: { topic: "nowill/t", payload: "gone", qos: 0, retain: false } }),
      disconnect("nowill"),
    ],
  },
  {
    name: "will with DISCONNECT 0x04, properties and retain",
    clauses: ["MQTT-3.14.4-3", "MQTT-3.1.2-17"],
    steps: [
      connect5("w4r"),
      subscribe("w4r", "w4/t"),
      connect5("w4", {
        will: {
          topic: "w4/t",
          payload: "gone",
          qos: 0,
          retain: true,
          properties: { contentType: "text/plain", userProperties: { a: "b" }, responseTopic: "x" },
        },
      }),
      disconnect("w4", { reasonCode: 4 }),
      connect5("w4late"),
      subscribe("w4late", "w4/t"),
    ],
  },
  {
    name: "will delay: cancelled by a return, sent after its time",
    clauses: ["MQTT-3.1.3-9"],
    steps: [
      connect5("wdr"),
      subscribe("wdr", "wd/t"),
      connect5("wd", { ...kept, will: { topic: "wd/t", payload: "gone", qos: 0, retain: false, properties: { willDelayInterval: 2 } } }),
      ["wd", "drop"],
      connect5("wd", { ...kept, will: { topic: "wd/t", payload: "again", qos: 0, retain: false, properties: { willDelayInterval: 1 } } }),
      { wait: 2500 },
      ["wd", "drop"],
      { wait: 3000 },
    ],
  },
  {
    name: "message expiry sent on; expired messages do not arrive",
    clauses: ["MQTT-3.3.2-5", "MQTT-3.3.2-6"],
    steps: [
      connect5("mx", kept),
      subscribe("mx", "mx/t", { qos: 1 }),
      disconnect("mx"),
      connect5("mxw"),
      publish("mxw", "mx/t", "short", { qos: 1, messageId: 1, properties: { messageExpiryInterval: 1 } }),
      publish("mxw", "mx/t", "long", { qos: 1, messageId: 2, properties: { messageExpiryInterval: 600 } }),
      { wait: 2500 },
      connect5("mx", kept),
    ],
  },
  {
    name: "request, response and user properties",
    clauses: ["MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-17", "MQTT-3.3.2-18", "MQTT-3.3.2-20", "MQTT-3.3.2-4"],
    steps: [
      connect5("req"),
      subscribe("req", "req/t"),
      connect5("reqw"),
      publish("reqw", "req/t", "m", {
        properties: {
          payloadFormatIndicator: true,
          contentType: "text/plain",
          responseTopic: "req/answer",
          correlationData: Buffer.from("c-1"),
          userProperties: { b: ["2", "3"], a: "1" },
        },
      }),
    ],
  },
  {
    name: "topic alias of the client",
    clauses: ["MQTT-3.3.2-8", "MQTT-3.3.2-12"],
    steps: [
      connect5("alias"),
      subscribe("alias", "alias/#"),
      publish("alias", "alias/topic", "1", { properties: { topicAlias: 1 } }),
      publish("alias", "", "2", { properties: { topicAlias: 1 } }),
      publish("alias", "alias/two", "3", { properties: { topicAlias: 1 } }),
      publish("alias", "", "4", { properties: { topicAlias: 1 } }),
    ],
  },
  { name: "topic alias 0", clauses: ["MQTT-3.3.2-8"], steps: [connect5("alias0"), ["alias0", "bytes", "30 08 0001 61 03 230000 6d"]] },
  {
    name: "unknown topic alias",
    clauses: ["MQTT-3.3.2-7"],
    steps: [connect5("aliasx"), publish("aliasx", "", "m", { properties: { topicAlias: 3 } })],
  },
  {
    name: "receive maximum of the client",
    clauses: ["MQTT-3.3.4-9"],
    steps: [
      connect5("rm", { properties: { receiveMaximum: 1 } }),
      subscribe("rm", "rm/t", { qos: 1 }),
      connect5("rmw"),
      publish("rmw", "rm/t", "1", { qos: 1, messageId: 1 }),
      publish("rmw", "rm/t", "2", { qos: 1, messageId: 2 }),
      send("rm", { cmd: "puback", messageId: 1 }),
    ],
  },
  {
    name: "maximum packet size of the client",
    clauses: ["MQTT-3.1.2-24", "MQTT-3.1.2-25"],
    steps: [
      connect5("mp", { properties: { maximumPacketSize: 30 } }),
      subscribe("mp", "mp/t"),
      connect5("mpw"),
      publish("mpw", "mp/t", "x".repeat(40)),
      publish("mpw", "mp/t", "small"),
    ],
  },
  {
    name: "shared subscription takes turns",
    clauses: ["MQTT-4.8.2-3"],
    steps: [
      connect5("sh1"),
      subscribe("sh1", "$share/g/sh/t"),
      connect5("sh2"),
      subscribe("sh2", "$share/g/sh/t"),
      connect5("shw"),
      publish("shw", "sh/t", "1"),
      publish("shw", "sh/t", "2"),
      publish("shw", "sh/t", "3"),
      publish("shw", "sh/t", "4"),
    ],
  },
  {
    name: "shared subscription redelivers when its member goes",
    clauses: ["MQTT-4.8.2-4"],
    steps: [
      connect5("sr1"),
      subscribe("sr1", "$share/g/sr/t", { qos: 1 }),
      connect5("srw"),
      publish("srw", "sr/t", "1", { qos: 1, messageId: 1 }),
      connect5("sr2"),
      subscribe("sr2", "$share/g/sr/t", { qos: 1 }),
      disconnect("sr1"),
    ],
  },
  {
    name: "authentication method",
    clauses: ["MQTT-4.12.0-1"],
    steps: [connect5("auth", { properties: { authenticationMethod: "NONE-SUCH" } })],
  },
  {
    name: "AUTH without a method in CONNECT",
    clauses: ["MQTT-4.12.0-7"],
    steps: [connect5("auth2"), ["auth2", "bytes", "f0 08 19 06 15 0003 616161"]],
  },
  {
    name: "publish on $SYS",
    clauses: ["MQTT-4.7.2-1"],
    steps: [connect5("sys"), publish("sys", "$SYS/broker/mine", "m", { qos: 1, messageId: 1 })],
  },
  {
    name: "no matching subscribers",
    clauses: ["MQTT-3.4.2-1"],
    steps: [connect5("alone"), publish("alone", "alone/t", "m", { qos: 1, messageId: 1 })],
  },
  {
    name: "PUBREL of an unknown identifier",
    clauses: ["MQTT-4.3.3-12"],
    steps: [connect5("unk"), send("unk", { cmd: "pubrel", messageId: 77, qos: 1 })],
  },
  {
    name: "PUBREC of an unknown identifier",
    clauses: ["MQTT-4.3.3-6"],
    steps: [connect5("unr"), send("unr", { cmd: "pubrec", messageId: 77 })],
  },
];
