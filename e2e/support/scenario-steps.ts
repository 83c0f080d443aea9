/** Steps that most scripts are made of. */
import type { Step } from "./mqtt-scenario.ts";

export const v5 = { protocolVersion: 5 };
export const connect = (clientId: string, more: object = {}): Step => [clientId, "connect", { clientId, ...more }];
export const connect5 = (clientId: string, more: object = {}): Step => [clientId, "connect", { clientId, ...v5, ...more }];
export const subscribe = (client: string, topic: string, options: object = { qos: 0 }, more: object = {}): Step => [
  client,
  "send",
  { cmd: "subscribe", messageId: 1, subscriptions: [{ topic, ...options }], ...more },
];
export const publish = (client: string, topic: string, payload: string, more: object = {}): Step => [
  client,
  "send",
  { cmd: "publish", topic, payload, qos: 0, retain: false, dup: false, ...more },
];
export const send = (client: string, packet: object): Step => [client, "send", packet];
export const disconnect = (client: string, more: object = {}): Step => [client, "send", { cmd: "disconnect", ...more }];
export const kept = { clean: false, properties: { sessionExpiryInterval: 600 } };
