/** How MQTT behaves for AWS clients (AWS reference, MQTT behaviour 6 and 7). */
import type { DialectBehaviour } from "../dialect.ts";

/** One week: no message waits longer. */
const messageExpirySecondsMax = 604_800;

export const awsBehaviour: DialectBehaviour = {
  qosMax: 1,
  // 6.1: no PUBREC exists; MQTT 5 clients are told 0x9B.
  onQosAboveMax: "disconnect",
  retain: "store",
  will: "publish",
  // 6.5: a WebSocket Close frame is the client's own wish.
  onCarrierGoodbye: "disconnect",
  wildcards: true,
  sharedSubscriptions: true,
  deliveryQos: "minimum",
  // 5.6: a publish that is not allowed costs the connection.
  onPublishRefused: "disconnect",
  onSubscribeRefused: "answer",
  onPayloadTooLarge: "disconnect",
  hashMatchesParent: false,
  retainedForWildcards: false,
  subscriptionIdentifiers: false,
  isSessionSharedByVersions: false,
  // 7.2
  messageExpirySeconds: { min: 1, max: messageExpirySecondsMax },
};

const awsKeepAliveSeconds = { min: 30, max: 1200 } as const;

/** 6.2: a shorter wish counts as the shortest, none and a longer one as the longest. */
export function awsKeepAliveOf(requestedSeconds: number): number {
  const { min, max } = awsKeepAliveSeconds;
  return requestedSeconds === 0 ? max : Math.min(Math.max(requestedSeconds, min), max);
}

const awsClientIdBytesMax = 128;

/**
 * What is wrong with a client id, if anything. Stricter than the vendor (5.4): wildcards and `$` in an id would become part of
 * what `${iot:ClientId}` allows.
 */
export function awsClientIdFault(clientId: string): { received: string; expected: string } | undefined {
  const bytes = new TextEncoder().encode(clientId).length;
  if (bytes > awsClientIdBytesMax) return { received: `${bytes} bytes`, expected: `at most ${awsClientIdBytesMax} bytes` };
  if (!/[+#*?$\p{Cc}]/u.test(clientId)) return undefined;
  return { received: JSON.stringify(clientId), expected: "none of + # * ? $ and no control characters" };
}
