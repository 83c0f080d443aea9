/** Limits of AWS clients' sessions (AWS reference, limits 8); queues are sized for small machines. */
import { type AwsTopicLimits, defaultAwsTopicLimits } from "@thingstead/dialects";

export interface AwsSessionLimits {
  subscriptionsMax: number;
  filtersPerSubscribeMax: number;
  receiveMaximum: number;
  inflightMax: number;
  payloadBytesMax: number;
  /** Told to MQTT 5 clients. */
  packetBytesMax: number;
  /** On the wire, prefixes of reserved topics included. */
  topicBytesMax: number;
  topicAliasMax: number;
  /** How long a session outlives its connection: an hour, or up to 7 days. */
  sessionExpirySecondsMax: number;
  queueMessagesMax: number;
  queueBytesMax: number;
  queueAgeSecondsMax: number;
}

const hourSeconds = 3600;

export const defaultAwsSessionLimits: AwsSessionLimits = {
  subscriptionsMax: 50,
  filtersPerSubscribeMax: 8,
  receiveMaximum: 100,
  inflightMax: 100,
  payloadBytesMax: 128 * 1024,
  packetBytesMax: 149_504,
  topicBytesMax: 512,
  topicAliasMax: 8,
  sessionExpirySecondsMax: hourSeconds,
  queueMessagesMax: 5_000,
  queueBytesMax: 8 * 1024 * 1024,
  queueAgeSecondsMax: hourSeconds,
};

export interface AwsAccessLimits extends AwsTopicLimits {
  /** Parsed policy documents kept for the next connection. */
  policiesCachedMax: number;
  /** Connections by signed WebSocket end after this time. */
  signedConnectionSeconds: number;
  clockSkewSecondsMax: number;
  authorizerMilliseconds: number;
  authorizerAnswerBytesMax: number;
  /** Authorizers are asked again, and connections end, no sooner and no later than this. */
  authorizerSecondsMin: number;
  authorizerSecondsMax: number;
  /** A client that was being admitted while its certificate was deactivated is looked at once more after this time. */
  cutRecheckMilliseconds: number;
}

export const defaultAwsAccessLimits: AwsAccessLimits = {
  ...defaultAwsTopicLimits,
  policiesCachedMax: 1_000,
  signedConnectionSeconds: 24 * hourSeconds,
  clockSkewSecondsMax: 300,
  authorizerMilliseconds: 5_000,
  authorizerAnswerBytesMax: 64 * 1024,
  authorizerSecondsMin: 300,
  authorizerSecondsMax: 24 * hourSeconds,
  cutRecheckMilliseconds: 2_000,
};
